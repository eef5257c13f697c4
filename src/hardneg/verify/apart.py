"""Adaptive score normalisation where the cohort is of the same data, and neither person of a trial is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.progress import Report
from hardneg.ragged import IntArray, Ragged, places
from hardneg.search import Constraints, Engine, Exact, Hits, Unlike
from hardneg.similarity import check_vectors
from hardneg.verify.cohorts import Spread, s_norm
from hardneg.verify.trials import Trials

__all__ = ["Cohort", "as_norm_apart"]

_TRIALS = 4096  # looked at together, so that the memory does not grow with their number


@dataclass(frozen=True, eq=False)
class Cohort:
    """Strangers, several of whom may be one person: vectors, shape ``(c, d)``, and persons, shape ``(c,)``."""

    vectors: Matrix
    persons: IntArray


def as_norm_apart(
    scores: NDArray[Any],
    vectors: Matrix,
    persons: IntArray,
    trials: Trials,
    cohort: Cohort,
    *,
    top: int = 300,
    engine: Engine | None = None,
    report: Report = lambda done, total: None,  # noqa: ARG005 - nobody watches
) -> NDArray[np.float64]:
    """AS-norm as :func:`hardneg.verify.cohorts.as_norm`, where the cohort holds the persons of the trials as well.

    The persons of both sides of a trial are left out of its cohort: with the right one in it a target would be held
    against itself, and with the other in it an impostor.

    Args:
        scores: the cosine of each trial, shape ``(t,)``.
        vectors: shape ``(n, d)``.
        persons: of the rows, whole numbers, shape ``(n,)``.
        trials: pairs of rows.
        cohort: who is held against.
        top: so many of the nearest strangers of a side count.
        engine: looks for them; ``exact`` if not given.
        report: is told how many of the sides are done.

    Raises InputError where a side has fewer than two strangers or scores all alike, OptionError for a ``top`` under 2.

    >>> draw = np.random.default_rng(0)
    >>> faces, who = draw.normal(size=(40, 8)).astype(np.float32), np.arange(40)
    >>> pair = Trials(np.array([0]), np.array([1]), np.array([False]))
    >>> as_norm_apart(np.array([0.0]), faces, who, pair, Cohort(faces, who), top=20)[0] < 0
    np.True_
    """
    require(top >= 2, "top", "at least 2", top)
    vectors = check_vectors(vectors, "trial", rows=len(persons))
    several = int(np.bincount(cohort.persons[cohort.persons >= 0], minlength=1).max())
    free = Constraints(Ragged.empty(len(vectors)), cohort.persons < 0, unlike=(Unlike(persons, cohort.persons),))
    ask = (engine or Exact()).prepare(vectors, cohort.vectors, top + several, "cosine", free)
    sides = []
    for done, (own, other) in enumerate(((trials.left, trials.right), (trials.right, trials.left))):
        mean, deviation = np.empty(len(own)), np.empty(len(own))
        order = np.argsort(own, kind="stable")
        for start in range(0, len(order), _TRIALS):
            some = order[start : start + _TRIALS]
            rows, at = np.unique(own[some], return_inverse=True)
            mean[some], deviation[some] = _moments(ask(rows), at, cohort.persons, persons[other[some]], top)
            report(done * len(trials) + start + len(some), 2 * len(trials))
        sides.append(Spread(mean, deviation))
    if bad := sum(int((~(side.deviation > 0)).sum()) for side in sides):
        raise InputError(
            f"{bad} sides of trials have fewer than two strangers in the cohort, or score them all alike.",
            remedy="Take a larger cohort, or leave the normalisation out.",
        )
    return s_norm(scores, *sides)


def _moments(
    hits: Hits, at: IntArray, persons: IntArray, other: IntArray, top: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of the ``top`` first hits of the rows ``at`` that are not the other person of the trial."""
    lengths = hits.items.lengths()
    cells = hits.items.rows(), places(lengths)
    scores = np.full((len(lengths), int(lengths.max(initial=1))), np.nan)
    who = np.full(scores.shape, -1, np.int64)
    scores[cells], who[cells] = hits.scores, persons[hits.items.values]
    there = ~np.isnan(scores[at]) & ((who[at] != other[:, None]) | (other < 0)[:, None])
    there &= np.cumsum(there, axis=1) <= top
    count = there.sum(axis=1)
    held = np.where(there, scores[at], 0)
    mean = held.sum(axis=1) / np.maximum(count, 1)
    away = np.where(there, held - mean[:, None], 0)
    deviation = np.sqrt((away * away).sum(axis=1) / np.maximum(count, 1))
    return mean, np.where((count >= 2) & (deviation > 1e-10), deviation, np.nan)
