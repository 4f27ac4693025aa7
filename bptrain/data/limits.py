"""Two bounds of numbers in a table, for code that must not load pyarrow, as the config's."""

from __future__ import annotations

LARGEST_NUMBER = (2 - 2**-23) * 2.0**127  # of float32, in which networks compute: what is larger is as good as infinite
NEARLY_ALL = 0.95  # share of numbers among a column's cells from which the others are rather mistakes than labels
