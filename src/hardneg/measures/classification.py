"""Decisions between classes: accuracy, macro F1, false-positive rate, from one table of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray

__all__ = ["accuracy", "confusion", "false_positive_rate", "macro_f1"]

Counts = NDArray[np.float64]


def confusion(true: IntArray, predicted: IntArray, classes: int, weights: NDArray[Any] | None = None) -> Counts:
    """How much weight of each true class (rows) was taken for each class (columns), shape ``(classes, classes)``.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    counted = np.bincount(true * classes + predicted, weights, minlength=classes * classes)
    return np.asarray(counted, np.float64).reshape(classes, classes)


def accuracy(counts: Counts) -> float:
    """The share that was taken for what it is; NaN of nothing.

    >>> accuracy(np.array([[1.0, 1.0], [0.0, 2.0]]))
    0.75
    """
    total = counts.sum()
    return float(np.trace(counts) / total) if total > 0 else float("nan")


def macro_f1(counts: Counts) -> float:
    """The mean over classes of ``2 TP / (2 TP + FP + FN)``; a class that is neither there nor predicted is left out.

    As in scikit-learn's ``f1_score(average="macro")``, but for the classes left out there by ``labels``.

    >>> round(macro_f1(np.array([[1.0, 1.0], [0.0, 2.0]])), 4)
    0.7333
    """
    hits = np.diag(counts)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    there = both > 0
    return float(np.mean(2 * hits[there] / both[there])) if there.any() else float("nan")


def false_positive_rate(counts: Counts) -> float:
    """The mean over classes of ``FP / (FP + TN)``: how much of all else is taken for a class.

    >>> false_positive_rate(np.array([[1.0, 1.0], [0.0, 2.0]]))
    0.25
    """
    false = counts.sum(axis=0) - np.diag(counts)
    others = counts.sum() - counts.sum(axis=1)
    there = others > 0
    return float(np.mean(false[there] / others[there])) if there.any() else float("nan")
