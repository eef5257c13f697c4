"""Several models or views of the same items, pooled into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Codes
from hardneg.errors import InputError
from hardneg.predict.calibration import temperature, tempered
from hardneg.predict.predictions import Predictions, softmax
from hardneg.ragged import Ragged

__all__ = ["pooled"]


def pooled(views: Sequence[Predictions], codes: Codes | None = None) -> Predictions:
    """One prediction of several: the mean of their logarithms, scaled to sum to 1 (a "logarithmic opinion pool").

    A view without a prediction for a row is passed over there. A row is held out only if all that predict it say so.

    Args:
        views: of the same items and classes.
        codes: the labels; with one an item, a temperature is fitted to the held-out rows.

    Raises:
        InputError: for no views, or views of other items or classes.

    >>> sure = Predictions(np.array([[0.9, 0.1]], np.float32), np.array([True]), ("a", "b"))
    >>> unsure = Predictions(np.array([[0.5, 0.5]], np.float32), np.array([True]), ("a", "b"))
    >>> pooled([sure, unsure]).probabilities.round(2)
    array([[0.75, 0.25]], dtype=float32)
    """
    first = check_views(views)
    there = np.stack([view.predicted for view in views])
    spread = _mean_of([_log_odds(view) for view in views], there)
    values = (1 / (1 + np.exp(-spread)) if first.independent else softmax(spread)).astype(np.float32)
    values[~there.any(axis=0)] = np.nan
    held_out = np.logical_and.reduce([view.held_out | ~view.predicted for view in views]) & there.any(axis=0)
    degree = 1.0
    if codes is not None and not isinstance(codes, Ragged) and not first.independent:
        judged = np.flatnonzero(held_out & (codes >= 0))
        degree = temperature(values[judged], codes[judged])
        values = tempered(values, degree)
    about: dict[str, object] = {"model": [view.about.get("model", "given") for view in views], "temperature": degree}
    return Predictions(values, held_out, first.classes, first.independent, about)


def check_views(views: Sequence[Predictions]) -> Predictions:
    """The first of them, if all are of the same number of items, and the same classes in the same order."""
    if not views:
        raise InputError("There must be at least one prediction. Got none.")
    for number, view in enumerate(views):
        if (len(view), view.classes, view.independent) != (len(views[0]), views[0].classes, views[0].independent):
            raise InputError(
                f"The predictions must be of the same items and classes. The first has {len(views[0])} items and "
                f"{len(views[0].classes)} classes; number {number + 1} has {len(view)} and {len(view.classes)}.",
                remedy="Give the classes in the same order, and all with several labels an item or none.",
            )
    return views[0]


def _log_odds(view: Predictions) -> NDArray[np.float64]:
    """What is averaged: ``log p``, or ``log p - log(1 - p)`` where each class is a question of its own."""
    values = np.clip(view.probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(values) - (np.log1p(-values) if view.independent else 0))


def _mean_of(parts: Sequence[NDArray[np.float64]], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    total = sum(np.where(have[:, None], part, 0) for part, have in zip(parts, there, strict=True))
    return np.asarray(total / np.maximum(there.sum(axis=0), 1)[:, None], np.float64)
