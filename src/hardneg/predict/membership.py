"""How unusual an item would be as a member of a class: conformal p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Codes
from hardneg.predict.predictions import Predictions
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray

__all__ = ["likeness_p_values", "member_p_values"]

_FEW = 50  # with fewer members of its own, a class is compared with those of all classes


def member_p_values(
    predictions: Predictions, codes: Codes, items: IntArray, believed: FloatArray | None = None
) -> FloatArray:
    """The p-value of each item as a member of each class, float32, shape ``(len(items), C)``.

    ``(1 + m) / (1 + n)``, where ``m`` of the ``n`` labelled members of the class, predicted by a model that had not
    seen their label, are no more probable for it than the item (Mondrian conformal prediction: Vovk, Gammerman &
    Shafer 2005, Algorithmic Learning in a Random World, section 4.5). If a true member comes from where the labelled
    ones came from, its p-value is below ``e`` with probability at most ``e``, however weak the model. 1 where there
    is no prediction, so nothing is ruled out.

    A class with fewer than 50 such members is compared with those of all classes, each by its own class; the promise
    then holds over the classes together.

    Args:
        predictions: of all items.
        codes: their labels, -1 for unlabelled, or several each.
        items: which items are asked about.
        believed: the probability of each (item, label) to be true, shape ``(n, C)``. A member then counts as that much
            of one: where a tenth of the labels are wrong, a tenth of the "members" are as improbable as can be, and
            hardly anything would be ruled out. All count wholly if not given, or where it is NaN.

    >>> seen = np.array([[0.9, 0.1]] * 99 + [[0.5, 0.5], [0.3, 0.7]], np.float32)
    >>> labels = np.array([0] * 100 + [-1])
    >>> pets = Predictions(seen, np.ones(101, bool), ("cat", "dog"))
    >>> member_p_values(pets, labels, np.array([100]))[0, 0].round(3)
    np.float32(0.01)
    """
    pairs = Ragged.from_codes(codes)
    rows, labels = pairs.rows(), pairs.values
    usable = predictions.held_out[rows] & predictions.predicted[rows]
    rows, labels = rows[usable], labels[usable]
    figures = predictions.of(rows, labels)
    weights = np.ones(len(rows)) if believed is None else np.nan_to_num(believed[rows, labels], nan=1.0)
    out = np.ones((len(items), len(predictions.classes)), np.float32)
    known = predictions.predicted[items]
    members = Ragged.from_pairs(labels, np.arange(len(labels)), out.shape[1])
    everyone = Ladder.of(figures, weights)
    for column in range(out.shape[1]):
        own = members[column]
        ladder = everyone if len(own) < _FEW else Ladder.of(figures[own], weights[own])
        out[known, column] = ladder.share_no_better(predictions.probabilities[items[known], column])
    return out


def likeness_p_values(vectors: FloatArray, member: BoolArray) -> FloatArray:
    """The p-value of each item as a member of the only class there is, float32, shape ``(n,)``.

    Where no item is labelled otherwise no model can be trained. The figure is then the cosine to the mean direction of
    the members, itself left out, and the p-value is as in :func:`member_p_values`: the share of the members that are no
    more like the others than the item is. The mean, and not the nearest, since the nearest members are often of one
    speaker or one recording, and by these a member from elsewhere would be taken for none.

    Args:
        vectors: of all items, shape ``(n, d)``.
        member: which items have the label, shape ``(n,)``.

    >>> line = np.stack([np.ones(100), np.linspace(0, 1, 100)], axis=1).astype(np.float32)
    >>> far = likeness_p_values(np.append(line, [[0, 1.0]], axis=0).astype(np.float32), np.arange(101) < 100)
    >>> far[100].round(3), far[50] > 0.5
    (np.float32(0.01), np.True_)
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    others = unit[member].sum(axis=0, dtype=np.float64) - np.where(member[:, None], unit, 0)
    figures = np.einsum("ij,ij->i", unit, others) / np.maximum(np.linalg.norm(others, axis=1), np.finfo(float).tiny)
    ladder = Ladder.of(figures[member], np.ones(int(member.sum())))
    return ladder.share_no_better(figures).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Ladder:
    """Members by their figure, rising, and the weight of all below each rung."""

    figures: NDArray[np.floating[Any]]
    below: NDArray[np.floating[Any]]

    @classmethod
    def of(cls, figures: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]]) -> Ladder:
        order = np.argsort(figures, kind="stable")
        return cls(figures[order], np.concatenate([[0.0], np.cumsum(weights[order])]))

    def share_no_better(self, asked: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        no_better = self.below[np.searchsorted(self.figures, asked, side="right")]
        return np.asarray((1 + no_better) / (1 + self.below[-1]))
