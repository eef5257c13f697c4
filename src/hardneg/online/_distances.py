"""Distances between a batch and its references: in float32 at least, whatever the precision of the training."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from hardneg.errors import InputError
from hardneg.online._chunks import tile

__all__ = ["Distance", "check_finite", "distances", "products", "ready"]

Distance = Literal["euclidean", "squared", "cosine", "dot"]


def check_finite(vectors: Tensor, what: str) -> None:
    """Raise InputError for NaN and infinity, which would compare as false and quietly leave pairs out."""
    if torch.compiler.is_compiling():  # a question about values would break the graph
        return
    good = torch.isfinite(vectors).all(1)
    if not bool(good.all()):
        bad = torch.nonzero(~good).flatten()
        raise InputError(
            f"{len(bad)} of the {len(vectors)} {what} hold NaN or infinity (first: row {int(bad[0])}).",
            remedy="The training has diverged, or half precision has overflowed: lower the learning rate, or scale.",
        )


def ready(vectors: Tensor, *, unit: bool) -> Tensor:
    """Without gradient, float32 or float64, of length 1 where wanted; a zero vector stays zero."""
    vectors = vectors.detach()
    vectors = vectors if vectors.dtype == torch.float64 else vectors.float()
    return torch.nn.functional.normalize(vectors, dim=1) if unit else vectors


def products(left: Tensor, right: Tensor, rows: slice) -> Tensor:
    """The products of some anchors with all references, shape ``(b, M)``, tile by tile."""
    with torch.autocast(left.device.type, enabled=False):
        if torch.compiler.is_compiling():  # whole, or the tiles would each be a part of the graph
            return left[rows] @ right.T
        start, stop, size = rows.start, rows.stop, tile(len(right))
        out = left.new_empty(stop - start, len(right))
        for first in range(start, stop, size):
            last = min(first + size, stop)
            torch.mm(left[first:last], right.T, out=out[first - start : last - start])
        return out


def distances(left: Tensor, right: Tensor, kind: Distance, rows: slice) -> Tensor:
    """The distances of some anchors to all references, shape ``(b, M)``; lower is more alike, of ``dot`` too.

    ``euclidean`` is ``|x - y|``, ``squared`` its square, ``cosine`` is ``1 - x.y`` of vectors of length 1, and ``dot``
    is ``-x.y``. The first two come from ``x.x + y.y - 2 x.y``, whose rounding shows where two vectors nearly agree:
    for float32 vectors of length 1 a distance below 0.001 is not told from 0.

    >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    >>> distances(x, x, "euclidean", slice(0, 1)).tolist()
    [[0.0, 5.0]]
    """
    out = products(left, right, rows)
    if kind == "cosine":
        return 1 - out
    if kind == "dot":
        return -out
    squares = (left[rows] ** 2).sum(1)[:, None] + (right**2).sum(1)
    out = torch.sub(squares, out, alpha=2).clamp_(min=0)
    return out.sqrt_() if kind == "euclidean" else out
