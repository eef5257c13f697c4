"""Scores made comparable: how unusual a score is among those of strangers (Z-, T-, S- and AS-norm)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray, Similarity, check_vectors, prepared

__all__ = ["Spread", "as_norm", "cohort_spread", "s_norm", "t_norm", "z_norm"]

_ROWS, _COHORT = 1024, 4096  # fixed, so that the sums never run in another order


@dataclass(frozen=True, eq=False)
class Spread:
    """The mean and the standard deviation of each vector's scores against a cohort, shape ``(n,)`` each."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def take(self, rows: IntArray) -> Spread:
        """Those of some of the vectors, in the given order: one for each trial."""
        return Spread(self.mean[rows], self.deviation[rows])


def cohort_spread(
    vectors: Matrix,
    cohort: Matrix,
    *,
    similarity: Similarity = "cosine",
    top: int | None = None,
    codes: tuple[IntArray, IntArray] | None = None,
) -> Spread:
    """How each vector scores against a cohort of strangers.

    The deviation is that of the scores themselves (divided by their number, not one less). 1,024 vectors meet 4,096 of
    the cohort at a time, so the memory does not grow with either; with ``top`` it grows with that.

    Args:
        vectors: shape ``(n, d)``.
        cohort: shape ``(c, d)``, of others than those to be compared.
        similarity: as that of the scores to be normalised.
        top: only the so many highest scores of each vector count; all if not given.
        codes: the identities of vectors and cohort, -1 for none: nobody is a stranger to himself.

    Raises InputError where a vector is left with fewer than 2 strangers or scores all of them alike, OptionError for a
    ``top`` under 2.

    >>> strangers = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], np.float32)
    >>> cohort_spread(np.array([[1.0, 0.0]], np.float32), strangers, top=2).mean.tolist()
    [0.5]
    """
    require(top is None or top >= 2, "top", "at least 2", top)
    vectors, cohort = check_vectors(vectors, "trial"), check_vectors(cohort, "cohort")
    if vectors.shape[1] != cohort.shape[1]:
        raise InputError(f"The vectors have {vectors.shape[1]} numbers each, those of the cohort {cohort.shape[1]}.")
    mean, deviation = np.empty(len(vectors)), np.empty(len(vectors))
    for start in range(0, len(vectors), _ROWS):
        part = slice(start, start + _ROWS)
        mine = None if codes is None else (codes[0][part], codes[1])
        mean[part], deviation[part] = _some(vectors[part], cohort, similarity, top, mine)
    bad = np.flatnonzero(~(deviation > 0))
    if len(bad):
        raise InputError(
            f"{len(bad)} of the {len(vectors)} vectors have fewer than 2 strangers in the cohort, or score them all "
            f"alike (first: row {bad[0]}).",
            remedy="Take a larger cohort, of identities that are not in the trials.",
        )
    return Spread(mean, deviation)


