"""Of a pool without labels only what is surely not of the class is a negative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.context import Context
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of
from hardneg.filters._classes import models_of, over_classes, views_of
from hardneg.notation import require
from hardneg.predict import label_errors, member_p_values
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Relation, Rows, Verdict, distinct

__all__ = ["Unlabelled"]


@dataclass(frozen=True)
class Unlabelled(Filter):
    """Suspects unlabelled candidates that may be of the anchor's class.

    The figure is a conformal p-value: the share of the class's own labelled items that a model, which had not seen
    their label, finds as improbable for the class as this item (Vovk, Gammerman & Shafer 2005). Of items of the class
    at most ``error`` are therefore taken for negatives, whatever the model; a weak one only leaves more unsure. Of
    several models all must say so. Labelled items count by how far their label can be believed (``mislabelled``).

    Args:
        error: at most this share of a class's items may pass for negatives of it.
        models: what predicts, as ``logistic``, ``knn`` or ``propagation``. Not given: the predictions that came with
            the data, if they are of all unlabelled items and of some labelled ones, else ``logistic`` and ``knn``.
    """

    name: ClassVar[str] = "unlabelled"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("likely_positive", Verdict.SUSPECT),
        Rule("unsure", Verdict.SUSPECT),
    )
    needs_model: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True

    error: float = 0.02
    models: tuple[str, ...] | str = ()

    def __post_init__(self) -> None:
        require(0 < self.error < 0.5, "error", "above 0 and below 0.5", self.error)
        object.__setattr__(self, "models", models_of(self.models))

    @property
    def evidence(self) -> tuple[str, ...]:
        """``member``: the p-value of being of the anchor's class; ``other``: the largest of any other class."""
        return ("member", "other")

    def gather(self, context: Context) -> Gather:
        """Predict, and compare each unlabelled item with the labelled ones of every class."""
        classes = context.classes(self.name)
        codes = classes.items_of(~context.positives.barred)
        views = views_of(context, self.models, self.name, ~classes.labelled())
        believed = label_errors(views, codes).true_class

        def gather(rows: Rows) -> Columns:
            items, at = distinct(rows.item)
            found = np.max([member_p_values(view, codes, items, believed) for view in views], axis=0)
            best = np.argsort(-found, axis=1, kind="stable")[:, :2]
            top = np.take_along_axis(found, best, axis=1)
            place = np.zeros(len(classes.items), np.int64)
            place[rows.item] = at

            def member(which: IntArray, of: IntArray) -> FloatArray:
                return np.asarray(found[place[which], of])

            def other(which: IntArray, of: IntArray) -> FloatArray:
                if found.shape[1] < 2:
                    return np.zeros(len(which), np.float32)
                return np.asarray(np.where(best[place[which], 0] == of, top[place[which], 1], top[place[which], 0]))

            return {"member": over_classes(rows, classes, member), "other": over_classes(rows, classes, other)}

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """An item whose p-value reaches ``error`` may be of the class; if no other class's does, it likely is."""
        unknown, member = columns["relation"] == Relation.UNKNOWN, np.nan_to_num(columns["member"], nan=1.0)
        maybe = unknown & (member >= self.error)
        return first_of(member.shape, (maybe & (columns["other"] < self.error), member), (maybe, member))
