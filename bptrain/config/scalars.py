"""What a plain scalar means: the core rules of YAML 1.2, without the surprises of YAML 1.1."""

from __future__ import annotations

import math
import re

Value = str | int | float | bool | None

NAMED: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf", ".INF", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# A code with leading zeros (`00123`, a zip) is text: as a number it would lose them.
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
OCTAL = re.compile(r"0o[0-7]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")

# Python refuses to spell integers of more than 4300 digits; anything near that is no number a config needs.
MAX_NUMBER_LENGTH = 1000
MAX_INTEGER_BITS = 3000


def resolve(text: str) -> Value:
    """The value of a scalar written without quotes: null, a boolean, a number, or the text itself."""
    if text in NAMED:
        return NAMED[text]
    if len(text) > MAX_NUMBER_LENGTH:
        return text
    if DECIMAL.fullmatch(text):
        return _small_or_text(int(text), text)
    if HEXADECIMAL.fullmatch(text):
        return _small_or_text(int(text[2:], 16), text)
    if OCTAL.fullmatch(text):
        return _small_or_text(int(text[2:], 8), text)
    return float(text) if FLOAT.fullmatch(text) else text


def _small_or_text(value: int, text: str) -> Value:
    return value if value.bit_length() <= MAX_INTEGER_BITS else text
