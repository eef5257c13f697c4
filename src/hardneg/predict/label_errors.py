"""Which labels are likely wrong, and for which class: a hard negative, or an item of the class under another name?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.predict._doubt import Rule, Suspect, one_label, several_labels
from hardneg.predict.pooled import pooled
from hardneg.predict.predictions import Codes, Predictions, check_codes
from hardneg.ragged import IntArray, Ragged
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
        suspected: for each item the class that it likely is of although labelled otherwise, -1 for none, shape
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
    rule: Rule = "posterior",
) -> LabelErrors:
    """Find likely label errors, and tell them from hard negatives.

    Several predictions (a logistic regression and the neighbours' votes) are pooled first: they err in different
    ways, and an item of the class has neighbours of the class, while those of a hard negative are mixed. How labels
    go wrong is learnt from the surest items of each class (``label_noise``). Prediction and label then give the
    probability of each class to be the true one (``true_class``), and that decides.

    Rule ``confident`` suspects by confident learning instead (Northcutt, Jiang & Chuang 2021, JAIR 70; cleanlab): an
    item whose ``P(c)`` reaches the mean of those labelled ``c``. It does not weigh how sure the model is beyond that:
    with 10% wrong labels planted in CIFAR-10, half of its suspects were hard items with a right label, at a recall
    where of the others one in six was.

    Args:
        predictions: of one model, or of several for the same items and classes.
        codes: the labels, -1 for unlabelled; or a Ragged where items may have several. Each class of these is judged
            by itself.
        mislabelled: from which probability of truly being of the class an item is likely mislabelled.
        negative: below which probability it is likely a hard negative.
        rule: what ``suspected`` goes by; the verdicts of ``judge`` always go by the probability.

    Raises:
        InputError: where no labelled item has a held-out prediction, or the predictions differ in shape.
        MissingExtraError: for rule ``confident`` without cleanlab.
    """
    require(0 < negative <= mislabelled < 1, "negative", "above 0 and at most 'mislabelled', below 1", negative)
    require(rule in get_args(Rule), "rule", f"one of {', '.join(get_args(Rule))}", rule)
    views = [predictions] if isinstance(predictions, Predictions) else list(predictions)
    codes = check_codes(codes, len(views[0]) if views else 0, len(views[0].classes) if views else 0)
    one = views[0] if len(views) == 1 else pooled(views, codes)
    if one.independent != isinstance(codes, Ragged):
        raise InputError(
            "Predictions of items with several classes go with a Ragged of codes, others with one code an item.",
            remedy="Predict again from the same codes, or say independent=true where the predictions are read.",
        )
    usable = one.held_out & one.predicted
    suspect = Suspect(rule, mislabelled)
    found = (
        several_labels(one, codes, usable, suspect)
        if isinstance(codes, Ragged)
        else one_label(one, codes, usable, suspect)
    )
    return LabelErrors(*found[:3], mislabelled, negative, found[3])
