"""Several models or views of the same items: pooled into one, or asked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.predict.calibration import temperature, tempered
from hardneg.predict.predictions import Codes, Predictions, check_codes
from hardneg.predict.thresholds import is_class_threshold, not_class_threshold
from hardneg.ragged import IntArray, Ragged

__all__ = ["Agreement", "agree", "pooled"]


@dataclass(frozen=True, eq=False)
class Agreement:
    """What several models say of each (item, class) pair.

    Args:
        says: 1 of the class, -1 not of it, 0 unsure; int8, shape ``(n, C)``.
        against: how many say "not", shape ``(n, C)``.
        favour: how many say "of the class", shape ``(n, C)``.
        at_least: how many must.
        error: the bound on the share of a class's items called "not" of it, and of the others called "of" it.
    """

    says: NDArray[np.int8]
    against: NDArray[np.int8]
    favour: NDArray[np.int8]
    at_least: int
    error: float

    def of(self, rows: IntArray, classes: IntArray) -> NDArray[np.int8]:
        """What is said of item ``rows[i]`` and class ``classes[i]``, shape ``(len(rows),)``."""
        return np.asarray(self.says[rows, classes])


def agree(views: Sequence[Predictions], codes: Codes, *, error: float = 0.02, at_least: int | None = None) -> Agreement:
    """Call an item "not of the class", or "of it", only where enough models do; anything else is unsure.

    Each model has cuts of its own for each class, chosen from its held-out rows for ``error``. If ``m`` of ``M``
    models must agree, an item of the class is called "not" with a probability of at most ``M * error / m``: the mean
    number of models that err is ``M * error`` at most (Markov's inequality). That is the ``error`` of the result. A
    model says nothing of a row that it has no prediction for, and an unlabelled row takes part like any other.

    Args:
        views: of the same items and classes.
        codes: the labels, -1 for none, or a Ragged.
        error: of each model.
        at_least: how many models must agree; all of them if None.

    Raises:
        InputError: for no views, or views of other items or classes.
        OptionError: for an ``at_least`` that is no number from 1 to that of the models.
    """
    first = check_views(views)
    need = len(views) if at_least is None else at_least
    require(1 <= need <= len(views), "at_least", f"from 1 to the {len(views)} models", need)
    codes = check_codes(codes, len(first), len(first.classes))
    against, favour = np.zeros((2, *first.probabilities.shape), np.int8)
    for view in views:
        judged = np.where(view.held_out[:, None], view.probabilities, np.float32(np.nan))
        against += view.probabilities < not_class_threshold(judged, codes, error).values
        favour += view.probabilities > is_class_threshold(judged, codes, error).values
    no, yes = against >= need, favour >= need
    says = (yes & ~no).astype(np.int8) - (no & ~yes).astype(np.int8)
    return Agreement(says, against, favour, need, min(1.0, len(views) * error / need))


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
    values = _probabilities(spread, first.independent)
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


def _probabilities(spread: NDArray[np.float64], independent: bool) -> NDArray[np.float32]:
    if independent:
        return (1 / (1 + np.exp(-spread))).astype(np.float32)
    raised = np.exp(spread - spread.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)
