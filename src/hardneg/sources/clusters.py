"""What lies in the anchor's cluster and may be had: where classes mix, negatives are hard and many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from hardneg.context import Context
from hardneg.errors import OptionError
from hardneg.matrix import Matrix, Reordered
from hardneg.notation import require
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.sources._base import Source
from hardneg.sources._grouping import NOISE, Grouping, Method, clusters_for, grouping
from hardneg.sources._purity import mixture, told
from hardneg.sources._within import Within
from hardneg.table import Rows

__all__ = ["Clusters"]


@dataclass(frozen=True)
class Clusters(Source):
    """The ``k`` items most similar to the anchor among those in its cluster; fewer where its cluster holds fewer.

    Clusters are made of what may be mined. What the anchor may not have (its positives, its class) is left out, so
    there remain items of other labels, unlabelled ones, and without any labels all others. An anchor that is no item,
    such as a query, belongs to the cluster that is nearest to it.

    The primary similarity scores and orders; the rank is the place among what is left of the cluster. Each candidate,
    whatever source it came from, has the column ``cluster`` with the number of its item's cluster, -1 for none, which
    ``quotas(per_group=2, group=cluster)`` can read. The manifest says under ``clusters`` how many there are and which
    are mixed most.

    Clusters are learned from at most 64 items a cluster, or 20,000 if that is more (``hdbscan``: 10,000), drawn at
    random; the others are assigned to the nearest centre (``hdbscan``: to the cluster of the nearest item learned
    from). With cosine, unit vectors are grouped.

    Args:
        k: at most this many candidates for an anchor.
        method: ``kmeans``, ``minibatch`` and ``hdbscan`` of scikit-learn, or ``faiss`` (k-means).
        n: the number of clusters; by default the square root of half the number of items, at least 2.
        min_cluster_size: the least size of a cluster of ``hdbscan``. What it calls noise is in no cluster, so such an
            anchor gets nothing; the manifest counts these.
        mixed: only clusters in which the commonest label has at most this share of the labelled items.
        encoder: group the vectors of another encoder than the run's, as text; the run's still score.
    """

    name: ClassVar[str] = "clusters"
    promises_k: ClassVar[bool] = False

    k: int = field(default=100, metadata={"always": True})
    method: Method = "kmeans"
    n: int | None = None
    min_cluster_size: int = 5
    mixed: float | None = None
    encoder: str | None = None

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        require(self.n is None or self.n >= 1, "n", "at least 1", self.n)
        require(self.n is None or self.method != "hdbscan", "n", "left out with hdbscan, which finds it", self.n)
        require(self.min_cluster_size >= 2, "min_cluster_size", "at least 2", self.min_cluster_size)
        require(self.mixed is None or 0 < self.mixed <= 1, "mixed", "in (0, 1]", self.mixed)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Find the clusters.

        Raises MissingExtraError without the method's package, OptionError for ``mixed`` without labels.
        """
        positives, primary = context.positives, context.vectors(None)
        if self.mixed is not None and positives.classes is None:
            raise OptionError("clusters(mixed=...) needs items with labels. Leave 'mixed' out, or give labelled data.")
        of_items, of_anchors = self._grouped(context)
        mix = mixture(of_items, positives.classes)
        usable = np.ones(len(mix.sizes), bool) if self.mixed is None else mix.purity() <= self.mixed
        context.of_items["cluster"] = of_items.astype(np.int32)
        self._say(context, of_anchors, usable, told(mix, positives.classes))
        members = Ragged.from_codes(of_items).inverted(len(mix.sizes))
        place = np.where(np.append(usable, False)[of_anchors], of_anchors, NOISE)

        active = np.arange(len(place)) if context.active is None else context.active
        return Within(primary, positives, place, members, self.k).ahead(active)

    def _grouped(self, context: Context) -> tuple[IntArray, IntArray]:
        """The cluster of each item that may be mined, and of each anchor; -1 for none."""
        vectors, rows = context.vectors(self.encoder), np.flatnonzero(~context.positives.barred)
        size = self.min_cluster_size if self.method == "hdbscan" else self.n or clusters_for(len(rows))
        with context.progress.stage("find clusters", len(rows), "items") as report:
            found = grouping(vectors.items, rows, vectors.similarity, self.method, size, context.seed)
            of_items = found.of(vectors.items, rows)
            report(len(rows), len(rows))
        context.notes["clusters"] = {"method": self.method, "learned_from": len(found.sample)}
        of_anchors = _of_anchors(found, vectors.anchors, context.positives, of_items)
        return of_items, np.where(np.isin(of_anchors, of_items), of_anchors, NOISE)

    def _say(self, context: Context, of_anchors: IntArray, usable: BoolArray, about: dict[str, Any]) -> None:
        """Tell the manifest what there is, and whom it gives nothing."""
        active = of_anchors if context.active is None else of_anchors[context.active]
        without = {"in_no_cluster": int((active == NOISE).sum())}
        if self.mixed is not None:
            without["in_purer_clusters"] = int((~usable)[active[active >= 0]].sum())
        noise = int((context.of_items["cluster"][~context.positives.barred] == NOISE).sum())
        context.notes["clusters"] |= {**about, "items_in_none": noise, "anchors_without": without}
        if nothing := sum(without.values()):
            context.progress.say(f"clusters: {nothing:,} of {len(active):,} anchors are in no cluster that is used.")


def _of_anchors(found: Grouping, vectors: Matrix, positives: Positives, of_items: IntArray) -> IntArray:
    """An anchor that is an item is where the item is; another where its vector belongs."""
    own = positives.own
    known = (own >= 0) & ~positives.barred[own]
    out = np.where(known, of_items[own], NOISE)
    others = np.flatnonzero(~known)
    out[others] = found.assign(Reordered(vectors, others))
    return out
