"""The examination of a verifier: are two held-out items of one identity?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.accepting import OPERATING, Accepting, curve_of, operating, sorted_trials, weights_of
from hardneg.impact.division import sampled
from hardneg.impact.exam import Answers, Figures, Measure
from hardneg.impact.grades import Graded, graded_accuracy
from hardneg.impact.lesson import Scorer
from hardneg.impact.task import Task
from hardneg.ragged import IntArray, Ragged
from hardneg.verify import all_trials, at_far, eer, min_dcf, sampled_trials

__all__ = ["Verified"]

ITEMS, TRIALS = 2000, 10_000  # beyond these items a sample stands for all; at most so many trials of each kind


class Verified(Accepting):
    """Trials among the items of one part of a task; each identity is a subject."""

    measures: tuple[Measure, ...] = (
        Measure("EER", -1, "equal error rate"),
        Measure("TAR@FAR=0.01", 1, "targets accepted where 1% of the impostors are"),
        Measure("TAR@FAR=0.001", 1, "targets accepted where 0.1% of the impostors are"),
        Measure("minDCF", -1, "least detection cost, 1% targets"),
        *OPERATING,
    )

    def __init__(self, task: Task, rows: IntArray, frozen: Scorer | None, *, seed: int = 0) -> None:
        self.rows = sampled(rows, ITEMS, seed)
        codes = task.codes[self.rows]
        self.subjects = np.unique(codes, return_inverse=True)[1].astype(np.int64)
        self.count = int(self.subjects.max()) + 1
        trials = all_trials(codes)
        if len(trials) > 2 * TRIALS:
            trials = sampled_trials(codes, targets=TRIALS, impostors=TRIALS, seed=seed)
        self.trials = trials
        members = Ragged.from_pairs(codes, np.arange(len(codes)), len(task.names)).take(codes)
        self.friends = members.where(members.values != members.rows())
        self.itself = Ragged.from_codes(np.arange(len(codes), dtype=np.int64))
        self.graded = None
        if frozen is not None:
            self.graded = Graded.of(np.asarray(frozen(self.rows, self.rows)), self.friends, self.itself, seed)

    def answers(self, scorer: Scorer) -> Answers:
        """The trials by score; for each item the one most like it, and whether that is of its identity."""
        scores = np.array(scorer(self.rows, self.rows), np.float32)
        trials = self.trials
        out = sorted_trials(scores[trials.left, trials.right], trials.target, trials.left, trials.right)
        if self.graded is not None:
            out["pairs"] = self.graded.right(scores, np.arange(len(scores)))
        np.fill_diagonal(scores, -np.inf)
        first = scores.argmax(axis=1)
        right = self.friends.contains(np.arange(len(first)), first)
        return {**out, "choice": self.rows[first], "right": right, "unit": right.astype(np.float64)}

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """From the curve of all trials; NaN without targets or impostors."""
        each = weights_of(answers, weights)
        curve = curve_of(answers, each)
        if curve is None:
            return np.full(len(self.measures), np.nan)
        tar = [at_far(curve, far).tar for far in (0.01, 0.001)]
        return np.array([eer(curve), *tar, min_dcf(curve).value, *operating(answers, curve, each)])

    def by_grade(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """How often others of its identity score above an item of another, by the grade of that."""
        return {} if self.graded is None else graded_accuracy(answers["pairs"], self.graded.grade)
