"""What a model takes for the anchor's class though it is labelled otherwise, and more of the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hardneg.classes import Classes
from hardneg.context import Context
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.predict import Predictions as Predicted
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Exact, Unlike
from hardneg.similarity import FloatArray
from hardneg.sources._base import Propose, Source
from hardneg.sources._by_class import by_class, once

__all__ = ["Predictions"]


@dataclass(frozen=True)
class Predictions(Source):
    """The items that a model takes for the anchor's class though they are labelled otherwise.

    Their score is how much more probable the model finds the anchor's class than the label: P(class) - P(label), of
    predictions made without the item's own label. Errors in a split that may not be mined (a validation split) are
    never candidates, but they show where to look: what is most like them and may be mined is a candidate as well,
    labelled otherwise or not at all. So are the neighbours of the errors among what may be mined. A neighbour that
    nothing was predicted for has the score of the error that led to it.

    How near a candidate is to the anchor and to its positives stands in the columns ``score`` and
    ``positive_similarity``; the filter ``mislabelled`` says whether the label may be wrong.

    Args:
        k: at most this many candidates for an anchor, the most probable first.
        model: what predicts, as ``logistic(C=1)`` or ``knn``; not given, the predictions that came with the data, else
            ``logistic``.
        margin: also what the model takes for another class, if by at most so much: P(best) - P(class) <= margin.
        like: so many neighbours of each error.
    """

    name: ClassVar[str] = "predictions"
    promises_k: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True

    k: int = field(default=200, metadata={"always": True})
    model: str | None = None
    margin: float = 0.0
    like: int = 5

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        require(0 <= self.margin < 1, "margin", "in [0, 1)", self.margin)
        require(self.like >= 0, "like", "at least 0", self.like)

    def prepare(self, context: Context) -> Propose:
        """Predict, and list for each class what is taken for it."""
        classes, positives = context.classes(self.name), context.positives
        predicted = context.predictions(self.model, self.name)
        if not (predicted.held_out & predicted.predicted & classes.labelled()).any():
            raise InputError(
                "No labelled item has a prediction of a model that had not seen its label, so no error is known.",
                remedy="If the model had not seen these labels say so (--held-out), or leave its predictions out.",
            )
        wrong = errors(predicted, classes, self.margin)
        context.notes["errors"] = {name: int(n) for name, n in zip(classes.names, wrong.lengths(), strict=True) if n}
        lists, scores = _candidates(context, classes, predicted, wrong, self.like)
        return by_class(positives, classes, lists, scores, self.k)


def errors(predicted: Predicted, classes: Classes, margin: float = 0.0) -> Ragged:
    """For each class the labelled items that are taken for it though they do not have it.

    Only predictions made without the item's label count.

    >>> sure = Predicted(np.array([[0.9, 0.1], [0.8, 0.2]], np.float32), np.array([True, True]), ("cat", "dog"))
    >>> errors(sure, Classes(("cat", "dog"), np.arange(2), np.array([0, 1])))[0].tolist()
    [1]
    """
    usable = np.flatnonzero(predicted.held_out & predicted.predicted & classes.labelled())
    found = predicted.probabilities[usable]
    least = np.full(len(usable), 0.5, np.float32) if predicted.independent else found.max(axis=1, initial=0)
    at, taken = np.nonzero(found >= least[:, None] - margin)
    has = Ragged.from_codes(classes.items).contains(usable[at], taken)
    return Ragged.from_pairs(taken[~has], usable[at[~has]], len(classes.names))


def _candidates(
    context: Context, classes: Classes, predicted: Predicted, wrong: Ragged, like: int
) -> tuple[Ragged, FloatArray]:
    """For each class what may be mined of the errors and of what is most like them, and the score of each.

    An item that nothing was predicted for has the score of the worst error that it is like.
    """
    of, items = wrong.rows(), wrong.values
    scores = _margins(predicted, classes, of, items)
    if like and len(items):
        hits = _neighbours(context, classes, wrong, like)
        more, inherited = hits.values, scores[hits.rows()]
        own = np.where(predicted.predicted[more], _margins(predicted, classes, of[hits.rows()], more), inherited)
        of, items = np.concatenate([of, of[hits.rows()]]), np.concatenate([items, more])
        scores = np.concatenate([scores, own.astype(np.float32)])
    minable = ~context.positives.barred[items]
    of, items, scores = once(of[minable], items[minable], scores[minable])
    return Ragged.from_lengths(np.bincount(of, minlength=len(classes.names)), items), scores


def _neighbours(context: Context, classes: Classes, wrong: Ragged, like: int) -> Ragged:
    """For each error what may be mined and is nearest to it: labelled otherwise than its class, or not at all."""
    vectors, positives = context.vectors(None), context.positives
    own = Ragged.from_pairs(np.arange(len(wrong.values)), wrong.values, len(wrong.values))
    rules = Constraints(own, positives.barred, (Unlike(wrong.rows(), classes.items),))
    return Exact().search(vectors.items[wrong.values], vectors.items, like, vectors.similarity, rules).items


def _margins(predicted: Predicted, classes: Classes, of: IntArray, items: IntArray) -> FloatArray:
    """P(class) - P(label); of an unlabelled item P(class) - P(any other class)."""
    mine = predicted.of(items, of)
    labelled = predicted.margin(items, of, classes.items)
    if predicted.independent:
        return np.where(np.isnan(labelled), 2 * mine - 1, labelled).astype(np.float32)
    others = predicted.probabilities[items].copy()
    others[np.arange(len(items)), of] = 0
    return np.where(np.isnan(labelled), mine - others.max(axis=1, initial=0), labelled).astype(np.float32)
