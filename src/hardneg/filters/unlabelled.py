"""Of a pool without labels only what is surely not of the class is a negative."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from hardneg.context import Context
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of
from hardneg.filters._classes import models_of, over_classes, views_of
from hardneg.notation import require
from hardneg.predict import likeness_p_values, member_p_values
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.table import Relation, Rows, Verdict

__all__ = ["Unlabelled"]


@dataclass(frozen=True)
class Unlabelled(Filter):
    """Suspects unlabelled candidates that may be of the anchor's class.

    The figure is a conformal p-value: the share of the class's own labelled items that a model, which had not seen
    their label, finds as improbable for the class as this item (Vovk, Gammerman & Shafer 2005). Of items of the class
    at most ``error`` are therefore taken for negatives, whatever the model; a weak one only leaves more unsure. Of
    several models all must say so. Labelled items count by how far their label can be believed (``mislabelled``).
    Where there is one class only, no model can be trained, and the likeness to its labelled items takes its place.

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
        codes, every = classes.items_of(~context.positives.barred), np.arange(len(classes.items))
        if len(classes.names) == 1 and not self.models and context.positives.predictions is None:
            member = Ragged.from_codes(codes).lengths() > 0
            found = likeness_p_values(np.asarray(context.vectors(None).items[:], np.float32), member)[:, None]
        else:
            views = views_of(context, self.models, self.name, ~classes.labelled())
            believed = context.label_errors(views, self.name).true_class
            found = reduce(np.maximum, (member_p_values(view, codes, every, believed) for view in views))
        best = found.argmax(axis=1)
        highest = found[every, best]
        found[every, best] = 0
        second = found.max(axis=1)  # 0 where there is one class only
        found[every, best] = highest

        def own(items: IntArray, of: IntArray) -> FloatArray:
            return np.asarray(found[items, of])

        def other(items: IntArray, of: IntArray) -> FloatArray:
            return np.asarray(np.where(best[items] == of, second[items], highest[items]))

        def gather(rows: Rows) -> Columns:
            return {"member": over_classes(rows, classes, own), "other": over_classes(rows, classes, other)}

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """An item whose p-value reaches ``error`` may be of the class; if no other class's does, it likely is."""
        unknown, member = columns["relation"] == Relation.UNKNOWN, np.nan_to_num(columns["member"], nan=1.0)
        maybe = unknown & (member >= self.error)
        return first_of(member.shape, (maybe & (columns["other"] < self.error), member), (maybe, member))
