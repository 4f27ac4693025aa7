"""`bptrain init`, then `bptrain fit` with nothing edited, on every shipped table.

    python benchmarks/init_proof.py [--tiny]

Writes benchmarks/init.md; ends with exit 1 when a command fails, a kind is wrong in more than 5 % of a table's columns,
or a model does not beat the trivial baseline.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import ROOT, SMALL_PRESET, TINY, bptrain, settings, write_page

sys.path.insert(0, str(ROOT / "tests"))

from right_kinds import FILES, RIGHT_KINDS, TARGETS  # noqa: E402

from bptrain.targets.metrics import METRICS  # noqa: E402

WRONG = 0.05


@dataclass(frozen=True)
class Proof:
    """What one table gave."""

    name: str
    right: int
    total: int
    metric: str
    value: float
    trivial: float
    init_seconds: float
    fit_seconds: float

    @property
    def good(self) -> bool:
        better = self.value > self.trivial if METRICS[self.metric].higher_is_better else self.value < self.trivial
        return better and self.total - self.right <= WRONG * self.total

    def row(self) -> str:
        """A row of the table."""
        return (
            f"| {self.name} | {self.right} / {self.total} | {self.metric} | {self.value:.4g} | {self.trivial:.4g} "
            f"| {self.init_seconds:.1f} | {self.fit_seconds:.0f} |"
        )


def main() -> int:
    """Prove each table, print and write the figures."""
    with tempfile.TemporaryDirectory() as folder:
        proofs = []
        for name in ["telco"] if TINY else TARGETS:
            proofs.append(prove(name, Path(folder)))
            print(proofs[-1].row(), flush=True)
    rows = "\n".join(proof.row() for proof in proofs)
    write_page(
        "init.md",
        "# A first config, fitted unedited\n\n"
        "`make proof-init`: `bptrain init TABLE --target COLUMN -o CONFIG`, then `bptrain fit CONFIG` with nothing "
        "edited;\nthe primary metric on test rows beside the trivial baseline, and the seconds of both commands.\n\n"
        "| table | kinds right | metric | test | trivial | init, s | fit, s |\n|---|---|---|---|---|---|---|\n"
        f"{rows}\n",
    )
    return 0 if TINY or all(proof.good for proof in proofs) else 1


def prove(name: str, folder: Path) -> Proof:
    """Both commands on one table."""
    config, run = folder / f"{name}.yaml", folder / name
    train, *tests = FILES[name]
    target, _ = TARGETS[name]
    options = [word for test in tests for word in ("--test", test)]
    _, init_seconds = bptrain("init", train, "--target", target, *options, "-o", str(config))
    checked, _ = bptrain("check", "--json", str(config))
    found = {column: entry["kind"] for column, entry in json.loads(checked)["columns"].items()}
    metrics, fit_seconds = bptrain("fit", str(config), "--run", str(run), "--json", *settings(*SMALL_PRESET))
    judged: dict[str, Any] = json.loads(metrics)
    metric, test = judged["primary"], judged["targets"][target]["splits"]["test"]
    return Proof(
        name,
        sum(found.get(column) in right for column, right in RIGHT_KINDS[name].items()),
        len(RIGHT_KINDS[name]),
        metric,
        test["metrics"][metric]["value"],
        test["baselines"]["trivial"][metric],
        init_seconds,
        fit_seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
