"""Showing items to anchors, on all threads, and the whole exact search that comes of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np

from hardneg.parallel import pool, threads
from hardneg.ragged import IntArray
from hardneg.search._base import Constraints, Hits
from hardneg.search._blocks import Block, Blocks, Sides
from hardneg.search._narrow import narrowed
from hardneg.search._products import FLOAT32, Products, alone
from hardneg.search._settle import answer, joined
from hardneg.search._tile import Room, Tile, width

__all__ = ["Stage", "by_code", "cut", "exhaustive", "settled", "stage"]

_TILES = 16  # tiles that look at a block of items while it is at hand, so that a block from disk is read once for all
_ROOM = 64 * 2**20  # bytes that a tile may keep

T = TypeVar("T")


class Stage:
    """Shows blocks of items to tiles: one thread a tile, each thread with its own space for products."""

    def __init__(self, workers: ThreadPoolExecutor, room: int) -> None:
        self._pool, self._room = workers, room
        self._own = threading.local()

    def each(self, function: Callable[..., T], *tasks: Sequence[Any]) -> list[T]:
        """What a function gives for each tile."""
        return list(self._pool.map(function, *tasks))

    def show(self, block: Block, tiles: Sequence[Tile]) -> None:
        """Show one block to every tile."""
        list(self._pool.map(self.see, itertools.repeat(block), tiles))

    def ahead(self, tasks: Iterable[Callable[[], T]]) -> Iterator[T]:
        """What the tasks give, in order; the next one is worked out while one is being looked at."""
        waiting: Future[T] | None = None
        for task in tasks:
            upcoming = self._pool.submit(task)
            if waiting is not None:
                yield waiting.result()
            waiting = upcoming
        if waiting is not None:
            yield waiting.result()

    def see(self, block: Block, tile: Tile, only: IntArray | None = None) -> None:
        """Show one block to one tile, or to some of its anchors, on the thread that asks."""
        if not hasattr(self._own, "room"):
            self._own.room = Room(self._room)
        tile.see(block, self._own.room, only)


@contextmanager
def stage(room: int, products: Products = FLOAT32) -> Iterator[Stage]:
    """A stage with all threads, each with room for so many products, which it works out by itself."""
    with alone(products), pool() as workers:
        yield Stage(workers, room)


def exhaustive(
    sides: Sides, rows: IntArray, k: int, constraints: Constraints, anchor_block: int = 512, item_block: int = 8192
) -> Hits:
    """The answers for some anchors from a look at every item; the block sizes change no answer."""
    depth = max(1, min(constraints.depth(k), len(sides.items)))
    size = max(1, min(item_block, len(sides.items)))
    each = max(1, min(anchor_block, _ROOM // (12 * width(depth)), -(-len(rows) // threads())))
    blocks = Blocks(sides, constraints)
    parts = []
    with stage(each * size, sides.products) as shown:
        for start in range(0, len(rows), each * _TILES):
            some = rows[start : start + each * _TILES]
            order = by_code(some, constraints)
            places = [order[at : at + each] for at in range(0, len(some), each)]
            tiles = shown.each(partial(_tile, sides, depth, constraints), [some[one] for one in places])
            for block in shown.ahead(partial(blocks.between, *one) for one in cut(0, len(sides.items), size)):
                shown.show(block, tiles)
            parts.append(settled(shown, sides, k, constraints, some, places, tiles))
    return joined(parts)


def settled(
    shown: Stage, sides: Sides, k: int, constraints: Constraints, rows: IntArray,
    places: Sequence[IntArray], tiles: Sequence[Tile], names: IntArray | None = None,
) -> Hits:  # fmt: skip
    """The answers from what tiles have kept; tile ``i`` holds the anchors ``rows[places[i]]``.

    ``names`` gives the item's row for each number that the tiles know it by, where they know other vectors.
    """

    def settle(mine: IntArray, tile: Tile) -> Hits:
        at, items = tile.found(just=names is not None)
        if names is not None:
            items = names[items]
            if constraints.ceiling is None:  # else it takes exact scores to tell which of them count
                keep = narrowed(sides, mine, at, items, constraints.depth(k))
                at, items = at[keep], items[keep]
        limits = constraints.take(mine)
        return answer(sides, mine, k, limits, at, items, tile.above)

    hits = joined(shown.each(settle, [rows[one] for one in places], tiles))
    order = np.concatenate(places)
    return hits if (np.diff(order) > 0).all() else hits.take(np.argsort(order))


def _tile(sides: Sides, depth: int, constraints: Constraints, rows: IntArray) -> Tile:
    return Tile(sides, rows, depth, constraints)


def cut(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """The bounds of blocks of at most ``size``.

    >>> cut(0, 5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(at, min(at + size, stop)) for at in range(start, stop, size)]


def by_code(rows: IntArray, constraints: Constraints) -> IntArray:
    """The order in which anchors of one code stand side by side, so that ruling out their items is quick."""
    for one in constraints.unlike:
        if isinstance(one.anchors, np.ndarray):
            return np.argsort(one.anchors[rows], kind="stable")
    return np.arange(len(rows))
