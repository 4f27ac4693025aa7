"""The default on made tables with a planted signal, each hard in its own way, beside a constant and a linear model.

    python benchmarks/made.py [NAMES] [--tiny]

Writes benchmarks/made.md; ends with exit 1 where a fit fails or does not beat both baselines.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from shared import SMALL_PRESET, TINY, arguments, bptrain, settings, write_page


@dataclass(frozen=True)
class Made:
    """A table by its maker, the metric that counts, and what the config must say."""

    make: Callable[[np.random.Generator], pd.DataFrame]
    metric: str
    primary: str


def few_rows(rng: np.random.Generator) -> pd.DataFrame:
    """200 rows, six columns."""
    x = rng.normal(size=(200, 6))
    return _frame(x, 2 * x[:, 0] + np.abs(x[:, 1]) + 0.5 * rng.normal(size=200))


def many_columns(rng: np.random.Generator) -> pd.DataFrame:
    """3000 rows, 1500 columns, 12 of which matter, two together."""
    x = rng.normal(size=(3000, 1500))
    y = x[:, :10].sum(axis=1) + np.where(x[:, 10] > 0, 3.0, -3.0) * x[:, 11]
    return _frame(x.round(3), y + rng.normal(size=3000))


def many_levels(rng: np.random.Generator) -> pd.DataFrame:
    """200 000 rows, a column of 50 000 levels, each with an effect of its own."""
    n_rows, effects = 200_000, rng.normal(size=50_000)
    level, x = rng.integers(0, len(effects), n_rows), rng.normal(size=(n_rows, 3))
    y = effects[level] + np.sin(2 * x[:, 0]) + 0.5 * rng.normal(size=n_rows)
    return _frame(x, y).assign(level=[f"k{number}" for number in level])


def missing(rng: np.random.Generator) -> pd.DataFrame:
    """5000 rows, 60 % of the cells missing."""
    x = rng.normal(size=(5000, 12))
    y = x[:, 0] + x[:, 1] ** 2 + x[:, 2] * x[:, 3] + 0.3 * rng.normal(size=5000)
    x[rng.random(x.shape) < 0.6] = np.nan
    return _frame(x, y)


def imbalanced(rng: np.random.Generator) -> pd.DataFrame:
    """60 000 rows, one in 500 positive."""
    x = rng.normal(size=(60_000, 8))
    score = 2 * x[:, 0] + 2 * x[:, 1] * x[:, 2] + 1.5 * np.abs(x[:, 3])
    positive = rng.random(len(x)) < 1 / (1 + np.exp(-2 * (score - np.quantile(score, 0.998))))
    return _frame(x, np.where(positive, "yes", "no"))


def decades(rng: np.random.Generator) -> pd.DataFrame:
    """8000 rows, a target over more than 12 powers of ten."""
    x = rng.normal(size=(8000, 6))
    power = 2.2 * x[:, 0] + 1.2 * np.sin(2 * x[:, 1]) + 0.5 * x[:, 2] * x[:, 3] + 0.2 * rng.normal(size=8000)
    return _frame(x, 10**power)


TABLES = {
    "200 rows": Made(few_rows, "rmse", "rmse"),
    "1500 columns": Made(many_columns, "rmse", "rmse"),
    "50 000 levels": Made(many_levels, "rmse", "rmse"),
    "60 % missing": Made(missing, "rmse", "rmse"),
    "1 in 500, pr_auc": Made(imbalanced, "pr_auc", "pr_auc"),
    "1 in 500, log loss": Made(imbalanced, "log_loss", "log_loss"),
    "12 decades, rmse of log10": Made(decades, "rmse of log10", "rmse"),
}
HIGHER_IS_BETTER = {"pr_auc"}


def _frame(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{number}" for number in range(x.shape[1])]).assign(y=y)


def score(metric: str, truth: Any, predicted: Any) -> float:
    """The metric of predictions: numbers, or probabilities of `yes`."""
    from sklearn.metrics import average_precision_score, log_loss

    if metric == "pr_auc":
        return float(average_precision_score(truth, predicted))
    if metric == "log_loss":
        return float(log_loss(truth, predicted))
    if metric == "rmse of log10":
        return float(np.sqrt(np.mean((np.log10(truth) - np.log10(predicted)) ** 2)))
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def baselines(made: Made, frame: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> tuple[float, float]:
    """A constant, and logistic or ridge regression on one-hot labels, numbers and indicators.

    Of log10 of the target where that is what counts.
    """
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    x, y = frame.drop(columns="y"), frame["y"]
    labels = y.dtype.kind not in "fi"
    y = (y == "yes").astype(int) if labels else np.log10(y) if "log10" in made.metric else y
    prepare = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
        (
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
    )
    model = make_pipeline(prepare, LogisticRegression(max_iter=5000) if labels else Ridge())
    model.fit(x.iloc[train], y.iloc[train])
    predicted = model.predict_proba(x.iloc[test])[:, 1] if labels else model.predict(x.iloc[test])
    constant = np.full(len(test), float(y.iloc[train].mean()))
    metric = "rmse" if "log10" in made.metric else made.metric
    return score(metric, y.iloc[test], constant), score(metric, y.iloc[test], predicted)


def measure(name: str) -> tuple[float, float, float, float]:
    """The default, a constant, the linear model, and the seconds of the fit."""
    made = TABLES[name]
    frame = made.make(np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        frame.to_csv(folder / "t.csv", index=False)
        (folder / "c.yaml").write_text(
            f"data: t.csv\ntarget: y\nevaluation: {{primary: {made.primary}}}\n", encoding="utf-8"
        )
        _, seconds = bptrain("fit", "c.yaml", "--run", "run", "-q", *settings(*SMALL_PRESET), cwd=folder)
        found = pd.read_parquet(folder / "run/predictions.parquet")
    judged = found[found["split"] == "test"]
    labels = "y.probability.yes" in judged
    truth = (judged["y.target"] == "yes").astype(int) if labels else judged["y.target"]
    own = score(made.metric, truth, judged["y.probability.yes" if labels else "y.prediction"])
    test = judged["row"].to_numpy()
    train = np.setdiff1d(np.arange(len(frame)), test)
    return own, *baselines(made, frame, train, test), seconds


def main() -> int:
    lines = [
        "# The default on made tables",
        "",
        "Made by `python benchmarks/made.py`: a fifth of the rows judges. The linear model is logistic or ridge",
        "regression with scikit-learn's defaults, for the last table of the target's logarithm, as is the constant.",
        "",
        "| table | metric | bptrain | constant | linear | seconds | better than both |",
        "|---|---|---|---|---|---|---|",
    ]
    holds = True
    names = arguments() or (["200 rows"] if TINY else list(TABLES))
    for name in names:
        own, constant, line, seconds = measure(name)
        sign = -1 if TABLES[name].metric in HIGHER_IS_BETTER else 1
        better = sign * own < min(sign * constant, sign * line)
        holds = holds and better
        lines.append(
            f"| {name} | {TABLES[name].metric} | {own:.4g} | {constant:.4g} | {line:.4g} | {seconds:.0f} | "
            f"{'yes' if better else 'NO'} |"
        )
        print(lines[-1], flush=True)
    if names == list(TABLES):
        write_page("made.md", "\n".join(lines) + "\n")
    return 0 if TINY or holds else 1


if __name__ == "__main__":
    sys.exit(main())
