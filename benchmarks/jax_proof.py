"""Adult and California on both backends: JAX trains to the quality of TensorFlow.

    python benchmarks/jax_proof.py [--tiny]

Fits the shipped configs with three seeds on each backend. Writes benchmarks/jax.md; ends with exit 1 when the mean test
metric of one backend is worse than that of the other by more than the larger spread of the seeds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from statistics import mean

from shared import SMALL, TINY, bptrain, settings, write_page

BACKENDS = ("tensorflow", "jax")
SEEDS = (0,) if TINY else (0, 1, 2)
JOBS = {"california": ("rmse",)} if TINY else {"adult": ("accuracy", "auc"), "california": ("rmse",)}


def main() -> int:
    """Fit, compare, write the page."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for job in JOBS:
            for seed in SEEDS:
                for backend in BACKENDS:
                    figures = _fit(job, backend, seed, Path(folder) / f"{job}-{backend}-{seed}")
                    found.setdefault((job, backend), []).append(figures)
                    print(job, backend, seed, figures, flush=True)
    lines, same = [], True
    for job, metrics in JOBS.items():
        for metric in metrics:
            values = {backend: [each[metric] for each in found[job, backend]] for backend in BACKENDS}
            spread = max(max(each) - min(each) for each in values.values())
            gap = abs(mean(values["tensorflow"]) - mean(values["jax"]))
            same = same and gap <= spread
            for backend, each in values.items():
                seconds = mean(figures["seconds"] for figures in found[job, backend])
                shown = ", ".join(f"{value:.4f}" for value in each)
                lines.append(f"| {job} | {metric} | {backend} | {shown} | {mean(each):.4f} | {seconds:.1f} |")
            lines.append(f"| {job} | {metric} | gap | bound: {spread:.4f} | {gap:.4f} | |")
    page = (
        "# JAX beside TensorFlow\n\n"
        "`make proof-jax`: the shipped configs on both backends, test metrics for seeds 0, 1 and 2. First weights\n"
        "differ between backends; the gap between the means is to be at most the larger spread of the seeds.\n\n"
        "| data | metric | backend | seeds | mean | seconds |\n|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )
    write_page("jax.md", page)
    return 0 if TINY or same else 1


def _fit(job: str, backend: str, seed: int, run: Path) -> dict[str, float]:
    """Test metrics of a fit in a process of its own, and its wall time."""
    chosen = settings(f"seed={seed}", "evaluation.gates=[]", *SMALL)
    variables = {} if TINY and backend == "tensorflow" else {"KERAS_BACKEND": backend}
    _, seconds = bptrain("fit", f"configs/{job}.yaml", "--run", str(run), *chosen, variables=variables)
    (target,) = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["targets"].values()
    values = {name: each["value"] for name, each in target["splits"]["test"]["metrics"].items()}
    return {name: values[name] for name in JOBS[job]} | {"seconds": seconds}


if __name__ == "__main__":
    sys.exit(main())
