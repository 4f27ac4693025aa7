"""What cleaning did, as values that are counted, printed and saved."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Cleaned:
    """One step: what was done to `n` of `of` rows, cells, columns or labels; `column` where it was in one."""

    what: str
    n: int
    of: int
    unit: Literal["rows", "cells", "columns", "labels"]
    column: str = ""

    def to_json(self) -> dict[str, object]:
        return asdict(self)
