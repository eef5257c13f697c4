"""A sampler that draws examples by their weights, the same for the same seed and epoch, also over several processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import distributed
from torch.utils.data import Sampler

from hardneg import random
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.run import Run
from hardneg.weights import sample_weight

__all__ = ["HardNegativeSampler"]

_BLOCK = 65_536  # draws that are Python objects at one time


class HardNegativeSampler(Sampler):  # type: ignore[misc]
    """Row numbers of the user's examples, drawn with replacement, each as often as its weight says.

    The draws of an epoch depend on the seed, the epoch and the weights alone. Of several processes each takes every
    ``world_size``-th draw, so that together they see what one would, and all have the same number of them.

    Args:
        weights: one for each example, at least 0; see :func:`hardneg.sample_weight`.
        draws: how many in an epoch, over all processes; as many as there are examples if not given.
        seed: what the draws depend on, besides the epoch.
        rank: the number of this process; asked of ``torch.distributed`` where that runs, else 0.
        world_size: how many processes there are; likewise, else 1.

    Raises:
        InputError: weights that are missing, below 0, or all 0.
        OptionError: a number that makes no sense.

    >>> sampler = HardNegativeSampler(np.array([0.0, 1.0, 3.0]), draws=4)
    >>> len(list(sampler)), 0 in list(sampler)
    (4, False)
    """

    def __init__(
        self, weights: Any, *, draws: int | None = None, seed: int = 0, rank: int | None = None,
        world_size: int | None = None,
    ) -> None:  # fmt: skip
        self.weights: NDArray[np.float64] = np.asarray(weights, np.float64)
        sound = self.weights.ndim == 1 and np.isfinite(self.weights).all() and (self.weights >= 0).all()
        if not sound or not self.weights.sum() > 0:
            raise InputError(
                "The 'weights' must be one list of numbers of at least 0, and not all 0. "
                f"Got an array of shape {self.weights.shape}.",
                remedy="Take those of hardneg.sample_weight(run, ids).",
            )
        running = distributed.is_available() and distributed.is_initialized()
        self.world_size = (distributed.get_world_size() if running else 1) if world_size is None else world_size
        self.rank = (distributed.get_rank() if running else 0) if rank is None else rank
        self.draws = len(self.weights) if draws is None else draws
        require(self.draws >= 1, "draws", "at least 1", self.draws)
        require(self.world_size >= 1, "world_size", "at least 1", self.world_size)
        require(0 <= self.rank < self.world_size, "rank", f"from 0 to {self.world_size - 1}", self.rank)
        self.seed, self.epoch = seed, 0
        self._ends = np.cumsum(self.weights) / self.weights.sum()

    @classmethod
    def of(cls, run: Run, ids: object = None, *, balanced: bool = False, **options: Any) -> HardNegativeSampler:
        """A sampler for a run: hard negatives more often, and with ``balanced`` all classes equally often.

        ``ids`` are those of the user's examples in their order; those of ``run.items`` if not given. The other
        options are those of the class.
        """
        return cls(sample_weight(run, ids, balanced=balanced), **options)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew; call it before each epoch, in all processes."""
        self.epoch = epoch

    def __len__(self) -> int:
        return (self.draws + self.world_size - 1) // self.world_size

    def __iter__(self) -> Iterator[int]:
        last = int(np.flatnonzero(self.weights)[-1])  # where rounding leaves the sum just below 1
        for start in range(0, len(self), _BLOCK):
            mine = np.arange(start, min(start + _BLOCK, len(self))) * self.world_size + self.rank
            drawn = random.uniform(self.seed, np.full(1, self.epoch), mine)
            yield from np.minimum(np.searchsorted(self._ends, drawn, side="right"), last).tolist()
