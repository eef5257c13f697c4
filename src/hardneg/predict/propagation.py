"""Labels that flow along a graph of neighbours, through unlabelled items too."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hardneg.notation import require
from hardneg.predict._base import Learn, Model
from hardneg.predict._extra import needs
from hardneg.predict._nearest import nearest, weights
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Propagation"]


@dataclass(frozen=True)
class Propagation(Model):
    """Label spreading (Zhou 2004, "Learning with local and global consistency"), scikit-learn's ``LabelSpreading``.

    Each row is joined to its ``k`` nearest, labelled or not, and takes up what its neighbours say. A held-out row is
    in the graph like one without a label. The graph is sparse: it needs ``24 * k`` bytes a row beside the
    vectors and ``32`` bytes a row and class, and no table of all pairs is ever made.

    Args:
        k: to how many nearest rows each is joined.
        alpha: how much of what a row believes comes of its neighbours, in (0, 1).
        temperature: how much nearer ones count for more: a weight is ``exp((cosine - 1) / temperature)``.
        max_iter: after how many rounds it stops.
        folds: into how many parts the labelled rows are cut.
        calibrate: whether a temperature is fitted to the held-out rows.
    """

    name: ClassVar[str] = "propagation"
    k: int = 20
    alpha: float = 0.9
    temperature: float = 0.1
    max_iter: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.k > 0, "k", "a whole number above 0", self.k)
        require(0 < self.alpha < 1, "alpha", "above 0 and below 1", self.alpha)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        require(self.max_iter > 0, "max_iter", "a whole number above 0", self.max_iter)

    def ready(self, vectors: FloatArray, classes: int, seed: int) -> Learn:  # noqa: ARG002 - nothing is drawn
        """The graph is made once; each call lets the labels of its own rows flow through it."""
        spreading, graph = needs("sklearn.semi_supervised").LabelSpreading, self._graph(vectors)
        places = np.arange(len(vectors))[:, None]  # the graph is there already, so the rows need no vectors

        def learn(codes: IntArray, rows: IntArray) -> FloatArray:
            seen = np.unique(codes[codes >= 0])
            model = spreading(kernel=lambda *_: graph.copy(), alpha=self.alpha, max_iter=self.max_iter)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the last digits still move
                model.fit(places, codes)
            prior = np.bincount(codes[codes >= 0], minlength=classes) / (codes >= 0).sum()
            share = np.zeros((len(rows), classes))
            share[:, seen] = np.nan_to_num(model.label_distributions_[rows])
            share[share.sum(axis=1) == 0] = prior  # nothing has come this far
            return np.asarray((self.k * share + prior) / (self.k + 1), np.float32)

        return learn

    def _graph(self, vectors: FloatArray) -> Any:
        """The weights of neighbours, the same both ways, as a sparse matrix of shape ``(n, n)``."""
        sparse, n = needs("scipy.sparse"), len(vectors)
        found, scores = nearest(vectors, np.arange(n), self.k, np.ones(n, bool))
        one_way = sparse.csr_array((weights(scores, self.temperature), found.values, found.offsets), shape=(n, n))
        return sparse.csr_matrix(one_way.maximum(one_way.T))
