"""The probe: a small head on frozen vectors, trained in seconds on a CPU.

Of a contrastive training the state that is best on validation data is kept (see ``stopping.py``); a classifier, whose
loss has one minimum, is trained to the end.
It answers which negatives teach more without training the model itself, as linear probes compare features (Alain &
Bengio 2016, arXiv:1610.01644). Its figures are not those of fine-tuning; the order of the arms is what it is for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from hardneg.errors import InputError
from hardneg.impact.adam import Adam
from hardneg.impact.classifier import gradient, logits
from hardneg.impact.contrastive import Batch, loss_and_gradient, projected
from hardneg.impact.exam import Exam
from hardneg.impact.exams import EXAMS
from hardneg.impact.lesson import Lesson, Scorer
from hardneg.impact.stopping import Best
from hardneg.impact.task import Kind, Task
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray, Matrix

__all__ = ["Probe", "frozen", "prepared"]

_WIDTH = 256  # of vectors that are wider only the principal directions are learnt on
_SAMPLE = 20_000  # vectors that the directions are found on
_RATES: dict[Kind, float] = {"retrieval": 1e-3, "verification": 3e-3, "classification": 3e-2}


@dataclass(frozen=True, eq=False)
class Prepared:
    """The vectors of a task as the probe sees them: of unit length, of at most 256 numbers."""

    anchors: FloatArray
    items: FloatArray


def prepared(task: Task) -> Prepared:
    """Unit vectors, wide ones along their principal directions (not centred, so that cosines stay).

    Raises InputError where the task has no vectors.
    """
    if task.vectors is None:
        raise InputError("The probe needs vectors, and there are none.", remedy="Name an encoder, or give --train.")
    items, anchors = _unit(task.vectors.items), _unit(task.vectors.anchors)
    if items.shape[1] > _WIDTH:
        some = items[task.trainable]
        some = some[:: max(1, len(some) // _SAMPLE)].astype(np.float64)
        directions = np.linalg.eigh(some.T @ some)[1][:, ::-1][:, :_WIDTH].astype(np.float32)
        items, anchors = _unit(items @ directions), _unit(anchors @ directions)
    return Prepared(anchors, items)


def _unit(vectors: Matrix) -> FloatArray:
    rows = np.asarray(vectors[:], np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def frozen(task: Task, seen: Prepared) -> Scorer:
    """The scores before any training: cosines; of a classifier, to the mean of each class's training items."""
    left = seen.anchors if task.kind == "retrieval" else seen.items
    if task.kind != "classification":
        return lambda rows, items: left[rows] @ seen.items[items].T
    sums = np.zeros((len(task.names), left.shape[1]), np.float32)
    np.add.at(sums, task.codes[task.parts.train], left[task.parts.train])
    means = _unit(sums)
    return lambda rows, classes: left[rows] @ means[classes].T


@dataclass(frozen=True)
class Probe:
    """Trains a head: contrastive for retrieval and verification, softmax regression for classification.

    Args:
        rate: of the first step; None for that of the kind (0.001 for retrieval, 0.003 for verification, 0.03 for
            classification).
        temperature: of the contrastive loss.
        decay: of a classifier's weights.
    """

    name: ClassVar[str] = "probe"

    rate: float | None = None
    temperature: float = 0.05
    decay: float = 1e-4
    _seen: list[tuple[Task, Prepared, Exam]] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        require(self.rate is None or self.rate > 0, "rate", "above 0", self.rate)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        require(self.decay >= 0, "decay", "at least 0", self.decay)

    @cached_property
    def key(self) -> str:
        """What decides its results besides the lesson."""
        return f"probe(rate={self.rate}, temperature={self.temperature}, decay={self.decay}, early stopping)"

    def seen(self, task: Task) -> Prepared:
        """The vectors of the task, made ready once; those of the last task alone are kept."""
        return self._ready(task)[0]

    def _ready(self, task: Task) -> tuple[Prepared, Exam]:
        """The vectors, and the examination that is stopped by."""
        if not self._seen or self._seen[0][0] is not task:
            self._seen[:] = [(task, prepared(task), EXAMS[task.kind](task, task.parts.validation, None))]
        return self._seen[0][1:]

    def train(self, lesson: Lesson) -> Scorer:
        """Learn a lesson; one thread, so that sums are added in the same order everywhere."""
        with threadpool_limits(1):
            return self._classifier(lesson) if lesson.task.kind == "classification" else self._contrast(lesson)

    def _rate(self, kind: Kind) -> float:
        return _RATES[kind] if self.rate is None else self.rate

    def _contrast(self, lesson: Lesson) -> Scorer:
        task, (seen, exam) = lesson.task, self._ready(lesson.task)
        left, right = (seen.anchors if task.kind == "retrieval" else seen.items), seen.items
        layer = np.zeros((right.shape[1], right.shape[1]), np.float32)
        adam = Adam(layer, self._rate(task.kind), lesson.budget.total)
        best = Best(exam, lesson.budget.total, lambda weights: _cosines(left, right, weights))
        for number, step in enumerate(lesson.steps(), start=1):
            batch = Batch(left[step.anchors], right[step.positives], right[step.negatives], step.hidden)
            adam.step(loss_and_gradient(batch, layer, self.temperature)[1])
            best.see(number, layer)
            lesson.show(number, _cosines(left, right, layer))
        return _cosines(left, right, best.weights)

    def _classifier(self, lesson: Lesson) -> Scorer:
        task, seen = lesson.task, self.seen(lesson.task)
        # Unit vectors have small numbers; of this length a step is as large as for standardised features.
        vectors = seen.items * np.float32(np.sqrt(seen.items.shape[1]) / 4)
        layer = np.zeros((vectors.shape[1] + 1, len(task.names)), np.float32)
        adam = Adam(layer, self._rate(task.kind), lesson.budget.total)

        def scores(rows: IntArray, classes: IntArray) -> FloatArray:
            return logits(vectors[rows], layer)[:, classes]

        for number, rows in enumerate(lesson.draws(), start=1):
            adam.step(gradient(vectors[rows], task.codes[rows], layer, self.decay))
            lesson.show(number, scores)
        return scores


def _cosines(left: FloatArray, right: FloatArray, layer: FloatArray) -> Scorer:
    """Cosines behind the layer. Only what is asked for goes through it; the items that were asked for last are kept."""
    last: list[tuple[IntArray, FloatArray]] = []

    def scores(rows: IntArray, others: IntArray) -> FloatArray:
        with threadpool_limits(1):
            if not last or last[0][0] is not others:
                last[:] = [(others, projected(right[others], layer))]
            return projected(left[rows], layer) @ last[0][1].T

    return scores
