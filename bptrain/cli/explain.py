"""`bptrain explain`: what a message means."""

from __future__ import annotations

import click


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain the message with CODE, and what to do; without CODE, list all.

    Example: bptrain explain BP103
    """
    from bptrain.errors import Problem, UsageError
    from bptrain.messages import CODES
    from bptrain.utils.text import escape, nearest

    if code is None:
        click.echo("\n".join(f"{name}  {entry.title}" for name, entry in sorted(CODES.items())))
        return
    name = code.upper()
    if name not in CODES:
        near = ", ".join(nearest(name, CODES))
        hints = (f"near: {near}",) if near else ("`bptrain explain` lists all codes",)
        raise UsageError(Problem("BP159", f"there is no message with the code `{escape(code)}`", hints=hints))
    entry = CODES[name]
    click.echo(f"{name}: {entry.title}\n\n{entry.meaning}\n\nWhat to do: {entry.remedy}")