def _some(
    vectors: NDArray[Any],
    cohort: Matrix,
    similarity: Similarity,
    top: int | None,
    codes: tuple[IntArray, IntArray] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of some vectors, block after block of the cohort; NaN with fewer than 2 strangers."""
    best = np.zeros((len(vectors), 0))
    count, mean, squares = (np.zeros(len(vectors)) for _ in range(3))
    for start in range(0, len(cohort), _COHORT):
        scores = _scores(vectors, cohort[start : start + _COHORT], similarity)
        if codes is not None:
            theirs = codes[1][start : start + _COHORT]
            scores[(codes[0][:, None] == theirs) & (theirs >= 0)] = -np.inf
        if top is not None:
            best = np.concatenate([best, scores], axis=1)
            if best.shape[1] > top:
                best = -np.partition(-best, top - 1, axis=1)[:, :top]
            continue
        count, mean, squares = _merged((count, mean, squares), _moments(scores))
    if top is not None:
        count, mean, squares = _moments(np.sort(best, axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(squares / count)
    return mean, np.where((count >= 2) & (squares > 1e-20 * count), deviation, np.nan)


Moments = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def _moments(scores: NDArray[np.float64]) -> Moments:
    """The number, the mean and the sum of squared distances from it of each row; minus infinity is no score."""
    there = np.isfinite(scores)
    count = there.sum(axis=1).astype(np.float64)
    mean = np.where(there, scores, 0).sum(axis=1) / np.maximum(count, 1)
    return count, mean, np.where(there, (np.where(there, scores, 0) - mean[:, None]) ** 2, 0).sum(axis=1)


def _merged(one: Moments, two: Moments) -> Moments:
    """Those of both together (Chan, Golub & LeVeque 1979, Updating Formulae, STAN-CS-79-773)."""
    count = one[0] + two[0]
    gap, share = two[1] - one[1], two[0] / np.maximum(count, 1)
    return count, one[1] + gap * share, one[2] + two[2] + gap**2 * one[0] * share


def _scores(left: NDArray[Any], right: NDArray[Any], similarity: Similarity) -> NDArray[np.float64]:
    x, y = (prepared(one, similarity).astype(np.float64) for one in (left, right))
    products = np.asarray(x @ y.T, np.float64)
    if similarity != "euclidean":
        return products
    squared = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * products
    return np.asarray(-np.sqrt(np.maximum(squared, 0)))


def z_norm(scores: NDArray[Any], enrolled: Spread) -> NDArray[np.float64]:
    """Each score by the cohort scores of the enrolled side (zero norm: Li & Porter 1988, ICASSP).

    Args:
        scores: shape ``(n,)``.
        enrolled: one mean and deviation for each score; see :meth:`Spread.take`.

    >>> z_norm(np.array([0.8]), Spread(np.array([0.2]), np.array([0.1]))).round(6).tolist()
    [6.0]
    """
    return np.asarray((np.asarray(scores, np.float64) - enrolled.mean) / enrolled.deviation)


def t_norm(scores: NDArray[Any], test: Spread) -> NDArray[np.float64]:
    """Each score by the cohort scores of the test side (Auckenthaler et al. 2000, Digital Signal Processing 10).

    >>> t_norm(np.array([0.8]), Spread(np.array([0.4]), np.array([0.1]))).round(6).tolist()
    [4.0]
    """
    return z_norm(scores, test)


def s_norm(scores: NDArray[Any], enrolled: Spread, test: Spread) -> NDArray[np.float64]:
    """The mean of both, the same whichever side is which (Kenny 2010, Odyssey).

    With spreads of the ``top`` cohort scores this is the adaptive S-norm, AS-norm1 of Matějka et al. 2017, Interspeech.

    >>> sides = Spread(np.array([0.2]), np.array([0.1])), Spread(np.array([0.4]), np.array([0.1]))
    >>> s_norm(np.array([0.8]), *sides).round(6).tolist()
    [5.0]
    """
    return np.asarray((z_norm(scores, enrolled) + t_norm(scores, test)) / 2)


def as_norm(
    scores: NDArray[Any],
    vectors: Matrix,
    left: IntArray,
    right: IntArray,
    cohort: FloatArray,
    *,
    top: int = 300,
    similarity: Similarity = "cosine",
) -> NDArray[np.float64]:
    """Adaptive S-norm of the scores of rows ``left`` with rows ``right``, against the ``top`` nearest of a cohort.

    200 to 500 of a few thousand do best in Matějka et al. 2017. Raises as :func:`cohort_spread`.

    >>> draw = np.random.default_rng(0)
    >>> strangers, pair = draw.normal(size=(400, 8)).astype(np.float32), np.eye(2, 8, dtype=np.float32)
    >>> as_norm(np.array([0.0]), pair, np.array([0]), np.array([1]), strangers, top=50)[0] < 0
    np.True_
    """
    spread = cohort_spread(vectors, cohort, similarity=similarity, top=top)
    return s_norm(scores, spread.take(left), spread.take(right))
