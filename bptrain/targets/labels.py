"""Labels of a classification target: which spellings are the same class, their order, and their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.errors import DataError, Problem
from bptrain.table import values
from bptrain.table.chunks import text_array
from bptrain.table.frame import Frame
from bptrain.text import escape


def learn_labels(frame: Frame, name: str) -> tuple[str, ...]:
    """The classes of a column in order: by number if all are numbers, else by text.

    Each class is spelled as the data spells it (`1` and `1.0` are one class: the shorter spelling stands).
    """
    spellings = pc.unique(frame.texts(name).drop_null()).to_pylist()
    by_key: dict[str, str] = {}
    for spelling in sorted(spellings, key=lambda text: (len(text), text), reverse=True):
        by_key[label_key(spelling)] = spelling
    return tuple(by_key[key] for key in sorted(by_key, key=_sort_key(by_key)))


def label_key(spelling: str) -> str:
    """What makes two spellings one class: `1`, `1.0` and `1.00` are `1`; other text is itself."""
    head, point, tail = spelling.partition(".")
    return head if point and not tail.strip("0") and head.lstrip("+-").isdigit() else spelling


def codes_of(texts: pa.ChunkedArray, labels: Sequence[str]) -> np.ndarray:
    """Codes (n_rows,) int64 of each text in `labels`; -1 for missing or any other text."""
    keys = text_array([label_key(label) for label in labels])
    canonical = pc.replace_substring_regex(texts, r"^([+-]?\d+)\.0*$", r"\1")
    positions, _ = values.numbers(pc.index_in(canonical, value_set=keys))
    return np.where(np.isnan(positions), -1, positions).astype(np.int64)


def encode(frame: Frame, name: str, labels: Sequence[str]) -> np.ndarray:
    """Codes (n_rows,) int64 of a target column. Raises DataError for a label that training rows never showed."""
    codes = codes_of(frame.texts(name), labels)
    unknown = codes < 0
    if unknown.any():
        shown = ", ".join(f"`{escape(label)}`" for label in labels[:10])
        raise DataError(
            Problem(
                "BP264",
                f"target `{name}` has {int(unknown.sum())} rows whose label is not among those of the training rows: "
                f"{frame.examples(name, unknown)}",
                where=frame.where(int(np.flatnonzero(unknown)[0])),
                hints=(f"the model knows {shown}", "remove these rows, or train with rows of every label"),
            )
        )
    return codes


def shares(codes: np.ndarray, n_labels: int) -> tuple[float, ...]:
    """Share of each class among the rows."""
    counts = np.bincount(codes, minlength=n_labels)
    return tuple(float(share) for share in counts / counts.sum())


def take_labels(labels: Sequence[str], codes: np.ndarray) -> pa.Array:
    """The labels (n_rows,) that `codes` stand for."""
    return pa.array(labels, pa.string()).take(pa.array(codes))


def _sort_key(keys: dict[str, str]):  # type: ignore[no-untyped-def]
    try:
        values = {key: float(key) for key in keys}
    except ValueError:
        return lambda key: key
    return values.__getitem__
