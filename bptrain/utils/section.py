"""The base of every section of the config: frozen, closed and strict."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Contradiction(ValueError):
    """Values that are allowed one by one, but not together; to be raised by the validators of a section.

    >>> Contradiction("`clip_norm` and `clip_value` are both given", "keep one of them").remedy
    'keep one of them'
    """

    def __init__(self, statement: str, remedy: str) -> None:
        super().__init__(statement)
        self.remedy = remedy


class Section(BaseModel):
    """A part of the config. Unknown keys are errors, values are not converted, nothing changes after loading.

    A key that is a word of Python, such as `from`, is the alias of a field.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def values_by_key(self, **usual: object) -> dict[str, object]:
        """The values by the keys that are written for them; where they are `auto`, those that are `usual`."""
        values = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return values | {name: value for name, value in usual.items() if values[name] == "auto"}
