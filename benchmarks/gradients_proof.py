"""The gradient of everything that can be configured, as a full product, against central differences.

    python benchmarks/gradients_proof.py [every Nth case] [--tiny]

Writes benchmarks/gradients.md; exit 1 for an error above 1e-7
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import product
from pathlib import Path

from shared import TINY, count, write_page

from bptrain.utils import runtime

runtime.configure()
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from bptrain.models import backend  # noqa: E402

backend.start(threads=2)

from gradients import (  # noqa: E402
    TOLERANCE,
    check,
    column_settings,
    double_precision,
    label,
    make_subject,
    model_settings,
    target_settings,
)

from bptrain.features import kinds  # noqa: E402

PENALTIES = ({}, {"l1": 0.05}, {"l2": 0.1}, {"l1": 0.05, "l2": 0.1})


def main() -> int:
    """Check every nth case of the product and write the page."""
    every = count(1, tiny=1)
    models = [model for penalty in PENALTIES for model in model_settings(**penalty)]
    columns = {kind: column_settings(kind) for kind in kinds.KINDS}
    cases = list(product(models, columns, target_settings()))[::every]
    if TINY:
        cases = cases[:: len(cases) // 3]
    import keras

    started, worst, failed = time.monotonic(), (0.0, ""), []
    with double_precision():
        for number, (model, kind, target) in enumerate(cases, start=1):
            error = check(make_subject(model, columns[kind], [target], seed=number))
            name = f"{label(model)} × {kind} × {label(target)}"
            worst = max(worst, (error, name))
            failed += [name] if error > TOLERANCE else []
            if number % 200 == 0:
                print(f"{number} of {len(cases)}: worst {worst[0]:.2g} ({worst[1]})", flush=True)
                keras.utils.clear_session(free_memory=False)
    write_page("gradients.md", _page(cases, worst, failed, time.monotonic() - started, every))
    return 1 if failed else 0


def _page(cases: list, worst: tuple[float, str], failed: list[str], seconds: float, every: int) -> str:  # type: ignore[type-arg]
    models = len({label(model) + str(model) for model, _, _ in cases})
    kinds_ = Counter(kind for _, kind, _ in cases)
    targets = len({label(target) for _, _, target in cases})
    return "\n".join(
        [
            "# Gradients against central differences, the full product",
            "",
            f"`make proof-gradients`: {models} networks (activation × normalisation × penalties) × {len(kinds_)} kinds",
            f"of column (all their encodings together) × {targets} pairs of task and loss"
            + (f", every {every}th case" if every > 1 else "")
            + ".",
            "",
            f"- {len(cases)} cases in {seconds / 60:.1f} minutes; {len(failed)} above the bound {TOLERANCE:g}.",
            f"- The worst norm-wise relative error is {worst[0]:.2g}: {worst[1]}.",
            *(f"- FAILED: {name}" for name in failed[:20]),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
