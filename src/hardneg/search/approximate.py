"""An approximate batch join: all anchors are known at once, so work is shared, and its recall is measured.

Items are put into clusters. Each anchor looks into the clusters nearest to it, and all anchors that look into one
cluster do so together, as one matrix product, on fewer numbers a vector. What comes out of this first pass best is
scored exactly. How many clusters, and how much is scored exactly, is found on a sample of the anchors, for which the
exact answer is computed; the recall that the manifest states is measured on a second sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.parallel import threads
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.search._base import Constraints, Engine, Hits, Search, Unlike
from hardneg.search._blocks import Block, Blocks, Sides
from hardneg.search._pace import quickest
from hardneg.search._recall import Recall, recall, samples
from hardneg.search._reduced import Reduced, reduced
from hardneg.search._scan import Stage, cut, exhaustive, settled, stage
from hardneg.search._settle import joined
from hardneg.search._tile import Tile
from hardneg.similarity import Similarity

__all__ = ["Approximate"]

_TOGETHER = 65_536  # anchors that look into a cluster together
_AT_HAND = 16_384  # items of some clusters that are made ready together
_COLUMNS = 4096  # items of a cluster that are looked at together
_PRODUCTS = 4 * 2**20  # products that one thread holds
_FIRST = 4  # clusters that each anchor looks into before all others
_BITS = 256  # anchors for which it is written down together where they look
_DEEPER = 1.5  # how many times as many items as are wanted the first pass hands on
_LOSS = 0.85  # of the loss that the target allows: for clusters that are not looked into

Part = tuple[int, int, int]  # a cluster, and the bounds of some of its items


@dataclass(frozen=True)
class Approximate(Engine):
    """Approximate search with a recall that is aimed at and measured.

    Args:
        recall: the share of each anchor's true neighbours that should be found, over all anchors.
    """

    name: ClassVar[str] = "approximate"

    recall: float = 0.98

    def __post_init__(self) -> None:
        require(0 < self.recall <= 1, "recall", "in (0, 1]", self.recall)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """See :class:`hardneg.search.Engine`.

        >>> points = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
        >>> search = Approximate(0.9).prepare(points, points, 5, "cosine", Constraints.none(500, 500))
        >>> search(np.array([7])).items[0][0], search.about["recall"] >= 0.8
        (np.int64(7), True)
        """
        sides = Sides.of(anchors, items, similarity)
        plan = reduced(sides, _clusters(len(items)))
        low = Sides(anchors[:0], plan.items, "dot", plan.lengths, (1.0, 1.0), False)
        return _Join(sides, plan, low, k, constraints, 1, 1, {}).calibrated(self.recall)


def _clusters(items: int) -> int:
    return max(1, min(round(8 * math.sqrt(items)), items // 64))


@dataclass(frozen=True, eq=False)
class _Join(Search):
    sides: Sides
    plan: Reduced
    low: Sides  # the items with fewer numbers, in the order of their clusters
    k: int
    constraints: Constraints
    probes: int  # clusters that each anchor looks into
    depth: int  # items that the first pass hands on
    told: Mapping[str, Any]

    @property
    def about(self) -> Mapping[str, Any]:
        return self.told

    @property
    def together(self) -> int:
        return _TOGETHER

    def __call__(self, rows: IntArray) -> Hits:
        with stage(_PRODUCTS) as shown:
            starts = range(0, len(rows), _TOGETHER)
            return joined([self._some(rows[at : at + _TOGETHER], shown) for at in starts])

    def _some(self, rows: IntArray, shown: Stage) -> Hits:
        """The answers for anchors that look into the clusters together."""
        vectors, nearest = self.plan.looks(rows, self.probes)
        sides, constraints = replace(self.low, anchors=vectors), self._turned(rows)
        places = [one for one in np.array_split(np.arange(len(rows)), threads()) if len(one)]
        again = _Again.of(nearest, self.plan)
        tiles = [Tile(sides, one, self.depth, constraints, replace(again, looks=again.looks[one])) for one in places]
        blocks = Blocks(sides, constraints)
        # What the nearest clusters hold makes thresholds that little of the others passes.
        for wave in np.split(nearest, [min(_FIRST, self.probes)], axis=1):
            looking = shown.each(partial(_by_cluster, self.plan.clusters), [wave[mine] for mine in places])
            for group in shown.ahead(partial(_made, blocks, parts) for parts in self._groups(looking)):
                shown.each(partial(_look, shown, group), tiles, looking)
        return settled(shown, self.sides, self.k, self.constraints, rows, places, tiles, self.plan.order)

    def _groups(self, looking: list[Ragged]) -> list[list[Part]]:
        """The clusters that anybody looks into, many at a time: to wait for all threads at each would cost more."""
        bounds = self.plan.starts
        some = np.flatnonzero(np.sum([one.lengths() for one in looking], axis=0))
        sizes = np.cumsum(np.diff(bounds)[some])
        groups = np.split(some, np.flatnonzero(np.diff(sizes // _AT_HAND)) + 1) if len(some) else []
        return [
            [(one, start, stop) for one in group.tolist()
             for start, stop in cut(int(bounds[one]), int(bounds[one + 1]), _COLUMNS)]
            for group in groups
        ]  # fmt: skip

    def _turned(self, rows: IntArray) -> Constraints:
        """The constraints of some anchors, with items in the order of their clusters.

        Floors are left to the exact scores. An item is taken to lie above a ceiling only where no rest of its product
        could bring it below.
        """
        plan, mine, ceiling = self.plan, self.constraints.take(rows), None
        if mine.ceiling is not None:
            left = self.sides.left(rows)
            ceiling = (self.sides.product_of(mine.ceiling, left) + plan.rest(left)).astype(np.float32)
        return Constraints(
            Ragged(mine.excluded.offsets * plan.of.shape[1], plan.places[mine.excluded.values].ravel()),
            mine.barred[plan.order],
            tuple(Unlike(one.anchors, one.items.take(plan.order)) for one in mine.unlike),
            ceiling,
        )

    def calibrated(self, target: float) -> Search:
        """The same search with as many clusters as reach the target on a sample, and the recall on another."""
        first, second = samples(len(self.sides.anchors))
        wanted = self.constraints.depth(self.k)
        exact = quickest(self.sides, len(first) + len(second), wanted)
        truth = exhaustive(exact, first, self.k, self.constraints)
        depth = wanted if self.plan.turn is None else math.ceil(_DEEPER * wanted)
        search = replace(self, probes=self._first_guess(first, truth, target), depth=depth)
        while (found := recall(search(first), truth)).cautious < target and not search.looks_everywhere:
            search = replace(
                search,
                probes=min(search.plan.clusters, search.probes + max(1, search.probes // 8)),
                depth=min(len(self.sides.items), search.depth + max(1, search.depth // 8)),
            )
        if len(second):
            found = recall(search(second), exhaustive(exact, second, self.k, self.constraints))
        return replace(search, told=search.describe(target, found))

    @property
    def looks_everywhere(self) -> bool:
        """Whether no more clusters and no more depth are left."""
        return self.probes >= self.plan.clusters and self.depth >= len(self.sides.items)

    def describe(self, target: float, found: Recall) -> Mapping[str, Any]:
        """What the manifest says."""
        return {
            "engine": "approximate",
            "recall_target": target,
            "recall": round(found.mean, 4),
            "recall_interval": [round(found.low, 4), round(found.high, 4)],
            "recall_anchors": found.anchors,
            "clusters": self.plan.clusters,
            "looked_into": self.probes,
            "dimensions": self.plan.width,
            "scored_exactly": self.depth,
        }

    def _first_guess(self, rows: IntArray, truth: Hits, target: float) -> int:
        """So many clusters that those of the true neighbours are among them, and a little of the loss is left."""
        clusters = self.plan.of[truth.items.values]
        order = self.plan.ranked(rows)
        at = np.empty(order.shape, np.int32)
        np.put_along_axis(at, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
        places = at[truth.items.rows()[:, None], clusters].min(axis=1)
        return 1 + int(np.quantile(places, 1 - (1 - target) * _LOSS)) if len(places) else 1


@dataclass(frozen=True, eq=False)
class _Again:
    """Tells what an anchor meets in two clusters; it counts in the first of them.

    ``looks`` holds a bit for each anchor and cluster that it looks into, ``before`` the first cluster of each item that
    stands in its second, else -1.
    """

    looks: NDArray[np.uint8]
    before: NDArray[np.int32]

    @classmethod
    def of(cls, nearest: NDArray[np.int32], plan: Reduced) -> _Again:
        """From the clusters that each anchor looks into."""
        looks = np.empty((len(nearest), -(-plan.clusters // 8)), np.uint8)
        for start in range(0, len(nearest), _BITS):
            some = nearest[start : start + _BITS]
            each = np.zeros((len(some), plan.clusters), bool)
            np.put_along_axis(each, some, True, axis=1)
            looks[start : start + _BITS] = np.packbits(each, axis=1, bitorder="little")
        return cls(looks, plan.before)

    def __call__(self, anchors: IntArray, items: IntArray) -> BoolArray:
        before = self.before[items]
        bits = self.looks[anchors, before >> 3] >> (before & 7).astype(np.uint8) & 1
        return np.asarray((before >= 0) & (bits == 1))


def _made(blocks: Blocks, parts: list[Part]) -> list[tuple[int, Block]]:
    """The clusters of some blocks, and the blocks."""
    return [(cluster, blocks.between(start, stop)) for cluster, start, stop in parts]


def _look(shown: Stage, group: list[tuple[int, Block]], tile: Tile, looking: Ragged) -> None:
    """Show some clusters to those of a tile's anchors that look into them."""
    for cluster, block in group:
        only = looking[cluster]
        each = max(1, _PRODUCTS // max(1, len(block.vectors)))
        for at in range(0, len(only), each):
            shown.see(block, tile, only[at : at + each])


def _by_cluster(clusters: int, nearest: NDArray[np.int32]) -> Ragged:
    """For each cluster the anchors (rows of ``nearest``) that look into it, rising."""
    kind = np.uint16 if clusters < 2**16 else np.int32  # short numbers sort quicker
    flat = nearest.ravel().astype(kind)
    order = np.argsort(flat, kind="stable")
    return Ragged.from_lengths(np.bincount(flat, minlength=clusters), order // max(1, nearest.shape[1]))
