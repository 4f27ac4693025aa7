"""Labels of a classification target: which spellings are the same class, their order, and their codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame, normalize_labels, parse_numbers, text_array
from bptrain.errors import UsageError
from bptrain.messages import targets as messages
from bptrain.targets.classification.options import ClassWeights
from bptrain.utils.text import nearest, quote_list


def learn_labels(frame: Frame, name: str) -> tuple[str, ...]:
    """The classes of a column in order: by number if all are numbers, else by text.

    Each class is spelled as the data spells it (`1` and `1.0` are one class: the shortest spelling stands; of spellings
    in upper and lower case that count as one, the most frequent).
    """
    counted = pc.value_counts(frame.texts(name).drop_null())
    spellings, counts = pa.chunked_array([counted.field(0)]), counted.field(1).to_pylist()
    n_cells = counts if frame.ignore_case else [0] * len(counts)
    spelled = zip(n_cells, spellings.to_pylist(), frame.normalize(spellings).to_pylist(), strict=True)
    ordered = sorted(spelled, key=lambda cell: (-cell[0], len(cell[1]), cell[1]), reverse=True)
    by_key = {key: text for _, text, key in ordered}  # the last spelling of a class stands
    try:
        numbers = {key: float(key) for key in by_key}
    except ValueError:
        return tuple(by_key[key] for key in sorted(by_key))
    return tuple(by_key[key] for key in sorted(by_key, key=numbers.__getitem__))


def codes_of(texts: pa.Array | pa.ChunkedArray, labels: Sequence[str]) -> np.ndarray:
    """Codes (n_rows,) int64 of each text in `labels`, however it is spelled; -1 for missing or any other text."""
    keys = normalize_labels(texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts]))
    return _positions(keys, normalize_labels(pa.chunked_array([text_array(labels)])))


def frame_codes(frame: Frame, cells: str | Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """As `codes_of` by the rules of `frame`, for one of its columns, or for texts as a config spells them."""
    keys = (
        frame.labels(cells) if isinstance(cells, str) else frame.normalize(pa.chunked_array([text_array(list(cells))]))
    )
    return _positions(keys, frame.normalize(pa.chunked_array([text_array(labels)])))


def _positions(keys: pa.ChunkedArray, known: pa.ChunkedArray) -> np.ndarray:
    positions, _ = parse_numbers(pc.index_in(keys, value_set=known.combine_chunks()))
    return np.where(np.isnan(positions), -1, positions).astype(np.int64)


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
    given = dict(zip(frame_codes(frame, list(chosen), labels).tolist(), chosen.values(), strict=True))
    if -1 in given:
        unknown = [label for label in chosen if frame_codes(frame, [label], labels)[0] < 0]
        raise UsageError(
            *(
                messages.NO_SUCH_CLASS(
                    name=name,
                    label=label,
                    labels=quote_list(labels, last="and", limit=10),
                    hints=(f"did you mean {quote_list(near)}?",) if (near := nearest(label, labels)) else (),
                )
                for label in unknown
            )
        )
    return tuple(given.get(code, 1.0) for code in range(len(labels)))
