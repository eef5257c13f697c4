"""How likely each item is of each class, and whether the model that says so had seen the item's label."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Codes
from hardneg.errors import InputError
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["Predictions", "check_codes", "check_probabilities"]

_OFF = 0.01  # how far the sum of a row may be from 1


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities of ``n`` items for ``C`` classes.

    Args:
        probabilities: float32, shape ``(n, C)``. Rows sum to 1 (with ``independent``, each number stands for itself).
            A row of NaN has no prediction.
        held_out: bool, shape ``(n,)``: whether the row comes of a model that did not see this item's label. True for
            unlabelled items. Only such rows may judge a label: a model repeats the labels it has learnt from.
        classes: the classes' names, in the order of the columns.
        independent: whether an item may be of several classes, or of none.
        about: what a manifest says of them: model, folds, accuracy, log loss, calibration error, warnings.

    >>> two = Predictions(np.array([[0.9, 0.1], [0.3, 0.7]], np.float32), np.array([True, True]), ("cat", "dog"))
    >>> two.taken_for().tolist(), two.margin(np.array([1]), np.array([1]), np.array([0, 0])).round(3)
    ([0, 1], array([0.4], dtype=float32))
    """

    probabilities: FloatArray
    held_out: BoolArray
    classes: tuple[str, ...]
    independent: bool = False
    about: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, count = len(self.held_out), len(self.classes)
        if self.probabilities.shape != (n, count):
            raise InputError(
                f"The 'probabilities' must have shape {(n, count)}: a row for each item, a column for each class. "
                f"Got {self.probabilities.shape}."
            )

    def __len__(self) -> int:
        return len(self.held_out)

    @cached_property
    def predicted(self) -> BoolArray:
        """Which rows have a prediction, shape ``(n,)``."""
        return np.asarray(~np.isnan(self.probabilities).any(axis=1))

    def taken_for(self) -> IntArray:
        """The most probable class of each item, shape ``(n,)``; -1 where there is no prediction."""
        safe = np.where(self.predicted[:, None], self.probabilities, 0)
        return np.where(self.predicted, safe.argmax(axis=1), -1).astype(np.int64)

    def of(self, rows: IntArray, classes: IntArray) -> FloatArray:
        """The probability that item ``rows[i]`` is of class ``classes[i]``, shape ``(len(rows),)``."""
        return np.asarray(self.probabilities[rows, classes])

    def margin(self, rows: IntArray, classes: IntArray, codes: Codes) -> FloatArray:
        """``P(classes[i]) - P(the label of rows[i])``, shape ``(len(rows),)``: above 0, the model doubts the label.

        Of several labels the most probable counts. NaN for an item without a label or a prediction.

        Args:
            rows: item numbers.
            classes: class numbers, one for each of ``rows``.
            codes: the labels of all items.
        """
        return np.asarray(self.of(rows, classes) - self._of_label(codes)[rows], np.float32)

    def _of_label(self, codes: Codes) -> FloatArray:
        out = np.full(len(self), np.nan, np.float32)
        labels = Ragged.from_codes(codes)
        rows = labels.rows()
        np.fmax.at(out, rows, self.probabilities[rows, labels.values])
        return out


def check_codes(codes: Codes, rows: int, classes: int) -> Codes:
    """Return the codes (a list becomes an int64 array), or say what is wrong with them.

    Raises InputError for another number of codes than ``rows``, or a code that names no class.

    >>> check_codes(np.array([0, 3]), 2, 3)
    Traceback (most recent call last):
    hardneg.errors.InputError: The 'codes' must be class numbers from 0 to 2, or -1 for no label. Got 3 in row 1.
    """
    if not isinstance(codes, Ragged):
        given = np.asarray(codes)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise InputError(f"The 'codes' must be a list of whole numbers. Got {given.dtype} {given.shape}.")
        codes = given.astype(np.int64, copy=False)
    if len(codes) != rows:
        raise InputError(f"There must be one code for each item: {rows} items, {len(codes)} codes.")
    values = codes.values if isinstance(codes, Ragged) else codes
    low = 0 if isinstance(codes, Ragged) else -1
    bad = np.flatnonzero((values < low) | (values >= classes))
    if len(bad):
        row = codes.rows()[bad[0]] if isinstance(codes, Ragged) else bad[0]
        none = "" if isinstance(codes, Ragged) else ", or -1 for no label"
        raise InputError(
            f"The 'codes' must be class numbers from 0 to {classes - 1}{none}. Got {values[bad[0]]} in row {row}."
        )
    return codes


def check_probabilities(
    values: NDArray[np.generic], classes: int, *, kind: Literal["probabilities", "logits"] = "probabilities",
    independent: bool = False,
) -> FloatArray:  # fmt: skip
    """Return what a model gave as probabilities, float32 of shape ``(n, classes)``, or say what is wrong.

    Logits become probabilities (softmax, or the logistic function with ``independent``). Rows that sum to 1 within 0.01
    are scaled to do so exactly. A row that is NaN throughout has no prediction and stays.

    Raises InputError for another shape, NaN or infinity within a row, numbers outside [0, 1], and rows that do not
    sum to 1; it says how many rows, and the first.

    >>> check_probabilities(np.array([[2.0, -1.0]]), 2)
    Traceback (most recent call last):
    hardneg.errors.InputError: 1 of 1 rows hold numbers outside [0, 1] (first: row 0, -1 to 2). ...
    """
    given = np.asarray(values)
    if given.ndim != 2 or given.shape[1] != classes:
        raise InputError(
            f"The predictions must have shape (n, {classes}), a column for each class. Got {given.shape}.",
            remedy="Give the columns in the order of the classes; none may be left out.",
        )
    wide = given.astype(np.float64)
    absent = np.isnan(wide).all(axis=1)
    _refuse(~np.isfinite(wide).all(axis=1) & ~absent, wide, "hold NaN or infinity", "Predict these again.")
    present = wide[~absent]
    if kind == "logits":
        wide[~absent] = _logistic(present) if independent else softmax(present)
        return wide.astype(np.float32)
    outside = ((wide < -1e-6) | (wide > 1 + 1e-6)).any(axis=1)
    _refuse(outside, wide, "hold numbers outside [0, 1]", "If they are scores before softmax, say so: kind=logits.")
    wide = np.clip(wide, 0, 1)
    if not independent:
        total = wide.sum(axis=1)
        remedy = "If an item may be of several classes, say independent=true; else divide each row by its sum."
        _refuse(np.abs(total - 1) > _OFF, total[:, None], "do not sum to 1", remedy)
        wide /= total[:, None]
    return wide.astype(np.float32)


def _refuse(bad: np.bool | BoolArray, values: NDArray[np.float64], what: str, remedy: str) -> None:
    bad = np.atleast_1d(bad)
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    low, high = np.nanmin(values[rows[0]]), np.nanmax(values[rows[0]])
    found = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    raise InputError(f"{len(rows)} of {len(bad)} rows {what} (first: row {rows[0]}, {found}).", remedy=remedy)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """``exp(z) / sum(exp(z))``, row by row."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _logistic(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
