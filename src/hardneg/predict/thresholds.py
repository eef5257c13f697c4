"""Cuts with a stated error: below which probability an item may be called *not* of a class, above which *of* it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.notation import require
from hardneg.predict.predictions import Codes, check_codes, pairs_of
from hardneg.ragged import BoolArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["Cuts", "is_class_threshold", "not_class_threshold"]


@dataclass(frozen=True, eq=False)
class Cuts:
    """One cut for each class.

    Args:
        values: the cuts, shape ``(C,)``; infinite where nothing may be called.
        pooled: whether the class has too few rows for a cut of its own and uses that of all, shape ``(C,)``.
        error: what was asked for.
    """

    values: NDArray[np.float64]
    pooled: BoolArray
    error: float


def not_class_threshold(probabilities: FloatArray, codes: Codes, error: float = 0.02) -> Cuts:
    """For each class the cut below which ``P(c)`` says "not ``c``": of the items of ``c`` it says so of few.

    With ``n`` held-out items of the class the cut is their ``floor(error * (n + 1))``-th lowest ``P(c)``. An item of
    the class drawn like these lies below it with a probability of at most ``error``, whatever the model (split
    conformal: Vovk 2005; Angelopoulos & Bates 2021, arXiv 2107.07511, section 1; class by class: their section 4.2).
    A class with fewer than ``1 / error - 1`` items gets the cut of all classes together, for which the promise holds
    on average over the classes only; with too few of these as well, minus infinity: nothing is called.

    The promise is about the labels. Wrong ones have a low ``P(label)`` and pull the cut down, which is safe and finds
    less; to leave them out, set the codes of what ``label_errors`` suspects to -1.

    Args:
        probabilities: of models that had not seen the label, shape ``(n, C)``; rows of NaN are passed over.
        codes: the labels, -1 for none, or a Ragged.
        error: the greatest share of a class's items that may be called "not" of it.

    >>> rising = np.linspace(0.01, 1, 100, dtype=np.float32)
    >>> cut = not_class_threshold(np.stack([rising, 1 - rising], axis=1), np.zeros(100, np.int64), 0.05)
    >>> cut.values.round(2).tolist(), cut.pooled.tolist()  # the second class has no item
    ([0.05, 0.05], [False, True])
    """
    scores, members = _questions(probabilities, codes, error)
    return _cuts(scores, members, error)


def is_class_threshold(probabilities: FloatArray, codes: Codes, error: float = 0.02) -> Cuts:
    """For each class the cut above which ``P(c)`` says "of ``c``": of the items of other classes it says so of few.

    As ``not_class_threshold``, from the labelled items that are not of the class. Infinity where these are too few.
    """
    scores, members = _questions(probabilities, codes, error)
    found = _cuts(-scores, ~members, error)
    return Cuts(-found.values, found.pooled, error)


def _questions(probabilities: FloatArray, codes: Codes, error: float) -> tuple[NDArray[np.float64], BoolArray]:
    """The scores and members of labelled rows that have a prediction, both of shape ``(m, C)``."""
    require(0 < error < 1, "error", "above 0 and below 1", error)
    codes = check_codes(codes, *probabilities.shape)
    members = np.zeros(probabilities.shape, bool)
    members[pairs_of(codes)] = True
    labelled = codes.lengths() > 0 if isinstance(codes, Ragged) else codes >= 0
    rows = labelled & ~np.isnan(probabilities).any(axis=1)
    return probabilities[rows].astype(np.float64), members[rows]


def _cuts(scores: NDArray[np.float64], members: BoolArray, error: float) -> Cuts:
    own = [_low(scores[members[:, one], one], error) for one in range(scores.shape[1])]
    pooled = np.isneginf(own)
    return Cuts(np.where(pooled, _low(scores[members], error), own), pooled, error)


def _low(scores: NDArray[np.float64], error: float) -> float:
    """The ``floor(error * (n + 1))``-th lowest score, minus infinity where that is none."""
    place = int(error * (len(scores) + 1) + 1e-9)
    return float(np.partition(scores, place - 1)[place - 1]) if place else -np.inf
