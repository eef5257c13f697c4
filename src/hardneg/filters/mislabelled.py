"""A hard negative, or an item of the class under another name? What the label says is not always right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.context import Context
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of
from hardneg.filters._classes import models_of, over_classes, views_of
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Relation, Rows, Verdict

__all__ = ["Mislabelled"]


@dataclass(frozen=True)
class Mislabelled(Filter):
    """Suspects candidates whose label is likely wrong and that are of the anchor's class.

    The figure is the probability that the item is truly of the anchor's class, given its label and what models say
    that had not seen it (Patrini 2017, arXiv 1609.03683). Where the anchor's own label is likely wrong, so are its
    positives, and all its candidates are suspect.

    Items without a label are not judged here; the filter ``unlabelled`` does that. Where a model is too weak to mine
    with, which is said aloud, or nothing was predicted, labels are believed.

    Args:
        models: what predicts, as ``logistic`` or ``knn(k=10)``; several are pooled. Not given: the predictions that
            came with the data, if some were made without the label of what may be mined, else ``logistic`` and ``knn``.
        mislabelled: suspect as mislabelled from this probability on.
        negative: below this probability the label is believed; between the two it is unsure, and suspect too.
    """

    name: ClassVar[str] = "mislabelled"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("likely_mislabelled", Verdict.SUSPECT),
        Rule("unsure", Verdict.SUSPECT),
        Rule("anchor_likely_mislabelled", Verdict.SUSPECT),
    )
    needs_model: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True

    models: tuple[str, ...] | str = ()
    mislabelled: float = 0.5
    negative: float = 0.1

    def __post_init__(self) -> None:
        require(0 < self.mislabelled < 1, "mislabelled", "above 0 and below 1", self.mislabelled)
        require(0 < self.negative <= self.mislabelled, "negative", "above 0 and at most 'mislabelled'", self.negative)
        object.__setattr__(self, "models", models_of(self.models))

    @property
    def evidence(self) -> tuple[str, ...]:
        """The probabilities that the item is of the anchor's class, and that the anchor is of it.

        ``true_class`` is NaN where nobody can say; ``anchor_class`` is 1 there, and for a class as anchor.
        """
        return ("true_class", "anchor_class")

    def gather(self, context: Context) -> Gather:
        """Predict, and weigh what the models say against the labels."""
        classes = context.classes(self.name)
        found = context.label_errors(views_of(context, self.models, self.name), self.name)
        context.notes.setdefault("label_errors", {})[str(self)] = dict(found.about)
        known = np.full(found.true_class.shape, np.nan, np.float32) if found.about.get("too_weak") else found.true_class

        def probability(items: IntArray, of: IntArray) -> FloatArray:
            return np.asarray(known[items, of])

        own = context.positives.own

        def gather(rows: Rows) -> Columns:
            anchors = over_classes(Rows(rows.anchor, own[rows.anchor]), classes, probability)
            sure = (own[rows.anchor] < 0) | np.isnan(anchors)
            return {
                "true_class": over_classes(rows, classes, probability),
                "anchor_class": np.where(sure, np.float32(1), anchors),
            }

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """Compare the probability of the anchor's class with the two bounds."""
        otherwise, found = columns["relation"] == Relation.OTHERWISE, columns["true_class"]
        wrong = 1 - columns["anchor_class"]
        return first_of(
            found.shape,
            (otherwise & (found >= self.mislabelled), found),
            (otherwise & (found >= self.negative), found),
            (wrong > self.mislabelled, wrong),
        )
