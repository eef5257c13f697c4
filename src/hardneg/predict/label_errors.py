"""Which labels are likely wrong, and for which class: a hard negative, or an item of the class under another name?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hardneg.classes import Codes
from hardneg.errors import InputError
from hardneg.predict.noise import label_noise, true_class
from hardneg.predict.pooled import check_views, pooled
from hardneg.predict.predictions import Predictions, check_codes
from hardneg.predict.weakness import strength
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["LabelErrors", "label_errors"]

_SUSPECTED = 0.5  # what a manifest counts: items that are more likely of another class than not


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What held-out predictions say of labels.

    Args:
        true_class: the probability that the true class is ``c``, given the predictions and the label, shape
            ``(n, C)``. NaN where no held-out prediction is.
        about: what a manifest says: how many labels were judged, the share of wrong ones ("noise"), how many items are
            suspected, and whether the model is too weak to go by it.
    """

    true_class: FloatArray
    about: dict[str, object] = field(default_factory=dict)


def label_errors(predictions: Predictions | Sequence[Predictions], codes: Codes) -> LabelErrors:
    """Find likely label errors, and tell them from hard negatives.

    Several predictions (a logistic regression and the neighbours' votes) are pooled first: they err in different
    ways, and an item of the class has neighbours of the class, while those of a hard negative are mixed. How labels
    go wrong is learnt from the surest items of each class (``label_noise``). Prediction and label then give the
    probability of each class to be the true one (``true_class``).

    Args:
        predictions: of one model, or of several for the same items and classes.
        codes: the labels, -1 for unlabelled; or a Ragged where items may have several. Each class of these is judged
            by itself.

    Raises:
        InputError: where no labelled item has a held-out prediction, or the predictions differ in shape.
    """
    views = [predictions] if isinstance(predictions, Predictions) else list(predictions)
    first = check_views(views)
    codes = check_codes(codes, len(first), len(first.classes))
    one = first if len(views) == 1 else pooled(views, codes)
    if one.independent != isinstance(codes, Ragged):
        raise InputError(
            "Predictions of items with several classes go with a Ragged of codes, others with one code an item.",
            remedy="Predict again from the same codes, or say independent=true where the predictions are read.",
        )
    usable = one.held_out & one.predicted
    return _several_labels(one, codes, usable) if isinstance(codes, Ragged) else _one_label(one, codes, usable)


def _one_label(one: Predictions, codes: IntArray, usable: BoolArray) -> LabelErrors:
    judged = np.flatnonzero(usable & (codes >= 0))
    if not len(judged):
        raise InputError(
            "No labelled item has a prediction of a model that had not seen its label.",
            remedy="Predict with folds, or give held-out predictions.",
        )
    rows, labels = one.probabilities[judged], codes[judged]
    noise = label_noise(rows, labels)
    truth = np.full(one.probabilities.shape, np.nan, np.float32)
    truth[usable] = true_class(one.probabilities[usable], codes[usable], noise.given)
    others = truth[judged]
    others[np.arange(len(judged)), labels] = -1
    strong = strength(rows.argmax(axis=1), labels, len(one.classes))
    about: dict[str, object] = {
        "judged": len(judged),
        "noise": round(noise.share, 6),
        "suspected": int((others.max(axis=1) >= _SUSPECTED).sum()),
        "too_weak": strong.too_weak,
        "verdict": strong.why,
    }
    return LabelErrors(truth, about)


def _several_labels(one: Predictions, codes: Ragged, usable: BoolArray) -> LabelErrors:
    """Each class by itself: an item has it or not, and so says its label."""
    n, count = one.probabilities.shape
    usable = usable & (codes.lengths() > 0)
    truth, suspected = np.full((n, count), np.nan, np.float32), np.zeros(n, bool)
    parts, members = [], codes.inverted(count)
    for column in range(count):
        has = np.zeros(n, np.int64)
        has[members[column]] = 1
        if len(np.unique(has[usable])) < 2:
            continue  # all of them, or none: nothing to compare with
        yes = one.probabilities[:, column]
        both = Predictions(np.stack([1 - yes, yes], axis=1), one.held_out, ("no", "yes"))
        found = _one_label(both, np.where(usable, has, -1), usable)
        truth[:, column] = found.true_class[:, 1]
        suspected |= (has == 0) & (truth[:, column] >= _SUSPECTED)
        parts.append(found.about)
    if not parts:
        raise InputError("No class has held-out predictions of items that have it and of items that have not.")
    weak = [bool(part["too_weak"]) for part in parts]
    about: dict[str, object] = {
        "judged": int(usable.sum()),
        "noise": round(float(np.mean([float(str(part["noise"])) for part in parts])), 6),
        "suspected": int(suspected.sum()),
        "too_weak": all(weak),
        "weak_classes": sum(weak),
    }
    return LabelErrors(truth, about)
