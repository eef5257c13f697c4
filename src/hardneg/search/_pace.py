"""Which kind of products an exact search is quickest with; its answers are the same with each."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from hardneg.ragged import IntArray
from hardneg.search._blocks import Sides
from hardneg.search._products import FLOAT32, Bfloat16, Products, gain

__all__ = ["in_bfloat16", "likely", "quickest"]

_WORTH = 2e9  # numbers multiplied: with fewer, even to measure which is quicker takes too long
_LOAD = 1e12  # with fewer, to load PyTorch takes longer than it saves
_ANCHORS = 512  # with fewer, to read all items once more takes longer than it saves
_GAIN = 1.25  # times as quick
_SAMPLE = (64, 2048)  # anchors and items of which it is seen how dense the best lie
_PAIR = 128  # items that are passed by in the time that one more pair is scored exactly


def likely(anchors: int, items: tuple[int, ...]) -> Products:
    """What is quickest for so many anchors and items of shape ``(m, d)``, unless their best lie too dense."""
    least = _WORTH if "torch" in sys.modules else _LOAD
    if anchors < _ANCHORS or float(anchors) * items[0] * items[1] < least or find_spec("torch") is None:
        return FLOAT32
    return Bfloat16() if gain(items[1]) >= _GAIN else FLOAT32


def quickest(sides: Sides, anchors: int, depth: int) -> Sides:
    """The same with products in bfloat16 where so many anchors are sooner done, what these leave open included."""
    if not isinstance(likely(anchors, sides.items.shape), Bfloat16):
        return sides
    rough = in_bfloat16(sides)
    return rough if _open(rough, depth) <= min(depth, len(sides.items) / _PAIR) else sides


def in_bfloat16(sides: Sides) -> Sides:
    """The same with products in bfloat16; for this all items are read once."""
    return replace(sides, products=Bfloat16.of(sides.right, len(sides.items), sides.longest))


def _open(sides: Sides, depth: int) -> float:
    """About how many items an anchor has of which products cannot tell whether they are among its ``depth`` best."""
    mine, theirs = (_spread(len(one), n) for one, n in zip((sides.anchors, sides.items), _SAMPLE, strict=True))
    left = sides.left(mine)
    products = left @ sides.right(theirs).T
    if (less := sides.half_squares(theirs)) is not None:
        products -= less
    place = min(len(theirs), max(1, round(depth * len(theirs) / len(sides.items))))
    last = np.partition(products, len(theirs) - place, axis=1)[:, len(theirs) - place]
    line = last - sides.leeway(sides.bound(left), last)
    passing = (products >= line[:, None]).sum(axis=1)
    return float((passing / place - 1).mean()) * depth


def _spread(n: int, wanted: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, min(n, wanted)).astype(np.int64))
