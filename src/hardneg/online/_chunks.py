"""Anchors in parts that fit into a stated amount of memory, with the same outcome whatever that is."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["PAIR_BYTES", "chunks", "tile"]

PAIR_BYTES = 48  # what a miner holds for one anchor and one reference: distances, masks, a sorted copy with its places
_TILE, _TILE_PAIRS = 64, 1 << 19


def tile(refs: int) -> int:
    """How many anchors share one matrix product: a power of two that depends on the number of references alone.

    A product's last bits depend on its shape, so chunks are made of whole tiles, and a distance is the same whatever
    the size of the chunk.

    >>> tile(1000), tile(65_536), tile(10**9)
    (64, 8, 1)
    """
    fitting = max(1, min(_TILE, _TILE_PAIRS // max(1, refs)))
    return 1 << (fitting.bit_length() - 1)


def chunks(anchors: int, refs: int, mib: int) -> Iterator[slice]:
    """Parts of the anchors, whole tiles each, that need ``mib`` at most; one tile at least.

    >>> [(part.start, part.stop) for part in chunks(1000, 1024, 32)]
    [(0, 640), (640, 1000)]
    """
    size = tile(refs)
    step = max(size, (mib << 20) // (PAIR_BYTES * max(1, refs)) // size * size)
    for start in range(0, anchors, step):
        yield slice(start, min(start + step, anchors))
