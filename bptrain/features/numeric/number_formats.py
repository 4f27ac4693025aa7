"""Numbers written with units or thousands separators: reading them, and finding columns that are written so."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame, parse_numbers
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import Problem
from bptrain.features.numeric.options import NumericOptions, Thousands
from bptrain.messages import features as messages
from bptrain.utils.text import shorten, yaml_name

N_LOOKED_AT = 1000  # distinct cells from which formats are guessed; all cells then decide
UNITS = ("$", "€", "£", "¥", "₹", "%", "USD", "EUR", "GBP", "CHF", "kg", "lbs", "km", "cm", "mm", "mph", "°C", "°F")
THOUSANDS: tuple[Thousands, ...] = get_args(Thousands)
DECIMAL_COMMA = r"^[+-]?([$€£¥₹] ?)?[\d.]*,\d+( ?[$€£¥₹%])?$"
# What may stand for a separator: tables written by people have typographic spaces and apostrophes.
_SPELLINGS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}


def read_numbers(frame: Frame, name: str, options: NumericOptions) -> tuple[np.ndarray, np.ndarray, int]:
    """As `Frame.numbers`, without `unit` and `thousands`, and the number of cells that are numbers because of that."""
    kind = frame.type_of(name)
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if (options.unit is None and options.thousands is None) or not is_text:
        return *frame.numbers(name), 0
    texts = frame.texts(name)
    plain = without_format(texts, options, decimal=frame.decimal)
    numbers, bad = parse_numbers(plain, decimal=frame.decimal)
    changed = pc.indices_nonzero(pc.not_equal(plain, texts))
    return numbers, bad, int(np.count_nonzero(~bad[np.from_dlpack(changed)])) if len(changed) else 0


def without_format(texts: pa.ChunkedArray, options: NumericOptions, *, decimal: str) -> pa.ChunkedArray:
    """The cells (n,) without unit and thousands separators; a cell that is not grouped by threes keeps these."""
    if options.unit is not None:  # removed once, at the beginning (also behind a sign) or else at the end
        unit = re.escape(options.unit.strip())
        begins = rf"^\s*([+-]?)\s*{unit}\s*"
        at_end = pc.replace_substring_regex(texts, rf"\s*{unit}\s*$", "")
        at_start = pc.replace_substring_regex(texts, begins, r"\1", max_replacements=1)
        texts = pc.if_else(pc.match_substring_regex(texts, begins), at_start, at_end)
    if options.thousands is not None:
        marks = f"[{re.escape(_SPELLINGS.get(options.thousands, options.thousands))}]"
        pattern = rf"^\s*[+-]?[0-9]{{1,3}}({marks}[0-9]{{3}})+({re.escape(decimal)}[0-9]*)?\s*$"
        grouped = pc.match_substring_regex(texts, pattern)
        texts = pc.if_else(grouped, pc.replace_substring_regex(texts, marks, ""), texts)
    return texts


def suspect_numbers(frame: Frame, name: str) -> Problem | None:
    """The warning for a column of labels of which nearly all look like numbers with a unit or other separators."""
    texts = frame.texts(name).drop_null()
    options = infer_format(frame, name)
    if options is not None:
        words = []
        if options.unit is not None:
            is_currency = options.unit in "$€£¥₹"
            words.append("a percent sign" if options.unit == "%" else "a currency sign" if is_currency else "a unit")
        if options.thousands is not None:
            words.append("thousands separators")
        what, fitting = f"numbers with {' and '.join(words)}", pc.match_substring_regex(texts, r"[^0-9+-]")
        hint = declaration(name, options)
    else:
        what, fitting = "numbers with a decimal comma", pc.match_substring_regex(texts, DECIMAL_COMMA)
        hint = 'set `data.decimal: ","`'
        if not len(texts) or pc.sum(fitting).as_py() < NEARLY_ALL * len(texts):
            return None
    return messages.LOOKS_LIKE(
        name=name,
        what=what,
        example=shorten(texts.filter(fitting)[0].as_py()),
        where=frame.where(int(np.flatnonzero(~frame.is_missing(name))[0])),
        hints=(f"{hint}, or declare the column's kind under `columns` if this is meant",),
    )


def infer_format(frame: Frame, name: str) -> NumericOptions | None:
    """The `unit` and `thousands` with which nearly all cells of a text column are numbers, where they are not without.

    None where no such options help, or none are needed. Fewest come first, and only those that stand in some cell.
    """
    different = frame.texts(name).drop_null().unique().slice(0, N_LOOKED_AT)
    sample = Frame(pa.table({name: different.cast(pa.string())}), np.arange(len(different)), decimal=frame.decimal)
    cells = different.to_pylist()
    everything = "\n".join(cells)
    units = [unit for unit in UNITS if unit in everything and any(_has_unit(cell, unit) for cell in cells)]
    thousands = [mark for mark in THOUSANDS if mark != frame.decimal and any(mark in cell.strip() for cell in cells)]
    for unit in [None, *units]:
        for mark in [None, *thousands]:
            options = NumericOptions(unit=unit, thousands=mark)
            if (unit or mark) and all(_share_of_numbers(some, name, options) >= NEARLY_ALL for some in (sample, frame)):
                return options
    return None


def declaration(name: str, options: NumericOptions) -> str:
    """What to write in a config for a column: "write `columns: {price: {kind: numeric, unit: "$"}}`"."""
    given = {"unit": options.unit, "thousands": options.thousands}
    written = [f'{key}: "{mark}"' for key, mark in given.items() if mark is not None]
    return f"write `columns: {{{yaml_name(name)}: {{{', '.join(['kind: numeric', *written])}}}}}`"


def with_format_hint(problem: Problem, frame: Frame, name: str) -> Problem:
    """The problem of cells that are no numbers, with the options that read them where there are such."""
    options = infer_format(frame, name)
    return problem if options is None else replace(problem, hints=(declaration(name, options), *problem.hints))


def _has_unit(cell: str, unit: str) -> bool:
    bare = cell.strip().lstrip("+-").strip()
    beside = bare.removeprefix(unit) if bare.startswith(unit) else bare.removesuffix(unit)
    return beside != bare and re.fullmatch(r"\s*[+-]?[0-9.,].*", beside) is not None


def _share_of_numbers(frame: Frame, name: str, options: NumericOptions) -> float:
    """Share (0 … 1) of numbers among the present cells; 0 where no cell is a number because of the options."""
    numbers, bad, n_changed = read_numbers(frame, name, options)
    n_read = np.count_nonzero(~np.isnan(numbers))
    return float(n_read / (n_read + np.count_nonzero(bad))) if n_changed else 0.0
