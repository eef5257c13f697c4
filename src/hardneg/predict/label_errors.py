"""Which labels are likely wrong, and for which class: a hard negative, or an item of the class under another name?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.predict.agreement import pooled
from hardneg.predict.noise import confident_classes, label_noise, true_class
from hardneg.predict.predictions import Codes, Predictions, check_codes
from hardneg.predict.weakness import strength
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["LabelErrors", "Likely", "label_errors"]


class Likely(IntEnum):
    """What an item that is not labelled with a class is to it."""

    NEGATIVE = 0  # its label is right: a hard negative
    UNSURE = 1
    MISLABELLED = 2  # it is of the class


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What held-out predictions say of labels.

    Args:
        suspected: for each item the class that it confidently is of although labelled otherwise, -1 for none, shape
            ``(n,)``. Of several labels, the likeliest one that is missing.
        quality: how much the models believe the label, ``P(label)``, shape ``(n,)``; low is bad. Of several labels,
            the worst of all yes and no. NaN without a label or a held-out prediction.
        true_class: the probability that the true class is ``c``, given the predictions and the label, shape
            ``(n, C)``. NaN where no held-out prediction is.
        mislabelled: from which probability on an item is likely mislabelled.
        negative: below which it is likely a hard negative.
        about: what a manifest says: the noise found, counts, warnings.
    """

    suspected: IntArray
    quality: FloatArray
    true_class: FloatArray
    mislabelled: float
    negative: float
    about: dict[str, object] = field(default_factory=dict)

    def probability(self, rows: IntArray, classes: IntArray) -> FloatArray:
        """The probability that item ``rows[i]`` is truly of class ``classes[i]``, shape ``(len(rows),)``."""
        return np.asarray(self.true_class[rows, classes])

    def judge(self, rows: IntArray, classes: IntArray) -> NDArray[np.int8]:
        """``Likely`` of each (item, class) pair, shape ``(len(rows),)``.

        MISLABELLED from ``mislabelled`` on, NEGATIVE below ``negative``, UNSURE between them, where no held-out
        prediction is, and everywhere if the model is too weak to say.
        """
        found = self.probability(rows, classes)
        out = np.full(len(found), Likely.UNSURE, np.int8)
        if not self.about.get("too_weak"):
            out[found >= self.mislabelled] = Likely.MISLABELLED
            out[found < self.negative] = Likely.NEGATIVE
        return out


def label_errors(
    predictions: Predictions | Sequence[Predictions],
    codes: Codes,
    *,
    mislabelled: float = 0.5,
    negative: float = 0.1,
) -> LabelErrors:
    """Find likely label errors by confident learning (Northcutt, Jiang & Chuang 2021, JAIR 70).

    Several predictions (a logistic regression and the neighbours' votes) are pooled first: they err in different
    ways, and an item of the class has neighbours of the class, while those of a hard negative are mixed.

    Args:
        predictions: of one model, or of several for the same items and classes.
        codes: the labels, -1 for unlabelled; or a Ragged where items may have several. Each class of these is judged
            by itself.
        mislabelled: from which probability of truly being of the class an item is likely mislabelled.
        negative: below which probability it is likely a hard negative.

    Raises:
        InputError: where no labelled item has a held-out prediction, or the predictions differ in shape.
        MissingExtraError: without cleanlab.
    """
    require(0 < negative <= mislabelled < 1, "negative", "above 0 and at most 'mislabelled', below 1", negative)
    views = [predictions] if isinstance(predictions, Predictions) else list(predictions)
    codes = check_codes(codes, len(views[0]) if views else 0, len(views[0].classes) if views else 0)
    one = views[0] if len(views) == 1 else pooled(views, codes)
    if one.independent != isinstance(codes, Ragged):
        raise InputError(
            "Predictions of items with several classes go with a Ragged of codes, others with one code an item.",
            remedy="Predict again from the same codes, or say independent=true where the predictions are read.",
        )
    usable = one.held_out & one.predicted
    found = _several(one, codes, usable) if isinstance(codes, Ragged) else _single(one, codes, usable)
    return LabelErrors(*found[:3], mislabelled, negative, found[3])


_Found = tuple[IntArray, FloatArray, FloatArray, dict[str, object]]


def _single(one: Predictions, codes: IntArray, usable: BoolArray) -> _Found:
    n, count = one.probabilities.shape
    judged = np.flatnonzero(usable & (codes >= 0))
    if not len(judged):
        raise InputError(
            "No labelled item has a prediction of a model that had not seen its label.",
            remedy="Predict with folds, or give held-out predictions.",
        )
    rows, labels = one.probabilities[judged], codes[judged]
    confident, noise = confident_classes(rows, labels), label_noise(rows, labels)
    suspected = np.full(n, -1, np.int64)
    suspected[judged] = np.where(confident != labels, confident, -1)
    quality = np.full(n, np.nan, np.float32)
    quality[judged] = rows[np.arange(len(judged)), labels]
    truth = np.full((n, count), np.nan, np.float32)
    truth[usable] = true_class(one.probabilities[usable], codes[usable], noise.given)
    strong = strength(rows.argmax(axis=1), labels, count)
    about: dict[str, object] = {
        "judged": len(judged),
        "noise": round(noise.share, 6),
        "suspected": int((suspected >= 0).sum()),
        "too_weak": strong.too_weak,
        "verdict": strong.why,
    }
    return suspected, quality, truth, about


def _several(one: Predictions, codes: Ragged, usable: BoolArray) -> _Found:
    """Each class by itself: an item has it or not, and so says its label."""
    n, count = one.probabilities.shape
    usable = usable & (codes.lengths() > 0)
    truth, believed = np.full((n, count), np.nan, np.float32), np.full((n, count), np.nan, np.float32)
    missing = np.zeros((n, count), bool)
    parts = []
    for column in range(count):
        has = codes.contains(np.arange(n), np.full(n, column)).astype(np.int64)
        if len(np.unique(has[usable])) < 2:
            continue  # all of them, or none: nothing to compare with
        yes = one.probabilities[:, column]
        both = Predictions(np.stack([1 - yes, yes], axis=1), one.held_out, ("no", "yes"))
        suspected, quality, odds, about = _single(both, np.where(usable, has, -1), usable)
        truth[:, column], believed[:, column], missing[:, column] = odds[:, 1], quality, suspected == 1
        parts.append(about)
    if not parts:
        raise InputError("No class has held-out predictions of items that have it and of items that have not.")
    best = np.where(missing, truth, -1).argmax(axis=1)
    suspected = np.where(missing.any(axis=1), best, -1).astype(np.int64)
    weak = [bool(part["too_weak"]) for part in parts]
    about = {
        "judged": int(usable.sum()),
        "noise": round(float(np.mean([float(str(part["noise"])) for part in parts])), 6),
        "suspected": int((suspected >= 0).sum()),
        "too_weak": all(weak),
        "weak_classes": sum(weak),
    }
    quality = np.where(np.isnan(believed), np.inf, believed).min(axis=1)
    return suspected, np.where(np.isfinite(quality), quality, np.nan).astype(np.float32), truth, about
