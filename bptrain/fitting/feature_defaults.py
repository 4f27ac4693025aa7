"""What the options of numeric columns leave open, settled by the model."""

from __future__ import annotations

from collections.abc import Mapping

from bptrain.features.kinds import ColumnOptions
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.options import NetworkOptions

BINS = 48
ALL_BINS = 12_000  # of all columns together: wide tables have fewer for each
FEWEST = 4
MANY_COLUMNS = 200  # with more, a number alone is what the network gets of each


def with_learned_features(columns: Mapping[str, ColumnOptions], model: NetworkOptions) -> dict[str, ColumnOptions]:
    """The options of all columns with `scaling`, `clip`, `bins` and `periodic` of numeric ones settled."""
    numeric = [options for options in columns.values() if isinstance(options, NumericOptions)]
    textbook = model.kind == "mlp"
    few = not textbook and len(numeric) <= MANY_COLUMNS
    usual: dict[str, object] = {
        "bins": max(FEWEST, min(BINS, ALL_BINS // len(numeric))) if few and numeric else 0,
        "periodic": few,
    }
    return {name: _settled(options, usual, textbook=textbook) for name, options in columns.items()}


def _settled(options: ColumnOptions, usual: Mapping[str, object], *, textbook: bool) -> ColumnOptions:
    if not isinstance(options, NumericOptions):
        return options
    found = {name: value for name, value in usual.items() if getattr(options, name) == "auto"}
    if options.scaling == "auto":
        found["scaling"] = "standard" if textbook else "robust"
        if not textbook and "clip" not in options.model_fields_set:
            found["clip"] = "smooth"
    return options.model_copy(update=found)
