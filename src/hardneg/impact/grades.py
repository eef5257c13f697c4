"""Negatives of an examination by grade: what is learnt of hard ones, what is forgotten of easy ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Grade, grades

__all__ = ["Graded", "graded_accuracy"]

_NEAR, _FAR = 20, 20  # negatives of a query that are looked at: the nearest, and random ones


@dataclass(frozen=True, eq=False)
class Graded:
    """Some negatives of each query, with the grade of each before training. ``-1`` fills up.

    Args:
        relevant: the positives of each query, as columns of the scores.
        negative: columns of the scores, shape ``(queries, 40)``.
        grade: of each, as :class:`hardneg.table.Grade`, -1 where there is none.
    """

    relevant: Ragged
    negative: IntArray
    grade: NDArray[np.int8]

    @classmethod
    def of(cls, scores: FloatArray, relevant: Ragged, hidden: Ragged, seed: int) -> Graded:
        """Choose and grade them by the scores of a model that is not trained, ``(queries, columns)``."""
        taken = np.full((len(scores), _NEAR + _FAR), -1, np.int64)
        for row in range(len(scores)):
            out = np.zeros(scores.shape[1], bool)
            out[relevant[row]] = out[hidden[row]] = True
            free = np.flatnonzero(~out)
            near = free[np.argsort(-scores[row, free], kind="stable")[:_NEAR]]
            far = np.setdiff1d(free, near)
            far = far[np.argsort(random.uniform(seed, np.array(row), far), kind="stable")[:_FAR]]
            both = np.concatenate([near, far])
            taken[row, : len(both)] = both
        at = np.maximum(taken, 0)
        found = grades(np.take_along_axis(scores, at, axis=1), _mean(scores, relevant)[:, None])
        return cls(relevant, taken, np.where(taken < 0, -1, found).astype(np.int8))

    @classmethod
    def concatenated(cls, parts: Sequence[Graded]) -> Graded:
        """All below one another."""
        lists = [part.relevant[row] for part in parts for row in range(len(part.relevant))]
        negative, grade = (np.concatenate([getattr(one, name) for one in parts]) for name in ("negative", "grade"))
        return cls(Ragged.from_lists(lists), negative, grade)

    def right(self, scores: FloatArray, rows: IntArray) -> BoolArray:
        """Whether each negative of these queries scores below the mean of the positives."""
        found = np.take_along_axis(scores, np.maximum(self.negative[rows], 0), axis=1)
        return np.asarray(found < _mean(scores, self.relevant.take(rows))[:, None])


def graded_accuracy(right: BoolArray, grade: NDArray[np.integer[Any]]) -> dict[str, float]:
    """The share of right decisions by the name of the grade; a grade without any is left out.

    >>> graded_accuracy(np.array([True, False]), np.array([0, 2]))
    {'easy': 1.0, 'hard': 0.0}
    """
    out = {one.name.lower(): right[grade == one] for one in Grade}
    return {name: float(found.mean()) for name, found in out.items() if len(found)}


def _mean(scores: FloatArray, relevant: Ragged) -> FloatArray:
    values = scores[relevant.rows(), relevant.values]
    return np.asarray(
        np.bincount(relevant.rows(), values, len(relevant)) / np.maximum(relevant.lengths(), 1), np.float32
    )
