"""Exact constrained search on the CPU: blocked matrix products propose, exact pair scores decide."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hardneg.notation import require
from hardneg.parallel import threads
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Engine, Hits, Search
from hardneg.search._blocks import Block, Blocks, Sides
from hardneg.search._settle import answer, joined
from hardneg.search._tile import Room, Tile, width
from hardneg.similarity import Matrix, Similarity

__all__ = ["Exact"]

_TILES = 8  # tiles that look at a block of items while it is at hand, so that a block from disk is read once for all
_ROOM = 64 * 2**20  # bytes that a tile may keep


@dataclass(frozen=True)
class Exact(Engine):
    """Exact search; the block sizes decide on memory and speed, never on the result.

    Args:
        anchor_block: anchors that one thread works on at a time.
        item_block: items that they are compared with at a time.
    """

    anchor_block: int = 1024
    item_block: int = 2048

    def __post_init__(self) -> None:
        require(self.anchor_block >= 1, "anchor_block", "at least 1", self.anchor_block)
        require(self.item_block >= 1, "item_block", "at least 1", self.item_block)

    def prepare(
        self, anchors: Matrix, items: Matrix, k: int, similarity: Similarity, constraints: Constraints
    ) -> Search:
        """See :class:`hardneg.search.Engine`.

        >>> points = np.array([[0.0], [1.0], [3.0]], np.float32)
        >>> hits = Exact().search(points[:1], points, 2, "euclidean", Constraints.none(1, 3))
        >>> hits.items[0].tolist(), hits.scores.tolist()
        ([0, 1], [-0.0, -1.0])
        """
        return _Search(self, k, Sides.of(anchors, items, similarity), constraints)


@dataclass(frozen=True, eq=False)
class _Search(Search):
    engine: Exact
    k: int
    sides: Sides
    constraints: Constraints

    @property
    def about(self) -> Mapping[str, Any]:
        return {"engine": "exact"}

    def __call__(self, rows: IntArray) -> Hits:
        depth = max(1, min(self.constraints.depth(self.k), len(self.sides.items)))
        size = max(1, min(self.engine.item_block, len(self.sides.items)))
        each = max(1, min(self.engine.anchor_block, _ROOM // (12 * width(depth)), -(-len(rows) // threads())))
        together = each * _TILES
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads()) as pool:
            look = _Looking(pool, Blocks(self.sides, self.constraints, size), each * size)
            return joined(
                [self._some(rows[at : at + together], depth, each, look) for at in range(0, len(rows), together)]
            )

    def _some(self, rows: IntArray, depth: int, each: int, look: _Looking) -> Hits:
        """The answers for anchors that look at the items together."""
        order = _by_code(rows, self.constraints)
        places = [order[at : at + each] for at in range(0, len(rows), each)]
        tiles = [Tile(self.sides, rows[one], depth, self.constraints) for one in places]
        look(tiles)
        pairs = [(one[at], items) for one, (at, items) in zip(places, (tile.found() for tile in tiles), strict=True)]
        above = np.zeros(len(rows), np.int64)
        for one, tile in zip(places, tiles, strict=True):
            above[one] = tile.above
        at, items = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        sides, constraints = self.sides, self.constraints.take(rows)
        return answer(sides.anchors[rows], sides.items, self.k, sides.similarity, constraints, at, items, above)


class _Looking:
    """Shows every block of items to all tiles, on all threads, each with its own space for products."""

    def __init__(self, pool: ThreadPoolExecutor, blocks: Blocks, products: int) -> None:
        self._pool, self._blocks, self._products = pool, blocks, products
        self._own = threading.local()

    def __call__(self, tiles: list[Tile]) -> None:
        for number in range(len(self._blocks)):
            block = self._blocks[number]
            list(self._pool.map(self._see, tiles, itertools.repeat(block)))

    def _see(self, tile: Tile, block: Block) -> None:
        if not hasattr(self._own, "room"):
            self._own.room = Room(self._products)
        tile.see(block, self._own.room)


def _by_code(rows: IntArray, constraints: Constraints) -> IntArray:
    """The order in which anchors of one code stand side by side, so that ruling out their items is quick."""
    for one in constraints.unlike:
        if isinstance(one.anchors, np.ndarray):
            return np.argsort(one.anchors[rows], kind="stable")
    return np.arange(len(rows))
