"""How labels go wrong, and what a label is worth once that is known: confident learning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.predict._extra import needs
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Noise", "confident_joint", "label_noise", "true_class"]

_FLOOR = 2e-3  # no class is ever quite ruled out by a model


@dataclass(frozen=True, eq=False)
class Noise:
    """How items of each class come to be labelled.

    Args:
        given: ``P(labelled g | truly c)`` in row ``g`` and column ``c``, shape ``(C, C)``; columns sum to 1.
        share: the share of items whose label is wrong.
        confident: the counts behind it: confidently of the column's class, labelled with the row's, shape ``(C, C)``.
    """

    given: NDArray[np.float64]
    share: float
    confident: IntArray


def confident_joint(probabilities: FloatArray, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Counts of (label, class that the item confidently is of), shape ``(C, C)``, and that class of each row or -1.

    An item is confidently of class ``c`` if ``P(c)`` is at least its mean over the items labelled ``c``; of several
    such classes it is of the most probable (Northcutt, Jiang & Chuang 2021, JAIR 70, section 3.1). Computed by
    cleanlab, whose diagonal is at least 1.

    Args:
        probabilities: of rows whose label the model had not seen, shape ``(n, C)``.
        codes: their labels, from 0, shape ``(n,)``.
    """
    count = needs("cleanlab.count")
    joint = count.compute_confident_joint(codes, probabilities, calibrate=False)
    least = count.get_confident_thresholds(codes, probabilities)
    confident = probabilities >= least - 1e-6  # cleanlab's own slack
    best = np.where(confident, probabilities, -1).argmax(axis=1)
    return np.asarray(joint, np.int64), np.where(confident.any(axis=1), best, -1).astype(np.int64)


def label_noise(joint: IntArray, codes: IntArray) -> Noise:
    """How labels go wrong, from confident counts.

    Counts are few, and a 0 among them does not mean never: ``C`` more items are added to each class, spread as the
    share of wrong labels among all counts says.

    Args:
        joint: confident counts, shape ``(C, C)``.
        codes: the labels of the same rows, by whose frequency the classes are weighted.

    >>> label_noise(np.array([[90, 5], [10, 95]]), np.repeat([0, 1], [95, 105])).given.round(2).tolist()
    [[0.9, 0.05], [0.1, 0.95]]
    """
    classes = len(joint)
    wrong = 1 - joint.trace() / joint.sum()
    usual = np.full((classes, classes), wrong / max(1, classes - 1))
    np.fill_diagonal(usual, 1 - wrong)
    given = (joint + classes * usual) / (joint.sum(axis=0) + classes)
    by_label = np.bincount(codes, minlength=classes) / max(1, len(codes))
    right = (joint.diagonal() + classes * usual.diagonal()) / (joint.sum(axis=1) + classes)
    return Noise(given, float(by_label @ (1 - right)), joint)


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
