"""Targets with labels: the network gives logits, whose logistic function or softmax are the labels' probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame, positions_array, text_array
from bptrain.errors import DataError, UsageError
from bptrain.messages import targets as messages
from bptrain.targets import metrics
from bptrain.targets.classification import calibration
from bptrain.targets.classification.labels import (
    class_weights,
    codes_of,
    frame_codes,
    learn_labels,
)
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.metrics import METRICS
from bptrain.targets.task import UNREPORTED, Decoded, Head, Json, TargetState, Task
from bptrain.utils.text import quote_list

if TYPE_CHECKING:
    from bptrain.models.presets import Preset

LabelOptions = TypeVar("LabelOptions", BinaryOptions, MulticlassOptions)


@dataclass(frozen=True, kw_only=True)
class ClassificationState(TargetState):
    """The labels in the order of their codes, and what becomes of logits.

    Args:
        shares: of each label among the training rows, by weight.
        temperature: logits are divided by it.
        tunes_temperature: whether validation rows choose it.
        threshold: of two labels, the probability from which the second, the positive one, is predicted; else None.
        threshold_metrics: the metrics for which validation rows choose it; none where the config gives it.
    """

    shares: tuple[float, ...]
    temperature: float
    tunes_temperature: bool
    threshold: float | None = None
    threshold_metrics: tuple[str, ...] = ()

    calibrated = ("temperature", "threshold")

    @property
    def n_outputs(self) -> int:
        return len(self.labels) if self.threshold is None else 1

    def report(self) -> Json:
        positive = None if self.threshold is None else self.labels[1]
        chosen = {"positive": positive, "threshold": self.threshold, "temperature": self.temperature}
        return UNREPORTED | chosen


class ClassificationTask(Task[LabelOptions, ClassificationState]):
    """What two labels and more have in common."""

    state = ClassificationState
    predicts_labels = True
    code_type: type[np.number]  # of what the loss takes as y_true

    def usual_options(self, preset: Preset) -> Json:
        return {} if preset.calibrates else {"temperature": calibration.TEMPERATURE}

    def learned(
        self, frame: Frame, name: str, options: LabelOptions, weight: np.ndarray, labels: tuple[str, ...]
    ) -> ClassificationState:
        """The state of these labels, in the order of their codes, as multiclass has it."""
        codes = frame_codes(frame, name, labels)
        counts = np.bincount(codes, weight, minlength=len(labels))
        temperature = options.temperature if isinstance(options.temperature, float) else None
        return ClassificationState(
            task=self.name,
            loss=options.loss.model_dump(),
            loss_weight=options.loss_weight,
            labels=labels,
            class_weights=class_weights(frame, codes, labels, options.class_weights, name),
            shares=tuple((counts / counts.sum()).tolist()),
            temperature=calibration.TEMPERATURE if temperature is None else temperature,
            # With class weights the best temperature would take back what they say (decision Y2).
            tunes_temperature=temperature is None and options.class_weights == "none",
        )

    def encode(self, state: ClassificationState, frame: Frame, name: str) -> tuple[np.ndarray, pa.Array]:
        codes = frame_codes(frame, name, state.labels)
        unknown = codes < 0
        if unknown.any():
            raise DataError(
                messages.UNKNOWN_LABEL(
                    name=name,
                    n=int(unknown.sum()),
                    examples=frame.examples(name, unknown),
                    labels=", ".join(f"`{label}`" for label in state.labels[:10]),
                    where=frame.where(int(np.flatnonzero(unknown)[0])),
                )
            )
        return codes.astype(self.code_type)[:, None], text_array(state.labels).take(positions_array(codes))

    def decode(self, state: ClassificationState, outputs: np.ndarray) -> Decoded:
        with np.errstate(invalid="ignore"):  # NaN stays NaN, after training that diverged
            logits = outputs.astype(np.float64) / state.temperature
            if state.threshold is None:
                powers = np.exp(logits - logits.max(axis=1, keepdims=True))
                return self.predicted(state, powers / powers.sum(axis=1, keepdims=True))
            positive = np.exp(-np.logaddexp(0.0, -logits[:, 0]))
            return self.predicted(state, np.stack([1.0 - positive, positive], axis=1))

    def baseline(self, state: ClassificationState, n_rows: int) -> Decoded:
        """The shares of the labels among training rows, for every row."""
        return self.predicted(state, np.tile(np.array(state.shares), (n_rows, 1)))

    def predicted(self, state: ClassificationState, probabilities: np.ndarray) -> Decoded:
        """The labels that are predicted by probabilities (n_rows, n_labels)."""
        if state.threshold is None:
            codes = probabilities.argmax(axis=1)
        else:
            codes = (probabilities[:, 1] >= state.threshold).astype(np.int64)
        labels = text_array(state.labels).take(positions_array(codes))
        return Decoded(labels, {label: probabilities[:, code] for code, label in enumerate(state.labels)})

    def calibrate(
        self,
        state: ClassificationState,
        encoded: np.ndarray,
        outputs: np.ndarray,
        weight: np.ndarray,
        *,
        metric: str,
        seed: int,
    ) -> ClassificationState:
        codes, temperature = encoded[:, 0].astype(np.int64), state.temperature
        if state.tunes_temperature:
            logits = outputs if state.threshold is None else np.pad(outputs, ((0, 0), (1, 0)))
            temperature = calibration.choose_temperature(codes, logits, weight)
        threshold = calibration.THRESHOLD if state.threshold_metrics else state.threshold
        state = replace(state, temperature=temperature, threshold=threshold)
        if metric in state.threshold_metrics:
            positive = self.decode(state, outputs).probabilities[state.labels[1]]
            threshold = calibration.choose_threshold(codes > 0, positive, weight, metric=metric, seed=seed)
            state = replace(state, threshold=threshold)
        return state

    def restart(self, state: ClassificationState, frame: Frame, name: str) -> ClassificationState:
        return replace(
            state,
            temperature=calibration.TEMPERATURE if state.tunes_temperature else state.temperature,
            threshold=calibration.THRESHOLD if state.threshold_metrics else state.threshold,
        )

    def measure(
        self, state: ClassificationState, y_true: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
    ) -> dict[str, float]:
        true_codes, codes = codes_of(y_true, state.labels), codes_of(predicted.prediction, state.labels)
        probabilities = np.stack([predicted.probabilities[label] for label in state.labels], axis=1)
        binary = state.threshold is not None
        return {
            name: metrics.label_metric(name, true_codes, codes, probabilities, weight, binary=binary) for name in names
        }

    def label_tables(
        self, state: ClassificationState, y_true: pa.Array, predicted: Decoded, weight: np.ndarray
    ) -> Json:
        """`confusion`: counts of rows, true label down, predicted label across; `per_label`.

        Precision, recall and F1 are 0 where a label was never predicted or never true.
        """
        from sklearn.metrics import precision_recall_fscore_support

        true_codes, codes = codes_of(y_true, state.labels), codes_of(predicted.prediction, state.labels)
        n_labels = len(state.labels)
        confusion = np.bincount(true_codes * n_labels + codes, minlength=n_labels**2).reshape(n_labels, n_labels)
        precision, recall, f1, _ = precision_recall_fscore_support(
            true_codes, codes, labels=np.arange(n_labels), sample_weight=weight, average=None, zero_division=0
        )
        columns = {"n": confusion.sum(axis=1), "precision": precision, "recall": recall, "f1": f1}
        per_label = {
            label: {name: values[code].item() for name, values in columns.items()}
            for code, label in enumerate(state.labels)
        }
        return {"confusion": confusion.tolist(), "per_label": per_label}

    @property
    def head(self) -> Head[ClassificationState]:
        from bptrain.targets.classification import head

        return head


class BinaryTask(ClassificationTask[BinaryOptions]):
    """Two labels: one logit, that of the positive label; y_true is 0 or 1."""

    name = "binary"
    metrics = tuple(name for name, metric in METRICS.items() if "binary" in metric.tasks)
    options = BinaryOptions
    settled = ("positive",)
    code_type = np.float32

    def learn(self, frame: Frame, name: str, options: BinaryOptions, weight: np.ndarray) -> ClassificationState:
        """Labels of the training rows, the positive one last.

        Raises DataError when there are not exactly two, UsageError when the declared positive label is neither of them.
        """
        labels = learn_labels(frame, name)
        if len(labels) != 2:
            message = messages.MORE_THAN_TWO_LABELS if len(labels) > 2 else messages.FEWER_THAN_TWO_LABELS
            quoted = quote_list(labels, last="and", limit=10)
            raise DataError(message(name=name, n=len(labels), labels=quoted))
        if options.positive is not None:
            code = frame_codes(frame, [str(options.positive)], labels)[0]
            if code < 0:
                quoted = quote_list(labels, last="and")
                raise UsageError(messages.NO_SUCH_POSITIVE(name=name, positive=options.positive, labels=quoted))
            labels = (labels[1 - code], labels[code])
        state = self.learned(frame, name, options, weight, labels)
        share = state.shares[1]
        state = replace(state, shares=(1.0 - share, share))
        # With class weights the best threshold for accuracy would take back what they say (decision Y1).
        chosen_for = [
            metric
            for metric in calibration.THRESHOLD_METRICS
            if metric != "accuracy" or options.class_weights == "none"
        ]
        if isinstance(options.threshold, float):
            return replace(state, threshold=options.threshold)
        return replace(state, threshold=calibration.THRESHOLD, threshold_metrics=tuple(chosen_for))


class MulticlassTask(ClassificationTask[MulticlassOptions]):
    """Three labels or more: a logit for each; y_true is a label's number in their order."""

    name = "multiclass"
    metrics = tuple(name for name, metric in METRICS.items() if "multiclass" in metric.tasks)
    options = MulticlassOptions
    many_labels = True
    code_type = np.int32

    def learn(self, frame: Frame, name: str, options: MulticlassOptions, weight: np.ndarray) -> ClassificationState:
        """Labels of the training rows. Raises DataError when there are fewer than two."""
        labels = learn_labels(frame, name)
        if len(labels) < 2:
            raise DataError(messages.ONE_LABEL(name=name))
        return self.learned(frame, name, options, weight, labels)
