"""Votes of the nearest labelled neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.notation import require
from hardneg.predict._base import Learn, Model
from hardneg.predict._nearest import nearest, weights
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["KNN"]


@dataclass(frozen=True)
class KNN(Model):
    """The labels of the nearest neighbours, each weighted by its likeness.

    A neighbour of cosine ``s`` weighs ``exp((s - 1) / temperature)`` (Wu 2018, arXiv 1805.01978). One vote is shared
    out by the classes' frequencies, so that no class gets 0 for want of a neighbour.

    Args:
        k: how many neighbours vote.
        temperature: how much nearer ones count for more; small, and only the nearest count.
        folds: into how many parts the labelled rows are cut.
        calibrate: whether a temperature is fitted to the held-out rows.
    """

    name: ClassVar[str] = "knn"
    k: int = 20
    temperature: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.k > 0, "k", "a whole number above 0", self.k)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)

    def ready(self, vectors: FloatArray, classes: int, seed: int) -> Learn:  # noqa: ARG002 - nothing is drawn
        """Each call is one exact search among the rows with a code."""

        def learn(codes: IntArray, rows: IntArray) -> FloatArray:
            found, scores = nearest(vectors, rows, self.k, codes >= 0)
            prior = np.bincount(codes[codes >= 0], minlength=classes) / (codes >= 0).sum()
            votes = np.zeros((len(rows), classes))
            np.add.at(votes, (found.rows(), codes[found.values]), weights(scores, self.temperature))
            total = votes.sum(axis=1, keepdims=True)
            share = np.divide(votes, total, out=np.tile(prior, (len(rows), 1)), where=total > 0)
            return np.asarray((self.k * share + prior) / (self.k + 1), np.float32)

        return learn
