"""Defaults for all columns of a kind: `"<numeric>": {scaling: robust}` under `columns`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from bptrain.errors import Problem, UsageError
from bptrain.features.kinds import ColumnOptions
from bptrain.utils.text import escape


def defaults_key(kind: str) -> str:
    """The key under `columns` that gives the defaults of a kind."""
    return f"<{kind}>"


def defaults_of_kinds(declared: Mapping[str, ColumnOptions], names: Sequence[str]) -> dict[str, ColumnOptions]:
    """The declared defaults by kind; where a column has such a name, the key means that column."""
    return {
        options.kind: options
        for key, options in declared.items()
        if key == defaults_key(options.kind) and key not in names
    }


def with_defaults(
    options: Mapping[str, ColumnOptions], defaults: Mapping[str, ColumnOptions]
) -> dict[str, ColumnOptions]:
    """The options by column, with the defaults of its kind where its own options were not written."""
    return {
        name: _merged(name, defaults[own.kind], own) if own.kind in defaults else own for name, own in options.items()
    }


def _merged(name: str, default: ColumnOptions, own: ColumnOptions) -> ColumnOptions:
    written = {key: getattr(options, key) for options in (default, own) for key in sorted(options.model_fields_set)}
    try:
        return type(own).model_validate(written)
    except ValidationError as error:
        raise UsageError(_do_not_fit(name, own.kind, error)) from error


def _do_not_fit(name: str, kind: str, error: ValidationError) -> Problem:
    said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    key = defaults_key(kind)
    message = f"the options of column `{escape(name)}` and the defaults `{key}` do not go together: {said}"
    return Problem(
        "BP108", message, hints=("write all options that belong together at one place",), key=("columns", key)
    )
