"""Matrix products on the processor that propose: in float32 by NumPy, or in bfloat16 by PyTorch.

Where a processor has instructions for bfloat16, that is about twice as quick. What rounding takes off is bounded, so
the answers are the same; see :class:`hardneg.search._tile.Tile`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg.ragged import IntArray
from hardneg.search._precision import Rounded
from hardneg.similarity import FloatArray

__all__ = ["FLOAT32", "Bfloat16", "Float32", "Products", "Ready", "alone", "gain", "pair_seconds"]

_UNIT = 2.0**-24  # rounding unit of float32
_ROUNDED = 2.0**-8  # rounding unit of bfloat16
_ROWS = 256  # rows whose products stay in the cache until they are widened
_MEASURED = 8192  # vectors that are rounded at a time to see what they lose
_TRIED = (512, 2048)  # rows of either side when the rates are measured

Wide = NDArray[np.float64]
Ready = Any  # vectors as one kind of product takes them: an array, or a tensor


class Products(Protocol):
    """Products of every row with every row."""

    @property
    def rounding(self) -> float:
        """The most by which a product is off once it is summed, as a share of itself."""

    def off(self, left: FloatArray) -> Wide:
        """The most by which the sum for each of these vectors is off, as a share of both lengths, shape ``(n,)``."""

    def ready(self, vectors: FloatArray) -> Ready:
        """Vectors as :meth:`multiply` takes them."""

    def take(self, vectors: Ready, rows: IntArray) -> Ready:
        """Some of the rows."""

    def multiply(self, left: Ready, right: Ready, out: FloatArray) -> None:
        """Put ``left @ right.T`` into ``out``; shapes ``(n, d)``, ``(m, d)`` and ``(n, m)``."""


@dataclass(frozen=True)
class Float32:
    """By NumPy, bounded as in Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1."""

    rounding: ClassVar[float] = 0.0

    def off(self, left: FloatArray) -> Wide:
        """See :class:`Products`."""
        return np.full(len(left), (left.shape[1] + 8) * _UNIT)

    def ready(self, vectors: FloatArray) -> FloatArray:
        """See :class:`Products`."""
        return vectors

    def take(self, vectors: FloatArray, rows: IntArray) -> FloatArray:
        """See :class:`Products`."""
        return vectors.take(rows, axis=0)  # quicker than vectors[rows]

    def multiply(self, left: FloatArray, right: FloatArray, out: FloatArray) -> None:
        """See :class:`Products`."""
        np.matmul(left, right.T, out=out)


@dataclass(frozen=True)
class Bfloat16:
    """By PyTorch: factors and product are rounded; sums run in float32, on some processors less exactly than NumPy's.

    Args:
        lost: the most that rounding takes off a vector of the right side, as a share of the longest.
    """

    lost: float = _ROUNDED
    rounding: ClassVar[float] = _ROUNDED

    @classmethod
    def of(cls, right: Callable[[slice], FloatArray], n: int, longest: float) -> Bfloat16:
        """With what is lost measured; ``right`` gives some of the ``n`` vectors."""
        starts = range(0, n, _MEASURED)
        most = max((float(_lost(right(slice(at, min(at + _MEASURED, n)))).max()) for at in starts), default=0.0)
        return cls(most / longest if longest else 0.0)

    def off(self, left: FloatArray) -> Wide:
        """See :class:`Products`."""
        lengths = np.sqrt(np.einsum("ij,ij->i", left, left, dtype=np.float64))
        mine = np.where(lengths > 0, _lost(left) / np.where(lengths > 0, lengths, 1), 0)
        return np.asarray(mine + (1 + mine) * self.lost + 4 * (left.shape[1] + 8) * _UNIT)

    def ready(self, vectors: FloatArray) -> Ready:
        """See :class:`Products`."""
        import torch

        return _tensor(vectors).to(torch.bfloat16)

    def take(self, vectors: Ready, rows: IntArray) -> Ready:
        """See :class:`Products`."""
        import torch

        return vectors.index_select(0, torch.from_numpy(rows))

    def multiply(self, left: Ready, right: Ready, out: FloatArray) -> None:
        """See :class:`Products`."""
        import torch

        if torch.get_num_threads() > 1:  # of its own: those that multiply are as many as the processors already
            torch.set_num_threads(1)
        wide, space = torch.from_numpy(out), torch.empty((min(_ROWS, len(left)), len(right)), dtype=torch.bfloat16)
        for at in range(0, len(left), _ROWS):
            some = left[at : at + _ROWS]
            wide[at : at + _ROWS] = torch.mm(some, right.T, out=space[: len(some)])


FLOAT32 = Float32()


def _tensor(vectors: FloatArray) -> Ready:
    """The vectors themselves as PyTorch sees them, which warns of what it may not write."""
    import torch

    return torch.from_numpy(vectors if vectors.flags.writeable else vectors.copy())


def _lost(vectors: FloatArray) -> Wide:
    """The length of what rounding takes off each vector, shape ``(n,)``."""
    return np.asarray(Rounded.of(_tensor(vectors), "bf16").lost.numpy(), np.float64)


@contextmanager
def alone(products: Products) -> Iterator[None]:
    """Inside, each thread multiplies by itself; afterwards libraries use as many threads as they did before."""
    with threadpool_limits(1, "blas"):
        if isinstance(products, Float32):
            yield
            return
        import torch

        before = torch.get_num_threads()
        try:
            yield
        finally:
            torch.set_num_threads(before)


@cache
def gain(width: int) -> float:
    """How many times as quick as float32 bfloat16 is, on one thread; this loads PyTorch.

    0 without it, and where its sums are less exact than is taken here, as they might be on some processor.
    """
    try:
        import torch  # noqa: F401
    except (ImportError, OSError):
        return 0.0
    if not _bounded(width):
        return 0.0
    return pair_seconds(FLOAT32, width) / pair_seconds(Bfloat16(), width)


def _bounded(width: int) -> bool:
    """Whether products of some vectors are as near the true ones as is said."""
    vectors = np.cos(1.7 * np.arange(64.0 * width)).reshape(64, width).astype(np.float32)
    products, out = Bfloat16(), np.empty((64, 64), np.float32)
    with alone(products):
        ready = products.ready(vectors)
        products.multiply(ready, ready, out)
    lengths, true = np.linalg.norm(vectors, axis=1), vectors.astype(np.float64) @ vectors.astype(np.float64).T
    summed = products.off(vectors)[:, None] * lengths[:, None] * lengths.max()
    return bool((np.abs(out - true) <= summed + products.rounding * (np.abs(true) + summed)).all())


def pair_seconds(products: Products, width: int) -> float:
    """How long one thread takes for a pair of vectors of so many numbers, the look at which are high included."""
    left, right = (products.ready(np.full((rows, width), 0.5, np.float32)) for rows in _TRIED)
    out, best = np.empty(_TRIED, np.float32), np.inf
    with alone(products):
        for _ in range(4):  # the first one makes itself ready
            began = time.perf_counter()
            products.multiply(left, right, out)
            np.flatnonzero(out > width)
            best = min(best, time.perf_counter() - began)
    return best / out.size
