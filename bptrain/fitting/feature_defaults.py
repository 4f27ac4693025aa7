"""What the options of numeric columns leave open, settled by the model."""

from __future__ import annotations

from collections.abc import Mapping

from bptrain.features.numeric.options import NumericOptions, ResolvedNumericOptions
from bptrain.features.options import ColumnOptions
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
    bins = max(FEWEST, min(BINS, ALL_BINS // len(numeric))) if few and numeric else 0
    scaling = "standard" if textbook else "robust"
    resolved = dict(columns)
    for name, options in columns.items():
        if isinstance(options, NumericOptions):
            clips = options.scaling == "auto" and not textbook and "clip" not in options.model_fields_set
            others = {"clip": "smooth"} if clips else {}
            resolved[name] = ResolvedNumericOptions.resolve(options, scaling=scaling, bins=bins, periodic=few, **others)
    return resolved
