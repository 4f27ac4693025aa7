"""Text columns that look like numbers or dates with marks: read as labels, which is seldom what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import NEARLY_ALL, Frame
from bptrain.errors import Problem
from bptrain.features.numeric.cells import read_numbers
from bptrain.features.numeric.options import NumericOptions, Thousands
from bptrain.utils.text import escape, shorten, yaml_name

N_LOOKED_AT = 1000  # distinct cells from which marks are guessed; all cells then decide
UNITS = ("$", "€", "£", "¥", "₹", "%", "USD", "EUR", "GBP", "CHF", "kg", "lbs", "km", "cm", "mm", "mph", "°C", "°F")
THOUSANDS: tuple[Thousands, ...] = get_args(Thousands)


@dataclass(frozen=True)
class Mark:
    """What cells look like, the pattern of the whole cell (RE2), and what the user can do."""

    looks: str
    pattern: str
    remedy: str


MARKS = (
    Mark(  # those of which the kind `date` cannot tell the day from the month, or the year
        "dates",
        r"^(0?[1-9]|1[0-2])[./-](0?[1-9]|1[0-2])[./-]\d{4}$|^\d{1,2}[./-]\d{1,2}[./-]\d{2}$",
        'say which number is the day, for instance `{kind: date, format: "%d/%m/%Y"}` under `columns`',
    ),
    Mark("numbers with a decimal comma", r"^[+-]?([$€£¥₹] ?)?[\d.]*,\d+( ?[$€£¥₹%])?$", 'set `data.decimal: ","`'),
)


def look_alike(frame: Frame, name: str) -> Problem | None:
    """The warning for a column of labels of which nearly all look like marked numbers or dates."""
    texts = frame.texts(name).drop_null()
    options = numeric_options(frame, name)
    if options is not None:
        marked = texts.filter(pc.match_substring_regex(texts, r"[^0-9+-]"))
        return _warning(frame, name, _looks(options), marked, declaration(name, options))
    for mark in MARKS:
        fitting = pc.match_substring_regex(texts, mark.pattern)
        if len(texts) and pc.sum(fitting).as_py() >= NEARLY_ALL * len(texts):
            return _warning(frame, name, mark.looks, texts.filter(fitting), mark.remedy)
    return None


def numeric_options(frame: Frame, name: str) -> NumericOptions | None:
    """The `unit` and `thousands` with which nearly all cells of a text column are numbers, where they are not without.

    None where no marks help, or none are needed.
    """
    distinct = frame.texts(name).drop_null().unique().slice(0, N_LOOKED_AT)
    sample = Frame(pa.table({name: distinct.cast(pa.string())}), np.arange(len(distinct)), decimal=frame.decimal)
    for options in _candidates(distinct.to_pylist(), frame.decimal):
        if _share(sample, name, options) >= NEARLY_ALL and _share(frame, name, options) >= NEARLY_ALL:
            return options
    return None


def declaration(name: str, options: NumericOptions) -> str:
    """What to write in a config for a column: "write `columns: {price: {kind: numeric, unit: "$"}}`"."""
    marks = {"unit": options.unit, "thousands": options.thousands}
    written = [f'{key}: "{mark}"' for key, mark in marks.items() if mark is not None]
    return f"write `columns: {{{yaml_name(name)}: {{{', '.join(['kind: numeric', *written])}}}}}`"


def with_hint(problem: Problem, frame: Frame, name: str) -> Problem:
    """The problem of cells that are no numbers, with the options that read them where there are such."""
    options = numeric_options(frame, name)
    return problem if options is None else replace(problem, hints=(declaration(name, options), *problem.hints))


def _candidates(cells: list[str], decimal: str) -> Iterator[NumericOptions]:
    """Fewest marks first; only those that stand in some cell."""
    everything = "\n".join(cells)
    units = [unit for unit in UNITS if unit in everything and any(_has_unit(cell, unit) for cell in cells)]
    thousands = [mark for mark in THOUSANDS if mark != decimal and any(mark in cell.strip() for cell in cells)]
    for unit in [None, *units]:
        yield from (NumericOptions(unit=unit, thousands=mark) for mark in [None, *thousands] if unit or mark)


def _has_unit(cell: str, unit: str) -> bool:
    bare = cell.strip().lstrip("+-").strip()
    beside = bare.removeprefix(unit) if bare.startswith(unit) else bare.removesuffix(unit)
    return beside != bare and re.fullmatch(r"\s*[+-]?[0-9.,].*", beside) is not None


def _share(frame: Frame, name: str, options: NumericOptions) -> float:
    """Share of numbers among the present cells; 0 where no cell is a number because of the marks."""
    values, bad, n_marked = read_numbers(frame, name, options)
    n_read = np.count_nonzero(~np.isnan(values))
    return float(n_read / (n_read + np.count_nonzero(bad))) if n_marked else 0.0


def _looks(options: NumericOptions) -> str:
    words = []
    if options.unit is not None:
        kind = "a percent sign" if options.unit == "%" else "a currency sign" if options.unit in "$€£¥₹" else "a unit"
        words.append(kind)
    if options.thousands is not None:
        words.append("thousands separators")
    return f"numbers with {' and '.join(words)}"


def _warning(frame: Frame, name: str, looks: str, fitting: pa.ChunkedArray, remedy: str) -> Problem:
    example = escape(shorten(fitting[0].as_py()))
    first = int(np.flatnonzero(~frame.is_missing(name))[0])
    return Problem(
        "BP249",
        f"column `{escape(name)}` holds what looks like {looks}, for instance '{example}', but is not read so",
        where=frame.where(first),
        hints=(f"{remedy}, or declare the column's kind under `columns` if this is meant",),
    )
