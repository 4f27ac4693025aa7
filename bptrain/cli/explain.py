"""`bptrain explain`: what a message means."""

from __future__ import annotations

import click


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain the message with CODE, and what to do; without CODE, list all.

    Example: bptrain explain BP103
    """
    from bptrain.errors import UsageError
    from bptrain.messages import cli as messages
    from bptrain.messages.catalogue import CATALOGUE
    from bptrain.utils.text import nearest

    if code is None:
        click.echo("\n".join(f"{name}  {entry.title}" for name, entry in CATALOGUE.items()))
        return
    name = code.upper()
    if name not in CATALOGUE:
        near = ", ".join(nearest(name, CATALOGUE))
        raise UsageError(messages.NO_SUCH_CODE(code=code, hints=(f"near: {near}",) if near else ()))
    entry = CATALOGUE[name]
    parts = [f"{name}: {entry.title}", entry.meaning]
    for heading, lines in (("It says:", entry.texts), ("What to do:", entry.remedies)):
        if lines:
            parts.append("\n".join([heading, *(f"- {line}" for line in lines)]))
    click.echo("\n\n".join(parts))
