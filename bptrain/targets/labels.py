"""Labels of a classification target: which spellings are the same class, their order, and their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.frame import Frame
from bptrain.data.values import text_array
from bptrain.errors import DataError, Problem, UsageError
from bptrain.targets.options import ClassWeights
from bptrain.utils.text import escape, nearest, quote_list


def learn_labels(frame: Frame, name: str) -> tuple[str, ...]:
    """The classes of a column in order: by number if all are numbers, else by text.

    Each class is spelled as the data spells it (`1` and `1.0` are one class: the shortest spelling stands; of spellings
    in upper and lower case that count as one, the most frequent).
    """
    counted = pc.value_counts(frame.texts(name).drop_null())
    spellings, counts = pa.chunked_array([counted.field(0)]), counted.field(1).to_pylist()
    n_cells = counts if frame.ignore_case else [0] * len(counts)
    found = zip(n_cells, spellings.to_pylist(), frame.normalize(spellings).to_pylist(), strict=True)
    by_key = {
        key: text for _, text, key in sorted(found, key=lambda each: (-each[0], len(each[1]), each[1]), reverse=True)
    }
    return tuple(by_key[key] for key in sorted(by_key, key=_sort_key(by_key)))


def codes_of(texts: pa.ChunkedArray, labels: Sequence[str]) -> np.ndarray:
    """Codes (n_rows,) int64 of each text in `labels`, however it is spelled; -1 for missing or any other text."""
    return _positions(values.normalize_labels(texts), values.normalize_labels(pa.chunked_array([text_array(labels)])))


def frame_codes(frame: Frame, name: str, labels: Sequence[str]) -> np.ndarray:
    """As `codes_of`, for a column of `frame` and by its rules."""
    return _positions(frame.labels(name), frame.normalize(pa.chunked_array([text_array(labels)])))


def written_codes(frame: Frame, written: Sequence[str], labels: Sequence[str]) -> list[int]:
    """The codes of labels as a config spells them, by the rules of `frame`; -1 for none of `labels`."""
    both = (frame.normalize(pa.chunked_array([text_array(list(texts))])) for texts in (written, labels))
    codes: list[int] = _positions(*both).tolist()
    return codes


def _positions(keys: pa.ChunkedArray, known: pa.ChunkedArray) -> np.ndarray:
    positions, _ = values.numbers(pc.index_in(keys, value_set=known.combine_chunks()))
    return np.where(np.isnan(positions), -1, positions).astype(np.int64)


def known_codes(frame: Frame, name: str, labels: Sequence[str]) -> np.ndarray:
    """Codes (n_rows,) int64 of a target column. Raises DataError for a label that training rows never showed."""
    codes = frame_codes(frame, name, labels)
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


def shares(codes: np.ndarray, n_labels: int, weight: np.ndarray | None = None) -> tuple[float, ...]:
    """Share of each class among the rows, counted by weight (n_rows,)."""
    counts = np.bincount(codes, weight, minlength=n_labels)
    return tuple(float(share) for share in counts / counts.sum())


def class_weights(
    frame: Frame, codes: np.ndarray, labels: Sequence[str], chosen: ClassWeights, name: str
) -> tuple[float, ...]:
    """How much the rows of each class count in training.

    `balanced` is n / (k * count), as scikit-learn's compute_class_weight. Raises UsageError for a label that the
    training rows do not hold.
    """
    if chosen == "none":
        return (1.0,) * len(labels)
    if isinstance(chosen, str):
        counts = np.bincount(codes, minlength=len(labels))
        return tuple(float(weight) for weight in len(codes) / (len(labels) * counts))
    codes_given = written_codes(frame, list(chosen), labels)
    unknown = [label for label, code in zip(chosen, codes_given, strict=True) if code < 0]
    if unknown:
        raise UsageError(*(_unknown_class(label, labels, name) for label in unknown))
    given = dict(zip(codes_given, chosen.values(), strict=True))
    return tuple(given.get(code, 1.0) for code in range(len(labels)))


def _unknown_class(label: str, labels: Sequence[str], name: str) -> Problem:
    near = nearest(label, labels)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    return Problem(
        "BP167",
        f"`class_weights` of target `{escape(name)}` names the label `{escape(label)}`, which no training row has",
        hints=(*hints, f"labels: {quote_list(labels, last='and', limit=10)}"),
        key=("targets", name, "class_weights"),
    )


def take_labels(labels: Sequence[str], codes: np.ndarray) -> pa.Array:
    """The labels (n_rows,) that `codes` stand for."""
    return pa.array(labels, pa.string()).take(pa.array(codes))


def _sort_key(keys: dict[str, str]):  # type: ignore[no-untyped-def]
    try:
        values = {key: float(key) for key in keys}
    except ValueError:
        return lambda key: key
    return values.__getitem__
