"""How labels go wrong, and what a label is worth once that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Noise", "label_noise", "true_class"]

_DRAWN = 20
_USUALLY_WRONG, _FEW = 0.034, 30
_FLOOR = 2e-3  # no class is ever quite ruled out by a model


@dataclass(frozen=True, eq=False)
class Noise:
    """How items of each class come to be labelled.

    Args:
        given: ``P(labelled g | truly c)`` in row ``g`` and column ``c``, shape ``(C, C)``; columns sum to 1.
        share: the share of wrong labels.
        counts: how the surest items of the column's class are labelled, shape ``(C, C)``.
    """

    given: NDArray[np.float64]
    share: float
    counts: IntArray


def label_noise(probabilities: FloatArray, codes: IntArray, share: float = 0.2) -> Noise:
    """How labels go wrong, from how the surest items of each class are labelled ("anchor points").

    Of each class as many items as ``share`` of its labelled ones are taken, those with the highest ``P(c)``
    (Liu & Tao 2016, arXiv 1411.7718; Patrini 2017, arXiv 1609.03683, section 4.3). Counts are few, and the model's own
    mistakes between two classes look like wrong labels; so each column is drawn towards one rate of error for
    all: ``20`` items more are added to each entry's count, spread as that rate says. That rate itself starts from the
    3.4% of wrong labels that ten well-known data sets have on average (Northcutt, Athalye & Mueller 2021, arXiv
    2103.14749), worth 30 items: a handful of sure items without a wrong one does not prove that there is none. The
    confident joint (Northcutt, Jiang & Chuang 2021, JAIR 70), counted over all confident items, takes hard items for
    wrong labels: with 10% of wrong labels planted in CIFAR-10 it finds 20%, and this 12%.

    Args:
        probabilities: of rows whose label the model had not seen, shape ``(n, C)``.
        codes: their labels, from 0, shape ``(n,)``.
        share: which part of a class is sure.

    >>> sure = np.repeat([[0.95, 0.05], [0.05, 0.95]], 100, axis=0).astype(np.float32)
    >>> label_noise(sure, np.repeat([0, 1, 0, 1], [90, 10, 10, 90]), share=1.0).counts.tolist()
    [[90, 10], [10, 90]]
    """
    classes = probabilities.shape[1]
    sizes = np.bincount(codes, minlength=classes)
    counts = np.zeros((classes, classes), np.int64)
    for one in np.flatnonzero(sizes):
        surest = _highest(probabilities[:, one], max(1, round(share * int(sizes[one]))))
        counts[:, one] = np.bincount(codes[surest], minlength=classes)
    found, wrongly = int(counts.sum()), int(counts.sum() - counts.trace())
    wrong = (wrongly + _USUALLY_WRONG * _FEW) / (found + _FEW)
    usual = np.full((classes, classes), wrong / max(1, classes - 1))
    np.fill_diagonal(usual, 1 - wrong)
    more = _DRAWN * classes
    return Noise((counts + more * usual) / (counts.sum(axis=0) + more), wrong, counts)


def _highest(figures: FloatArray, count: int) -> IntArray:
    """The rows of the ``count`` highest figures, in no order; of equal ones the first."""
    least = np.partition(figures, len(figures) - count)[len(figures) - count]
    above = np.flatnonzero(figures > least)
    return np.concatenate([above, np.flatnonzero(figures == least)[: count - len(above)]])


def true_class(probabilities: FloatArray, codes: IntArray, given: NDArray[np.float64]) -> FloatArray:
    """The probability of each class to be the true one, given the prediction and the label, shape ``(n, C)``.

    A model of noisy labels predicts the label, ``p = G t`` with ``G = P(labelled | truly)``; so ``t``, what it says
    of the truth, is ``p`` times the inverse (Patrini 2017, arXiv 1609.03683), kept above a floor. The label then
    counts as a witness whose errors are known (Bayes): ``P(c) ~ t[c] * G[label, c]``. Without a label it is ``t``.

    Args:
        probabilities: of models that had not seen the label, shape ``(n, C)``.
        codes: the labels, -1 for none, shape ``(n,)``.
        given: ``P(labelled g | truly c)``, shape ``(C, C)``.

    >>> noise = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> true_class(np.array([[0.85, 0.15], [0.5, 0.5]], np.float32), np.array([1, 1]), noise).round(2).tolist()
    [[0.62..., 0.37...], [0.10..., 0.89...]]
    """
    truth = probabilities.astype(np.float64) @ np.linalg.pinv(given).T
    truth = np.maximum(truth / truth.sum(axis=1, keepdims=True), _FLOOR)
    witness = np.where(codes[:, None] >= 0, given[codes], 1)
    found = truth * witness
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)
