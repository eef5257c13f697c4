"""Several held-out parts as one: what was examined of each fold by its own model, put together.

Scores of two models are not on one scale, so trials of different folds never meet: a figure is worked out within each
fold, and the mean over folds counts each by how much of it was asked (Forman & Scholz 2010, SIGKDD Explorations 12(1),
on curves). Of means over units, such as nDCG and accuracy, that is the mean over all of them.

Models of different folds share training data, so figures of different folds are not quite independent; of stable
learners the interval over what was asked holds all the same (Bayle et al. 2020, arXiv:2007.12671). As with a single
part, it is about models trained on these data: what other training data would give is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.exam import Answers, Exam, Figures, Marking
from hardneg.impact.examined import Examined, Trained

__all__ = ["InTurn", "averaged", "pooled"]

_UNITS = ("unit", "choice", "right")  # one value for each unit, in all examinations


class InTurn:
    """The examinations of all folds as one. No subject is in two of them."""

    def __init__(self, exams: Sequence[Exam]) -> None:
        self.exams = exams
        self.measures, self.draws, self.across = exams[0].measures, exams[0].draws, exams[0].across
        self.rows = np.concatenate([one.rows for one in exams])
        self.count = sum(one.count for one in exams)
        before = np.cumsum([0, *(one.count for one in exams)])
        self.subjects = np.concatenate([one.subjects + start for one, start in zip(exams, before, strict=False)])
        self._ends = np.cumsum([len(one.rows) for one in exams])[:-1]

    def joined(self, each: Sequence[Answers]) -> Answers:
        """The answers of each fold, by number and name, and what every unit has in one array."""
        out = {f"{fold}/{name}": one for fold, some in enumerate(each) for name, one in some.items()}
        return out | {name: np.concatenate([some[name] for some in each]) for name in _UNITS}

    def of(self, answers: Mapping[str, NDArray[Any]], fold: int) -> Answers:
        """The answers of one fold."""
        mark = f"{fold}/"
        return {name.removeprefix(mark): one for name, one in answers.items() if name.startswith(mark)}

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """The mean over folds, each counted by the weight of its units; of folds that have the figure."""
        return self._averaged(weights, lambda fold, part: self.exams[fold].figures(self.of(answers, fold), part))

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:
        """The rates at which the curve of every fold can be read."""
        grids = [exam.grid(self.of(answers, fold)) for fold, exam in enumerate(self.exams)]
        return min(grids, key=len)

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:
        """The share found at each rate: the mean over folds likewise."""
        return self._averaged(
            weights, lambda fold, part: self.exams[fold].found_at(self.of(answers, fold), rates, part), len(rates)
        )

    def _averaged(
        self, weights: Figures | None, of: Callable[[int, Figures | None], Figures], size: int | None = None
    ) -> Figures:
        """The mean of what each fold gives; one of which no unit is drawn gives nothing."""
        parts = np.split(np.ones(len(self.rows)) if weights is None else weights, self._ends)
        nothing = np.full(len(self.measures) if size is None else size, np.nan)
        found = [
            of(fold, None if weights is None else part) if part.any() else nothing for fold, part in enumerate(parts)
        ]
        return averaged(found, [float(part.sum()) for part in parts])


def averaged(figures: Sequence[Figures], sizes: Sequence[float]) -> Figures:
    """The mean by size, of those that are known; NaN where none is.

    >>> averaged([np.array([1.0, np.nan]), np.array([4.0, np.nan])], [2, 1]).tolist()
    [2.0, nan]
    """
    found, size = np.stack(figures), np.asarray(sizes, np.float64).reshape(-1, *[1] * np.ndim(figures[0]))
    known = ~np.isnan(found)
    total = (size * known).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, size * found, 0.0).sum(axis=0) / np.where(total > 0, total, np.nan))


def pooled(each: Sequence[tuple[Exam, Trained]]) -> tuple[Marking, Trained]:
    """The examination and the trainings of all folds as one; of a single fold they stay as they are."""
    if len(each) == 1:
        return each[0]
    trained = [one for _, one in each]
    exam = InTurn([one for one, _ in each])

    def joined(lists: Sequence[list[Examined]]) -> list[Examined]:
        return [_together(exam, some) for some in zip(*lists, strict=True)]

    first = trained[0]
    arms = {name: joined([one.arms[name] for one in trained]) for name in first.arms}
    doses = {share: joined([one.doses[share] for one in trained]) for share in first.doses}
    counts = {name: _mean([one.counts[name] for one in trained]) for name in first.counts}
    return exam, Trained(arms, doses, counts)


def _mean(counts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    negatives, filled = zip(*counts, strict=True)
    return round(sum(negatives) / len(counts)), round(sum(filled) / len(counts))


def _together(exam: InTurn, each: Sequence[Examined]) -> Examined:
    """One arm with one seed, of all folds."""
    test = exam.joined([one.test for one in each])
    sizes = [float(len(one.rows)) for one in exam.exams]
    validation, train, grades, course = (
        averaged([getattr(one, part) for one in each], sizes) for part in ("validation", "train", "grades", "course")
    )
    return Examined(test, exam.figures(test), validation, train, grades, course)
