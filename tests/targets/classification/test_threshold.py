"""The threshold of a binary target: the best one on validation rows, and 0.5 where the gain is luck."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

import bptrain
from bptrain import Run
from bptrain.targets.classification.calibration import choose_threshold, threshold_curve

SCORES: dict[str, Callable[..., float]] = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": lambda truth, predicted, sample_weight: metrics.f1_score(
        truth, predicted, sample_weight=sample_weight, zero_division=0
    ),
}


def rows(seed: int, n_rows: int, *, share: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probability and weight, the probability being right: each row is positive with it."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(2 * share, 2 * (1 - share), n_rows).round(3)
    truth = rng.random(n_rows) < probability
    truth[:2] = [False, True]
    return truth, probability, rng.uniform(0.5, 2.0, n_rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 60), st.sampled_from(sorted(SCORES)))
def test_curve_is_scikit_learns_metric_at_every_threshold(seed: int, n_rows: int, metric: str) -> None:
    truth, probability, weight = rows(seed, n_rows)
    order = np.argsort(-probability, kind="stable")
    thresholds, values = threshold_curve(truth[order], probability[order], weight[order], metric)
    assert len(thresholds) == len(np.unique(probability))
    for threshold, value in zip(thresholds, values, strict=True):
        expected = SCORES[metric](truth, probability >= threshold, sample_weight=weight)
        assert value == pytest.approx(expected, abs=1e-12)


def test_rare_label_lowers_the_threshold_of_f1_and_balanced_accuracy() -> None:
    truth, probability, _ = rows(1, 4000, share=0.1)
    ones = np.ones(4000)
    for metric in ("f1", "balanced_accuracy"):
        threshold = choose_threshold(truth, probability, ones, metric=metric, seed=0)
        assert threshold < 0.4
        gain = SCORES[metric](truth, probability >= threshold, sample_weight=ones) - SCORES[metric](
            truth, probability >= 0.5, sample_weight=ones
        )
        assert gain > 0.02


def test_accuracy_of_right_probabilities_keeps_one_half() -> None:
    found = [choose_threshold(*rows(seed, 500)[:2], np.ones(500), metric="accuracy", seed=0) for seed in range(30)]
    assert np.mean([threshold == 0.5 for threshold in found]) >= 0.8


def test_threshold_is_the_same_for_the_same_seed_and_needs_no_order_of_rows() -> None:
    truth, probability, weight = rows(3, 300, share=0.2)
    order = np.random.default_rng(0).permutation(300)
    first = choose_threshold(truth, probability, weight, metric="f1", seed=4)
    again = choose_threshold(truth[order], probability[order], weight[order], metric="f1", seed=4)
    assert first == pytest.approx(again)


def fit(folder: Path, name: str, **sections: object) -> Run:
    """A run on a table whose label `yes` is rare, judged by F1."""
    path = folder / "rare.csv"
    if not path.exists():
        truth, probability, _ = rows(5, 1500, share=0.15)
        lines = [f"{value},{'yes' if positive else 'no'}" for positive, value in zip(truth, probability, strict=True)]
        path.write_text("x,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    content = {
        "data": "rare.csv",
        "target": "label",
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 20, "batch_size": 32},
    }
    return bptrain.fit({**content, "evaluation": {"primary": "f1"}, **sections}, run=folder / name, root=folder)


@pytest.fixture(scope="module")
def chosen(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("threshold"), "auto")


def threshold_of(run: Run) -> float:
    value: float = run.files.read_json("model/preparer.json")["targets"][0]["state"]["threshold"]
    return value


def test_run_chooses_on_validation_rows_records_and_uses_it(chosen: Run) -> None:
    threshold = threshold_of(chosen)
    assert 0.05 < threshold < 0.45
    assert chosen.metrics["targets"]["label"]["threshold"] == threshold
    predicted = chosen.evaluate(root=chosen.path.parent).predictions
    called = [label == "yes" for label in predicted["label.prediction"].to_pylist()]
    assert called == [value >= threshold for value in predicted["label.probability.yes"].to_pylist()]
    assert chosen.config.targets["label"].threshold == "auto"  # type: ignore[union-attr]


def test_number_is_taken_as_it_is(chosen: Run) -> None:
    folder = chosen.path.parent
    fixed = fit(folder, "fixed", target={"column": "label", "task": "binary", "threshold": 0.8})
    assert threshold_of(fixed) == 0.8
    value = lambda run: run.metrics["targets"]["label"]["splits"]["validation"]["metrics"]["f1"]["value"]  # noqa: E731
    assert value(chosen) > value(fixed)
    assert fixed.lock["results"]["weights"] == chosen.lock["results"]["weights"]


def test_metric_that_does_not_depend_on_it_leaves_one_half(chosen: Run) -> None:
    assert threshold_of(fit(chosen.path.parent, "auc", evaluation={"primary": "auc"})) == 0.5


def test_class_weights_are_not_taken_back(chosen: Run) -> None:
    folder, target = chosen.path.parent, {"column": "label", "task": "binary", "class_weights": "balanced"}
    assert threshold_of(fit(folder, "accurate", target=target, evaluation={"primary": "accuracy"})) == 0.5
    assert fit(folder, "balanced", target=target, evaluation={}).metrics["primary"] == "balanced_accuracy"


def test_test_rows_have_no_say(chosen: Run, tmp_path: Path) -> None:
    lines = (chosen.path.parent / "rare.csv").read_text(encoding="utf-8").splitlines()
    predicted = chosen.evaluate(root=chosen.path.parent).predictions
    test = [
        row
        for row, split in zip(*predicted.select(["row", "split"]).to_pydict().values(), strict=True)
        if split == "test"
    ]
    for row in test[:100]:
        lines[row + 1] = f"0.9{row},{lines[row + 1].split(',')[1]}"
    (tmp_path / "rare.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert threshold_of(fit(tmp_path, "run")) == threshold_of(chosen)
