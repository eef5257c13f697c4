"""How far probabilities can be believed, and the one number that mends most of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.predict.predictions import softmax
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["calibration_error", "log_loss", "temperature", "tempered"]

_LEAST = 1e-7  # a probability of 0 has no logarithm
_COLDEST, _WARMEST = 0.05, 20.0


def _logs(probabilities: FloatArray) -> NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _LEAST))


def tempered(probabilities: FloatArray, degree: float) -> FloatArray:
    """``softmax(log p / T)`` row by row, shape ``(n, C)``: above 1 flatter, below 1 sharper. The order stays.

    >>> tempered(np.array([[0.8, 0.2]], np.float32), 2.0).round(3)
    array([[0.667, 0.333]], dtype=float32)
    """
    return softmax(_logs(probabilities) / degree).astype(np.float32)


def temperature(probabilities: FloatArray, codes: IntArray) -> float:
    """The temperature with the lowest log loss, between 0.05 and 20 (Guo 2017, arXiv 1706.04599).

    The loss is convex in ``1 / T``, so the place where its slope changes sign is found by halving. 1 where there are
    no rows.

    Args:
        probabilities: shape ``(n, C)``, of models that had not seen the label.
        codes: the label of each row, from 0, shape ``(n,)``.

    >>> sure = np.tile(np.array([[0.9, 0.1]], np.float32), (10, 1))
    >>> round(temperature(sure, np.array([0] * 7 + [1] * 3)), 2)  # right in 7 of 10: too sure
    2.59
    """
    if not len(codes):
        return 1.0
    logs = _logs(probabilities)
    said = logs[np.arange(len(codes)), codes].mean()
    low, high = 1 / _WARMEST, 1 / _COLDEST
    for _ in range(50):
        middle = np.sqrt(low * high)
        expected = (softmax(logs * middle) * logs).sum(axis=1).mean()
        low, high = (middle, high) if expected < said else (low, middle)
    return float(1 / np.sqrt(low * high))


def log_loss(probabilities: FloatArray, codes: IntArray) -> float:
    """The mean of ``-log P(label)``; NaN where there are no rows.

    >>> round(log_loss(np.array([[0.5, 0.5], [1.0, 0.0]], np.float32), np.array([0, 0])), 3)
    0.347
    """
    if not len(codes):
        return float("nan")
    return float(-_logs(probabilities)[np.arange(len(codes)), codes].mean())


def calibration_error(probabilities: FloatArray, codes: IntArray, bins: int = 15) -> float:
    """The expected calibration error: the mean gap between confidence and accuracy (Guo 2017, equation 3).

    Rows are put into ``bins`` equally wide bins by the probability of the class they are taken for. NaN where there
    are no rows.

    >>> calibration_error(np.array([[0.75, 0.25]] * 4, np.float32), np.array([0, 0, 0, 1]))
    0.0
    """
    if not len(codes):
        return float("nan")
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == codes
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(which, confidence - right, minlength=bins)  # count times gap, for each bin
    return float(np.abs(gap).sum() / len(codes))
