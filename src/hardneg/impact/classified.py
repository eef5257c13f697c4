"""The examination of a classifier: held-out items get a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.accepting import OPERATING, Accepting, curve_of, operating, sorted_trials, weights_of
from hardneg.impact.division import sampled
from hardneg.impact.exam import Answers, Figures, Measure
from hardneg.impact.grades import graded_accuracy
from hardneg.impact.lesson import Scorer
from hardneg.impact.task import Task
from hardneg.measures import accuracy, confusion, false_positive_rate, macro_f1
from hardneg.predict.predictions import softmax
from hardneg.ragged import IntArray
from hardneg.table import grades

__all__ = ["Classified"]

ITEMS = 5000  # beyond these a sample stands for all


class Classified(Accepting):
    """Items of one part of a task, each with its label; a trial is an item with a class, that it has or has not."""

    measures: tuple[Measure, ...] = (
        Measure("accuracy", 1, "share of items that get their label"),
        Measure("macro F1", 1, "mean of F1 over classes"),
        Measure("false-positive rate", -1, "mean over classes of the share of other items taken for them"),
        *OPERATING,
    )

    def __init__(self, task: Task, rows: IntArray, frozen: Scorer | None, *, seed: int = 0) -> None:
        self.rows = sampled(rows, ITEMS, seed)
        self.true = task.codes[self.rows]
        self.classes = np.arange(len(task.names))
        self.subjects = np.unique(task.parts.lots[self.rows], return_inverse=True)[1].astype(np.int64)
        self.count = int(self.subjects.max()) + 1
        self.grade = None if frozen is None else self._grades(np.asarray(frozen(self.rows, self.classes)))

    def answers(self, scorer: Scorer) -> Answers:
        """The chosen class of each item, and the trials by probability."""
        scores = np.asarray(scorer(self.rows, self.classes), np.float64)
        share = softmax(scores)
        unit = np.repeat(np.arange(len(share)), share.shape[1])
        choice = share.argmax(axis=1)
        trials = sorted_trials(
            share.ravel().astype(np.float32), (self.true[:, None] == self.classes).ravel(), unit, unit
        )
        right = choice == self.true
        return {**trials, "choice": choice, "right": right, "unit": right.astype(np.float64)}

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """Accuracy and the like from the counts, the others from the curve of all trials."""
        counts = confusion(self.true, answers["choice"], len(self.classes), weights)
        each = weights_of(answers, weights)
        curve = curve_of(answers, each)
        more = [float("nan")] * len(OPERATING) if curve is None else operating(answers, curve, each)
        return np.array([accuracy(counts), macro_f1(counts), false_positive_rate(counts), *more])

    def by_grade(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """Accuracy on items whose nearest other class is far from them, near, or nearer than their own."""
        return {} if self.grade is None else graded_accuracy(answers["right"], self.grade)

    def _grades(self, scores: NDArray[np.float32]) -> NDArray[np.uint8]:
        own = scores[np.arange(len(scores)), self.true]
        others = scores.copy()
        others[np.arange(len(scores)), self.true] = -np.inf
        return grades(others.max(axis=1), own)
