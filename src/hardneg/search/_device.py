"""Blocks of items pass over a device (PyTorch), and for each anchor those with the largest products stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import IntArray
from hardneg.search._base import Constraints
from hardneg.search._blocks import Sides
from hardneg.search._device_rules import Rules
from hardneg.search._enough import Kept, limits
from hardneg.search._precision import Precision, Rounded, product
from hardneg.search._upload import uploaded

__all__ = ["Scan"]

Tensor = Any

_UNIT = 2.0**-24  # rounding unit of float32
_TINY = 2.0**-126  # smallest normal float32
_SUM = {"float32": _UNIT, "tf32": 4 * _UNIT, "bf16": 4 * _UNIT}  # tensor cores cut off where others round
_ORDINARY = 2.0**32  # lengths up to this, and down to its inverse, divide in float32 without harm


@dataclass(frozen=True, eq=False)
class Scan:
    """A search on one device, with what concerns all items already there.

    A computed product is off by at most ``rx Y + (X + rx) ry + (d + 16) s X Y``, where X and Y are the lengths of the
    anchor and of the longest item of the block, rx and ry what the precision took off them, and s the unit of
    summing: 2^-24, or 2^-22 on tensor cores. The 16 stand for scaling both vectors and for rounding the score. For
    distances ``4 u (X + Y)^2`` joins, u = 2^-24, for subtracting half the square and for rounding after the root.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1.
    """

    sides: Sides
    constraints: Constraints
    step: int
    device: Any
    rules: Rules
    raw: bool  # whether items travel as they are stored, which moves the fewest bytes
    norms: Tensor | None
    halves: Tensor | None

    @classmethod
    def of(cls, sides: Sides, constraints: Constraints, step: int, device: Any) -> Scan:
        """Send what concerns the items, but for their vectors."""
        raw, halves = _ordinary(sides), sides.half_squares(slice(None))
        return cls(
            sides, constraints, step, device, Rules.of(constraints, device), raw,
            norms=_send(sides.norms, device) if sides.divide and raw else None,
            halves=None if halves is None else _send(halves, device),
        )  # fmt: skip

    def __call__(self, rows: IntArray, count: int, precision: Precision) -> Kept:
        """The ``count`` items with the largest products of each anchor, among those that are not ruled out."""
        import torch

        left, total = self.sides.left(rows), len(self.sides.items)
        low, high = limits(self.sides, self.constraints.take(rows), left)
        anchors, rule = Rounded.of(_send(left, self.device), precision), self.rules(rows)
        size = _send(np.sqrt(np.einsum("ij,ij->i", left, left, dtype=np.float64)), self.device)
        ceiling = _send(np.nextafter(high.astype(np.float32), np.float32(np.inf)), self.device)
        best, items, widest, above = _nothing(len(rows), min(count, total), self.device)
        for start, block in uploaded(self._read, total, self.step, self.device):
            stop = start + len(block)
            theirs = Rounded.of(self._ready(block, start), precision)
            products = product(anchors.vectors, theirs.vectors)
            if self.halves is not None:
                products -= self.halves[start:stop]
            off = self._off(anchors.lost, theirs.lost.max(), size, start, precision)
            rule(products, start)
            if self.constraints.ceiling is not None:
                high_up = products > (ceiling + off)[:, None]
                above += high_up.sum(1)
                products.masked_fill_(high_up, -torch.inf)
            top, column = torch.topk(products, min(best.shape[1], stop - start))
            best, place = torch.topk(torch.cat([best, top + off[:, None]], 1), best.shape[1])
            items = torch.gather(torch.cat([items, column + start], 1), 1, place)
            widest = torch.maximum(widest, off)
        highest = best.cpu().numpy().astype(np.float64)
        unseen = np.full(len(rows), -np.inf) if count >= total else highest.min(axis=1)
        gap = 2 * widest.cpu().numpy().astype(np.float64)
        return Kept(items.cpu().numpy(), highest, gap, unseen, (low, high), above.cpu().numpy())

    def _read(self, rows: slice) -> NDArray[Any]:
        return self.sides.items[rows] if self.raw else self.sides.right(rows)

    def _ready(self, block: Tensor, start: int) -> Tensor:
        block = block.float()
        return block if self.norms is None else block / self.norms[start : start + len(block), None]

    def _off(self, mine: Tensor, theirs: Tensor, size: Tensor, start: int, precision: Precision) -> Tensor:
        """How far the products of each anchor may be from their true values, shape ``(n,)``; see the class."""
        sides, d = self.sides, self.sides.anchors.shape[1]
        norms = sides.norms[start : start + self.step]
        longest, more = float(norms.max()) * sides.scale[1], 0.0
        if sides.similarity == "cosine":
            more = 0.0 if sides.divide else float(np.abs(norms - 1).max())
            longest = 1 + more
        off = mine * longest + (size + mine) * theirs + (d + 16) * _SUM[precision] * size * longest
        off = off + (d + 16) * _TINY * (1 + size + longest) + more
        if sides.similarity == "euclidean":
            off = off + 4 * _UNIT * (size + longest) ** 2
        return 1.01 * off  # the bound itself is rounded


def _ordinary(sides: Sides) -> bool:
    """Whether items need neither scaling nor care when they are divided by their length."""
    norms = sides.norms
    return sides.scale[1] == 1 and bool(((norms <= _ORDINARY) & (norms >= 1 / _ORDINARY)).all() or not sides.divide)


def _nothing(rows: int, count: int, device: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    import torch

    best = torch.full((rows, count), -torch.inf, device=device)
    zeros = torch.zeros(rows, dtype=torch.int64, device=device)
    return best, zeros[:, None].repeat(1, count), zeros.float(), zeros


def _send(values: NDArray[Any], device: Any) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)
