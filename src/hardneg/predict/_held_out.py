"""Every row predicted by a model that has not seen its label, as far as that can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hardneg.errors import InputError
from hardneg.parallel import each
from hardneg.predict._extra import one_thread
from hardneg.predict._folds import folds_of, unknown_to_fold
from hardneg.predict.calibration import temperature, tempered
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["Learn", "Outcome", "one_class_each", "several_each"]

Learn = Callable[[IntArray, IntArray], FloatArray]


class Folding(Protocol):
    """The options that folds need."""

    @property
    def folds(self) -> int:
        """How many folds."""
        ...

    @property
    def calibrate(self) -> bool:
        """Whether a temperature is fitted."""
        ...


@dataclass(frozen=True, eq=False)
class Outcome:
    """Probabilities before (``raw``) and after the temperature, shape ``(n, C)``, and which rows were held out."""

    raw: FloatArray
    probabilities: FloatArray
    held_out: BoolArray
    temperature: float


def one_class_each(
    learn: Learn, codes: IntArray, classes: int, groups: IntArray | None, options: Folding, seed: int
) -> Outcome:
    """The outcome for items of one class each, -1 for unlabelled.

    Raises InputError where fewer than two classes have labels.
    """
    seen = len(np.unique(codes[codes >= 0]))
    if seen < 2:
        raise InputError(
            f"A model needs labels of at least two classes. Got {seen}, on {int((codes >= 0).sum())} items.",
            remedy="Label some items of another class.",
        )
    fold = folds_of(codes, groups, options.folds, seed)
    held_out = (fold >= 0) & ~unknown_to_fold(codes, fold)
    asks = [(np.where(fold == one, -1, codes), held_out & (fold == one)) for one in np.unique(fold[held_out])]
    asks.append((codes, ~held_out))
    raw = np.zeros((len(codes), classes), np.float32)

    def answer(ask: tuple[IntArray, BoolArray]) -> FloatArray:
        taught = np.unique(ask[0][ask[0] >= 0])
        if len(taught) == 1:  # a whole class may stand in one fold, as when it is one group
            return np.tile(np.eye(classes, dtype=np.float32)[taught], (int(ask[1].sum()), 1))
        with one_thread("openmp"):  # a setting of each thread, unlike that of the BLAS
            return learn(ask[0], np.flatnonzero(ask[1]))

    asks = [ask for ask in asks if ask[1].any()]
    for (_, rows), found in zip(asks, each(answer, asks), strict=True):
        raw[rows] = found
    degree = temperature(raw[held_out], codes[held_out]) if options.calibrate else 1.0
    return Outcome(raw, tempered(raw, degree) if options.calibrate else raw, held_out | (codes < 0), degree)


def several_each(
    learn: Learn, codes: Ragged, classes: int, groups: IntArray | None, options: Folding, seed: int
) -> Outcome:
    """The outcome for items of several classes: each class by itself, against all other labelled items.

    A class that none or all of the labelled items have cannot be learnt: it gets 0 or 1.
    """
    labelled = codes.lengths() > 0
    if not labelled.any():
        raise InputError("A model needs labels. None of the items has one.", remedy="Label some items.")
    parts, members = [], codes.inverted(classes)
    for one in range(classes):
        has = np.zeros(len(codes), bool)
        has[members[one]] = True
        binary = np.where(labelled, has, -1).astype(np.int64)
        if has.any() and not has[labelled].all():
            parts.append(one_class_each(learn, binary, 2, groups, options, seed))
        else:
            flat = np.tile(np.array([not has.any(), has.any()], np.float32), (len(codes), 1))
            parts.append(Outcome(flat, flat, np.ones(len(codes), bool), 1.0))
    return Outcome(
        np.stack([part.raw[:, 1] for part in parts], axis=1),
        np.stack([part.probabilities[:, 1] for part in parts], axis=1),
        np.logical_and.reduce([part.held_out for part in parts]),
        float(np.mean([part.temperature for part in parts])),
    )
