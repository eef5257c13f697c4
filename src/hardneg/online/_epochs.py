"""What batch samplers here share: epochs by number, a share for each process, going on inside an epoch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from torch.utils.data import Sampler

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.online.distributed import place

__all__ = ["EpochBatches"]


class EpochBatches(Sampler):  # type: ignore[misc]
    """Batches of row numbers that depend on the seed and the epoch alone.

    Of several processes each takes every ``world_size``-th batch. All get the same number of them: the first ones of
    the epoch come twice where they do not divide evenly.
    """

    drop_last = False  # what accelerate asks of a batch sampler
    batch_size: int

    def __init__(self, seed: int, rank: int | None, world_size: int | None) -> None:
        found = place()
        self.seed, self.epoch = seed, 0
        self.world_size = found[1] if world_size is None else world_size
        self.rank = found[0] if rank is None else rank
        require(self.world_size >= 1, "world_size", "at least 1", self.world_size)
        require(0 <= self.rank < self.world_size, "rank", f"from 0 to {self.world_size - 1}", self.rank)
        self._given = self._start = 0

    @abstractmethod
    def _count(self) -> int:
        """How many batches an epoch has, over all processes."""

    @abstractmethod
    def _batch(self, number: int) -> list[int]:
        """One batch of the epoch."""

    @abstractmethod
    def _data(self) -> str:
        """A hash of what is sampled from."""

    def set_epoch(self, epoch: int) -> None:
        """Batch anew; call it before each epoch, in all processes. The epoch that it stands at goes on."""
        if epoch != self.epoch:
            self.epoch, self._given, self._start = epoch, 0, 0

    def __len__(self) -> int:
        return (self._count() + self.world_size - 1) // self.world_size

    def __iter__(self) -> Iterator[list[int]]:
        begin, self._start = self._start, 0
        for number in range(begin, len(self)):
            self._given = number + 1
            yield self._batch((number * self.world_size + self.rank) % self._count())
        self._given = 0

    def state_dict(self, batches: int | None = None) -> dict[str, Any]:
        """Where the epoch stands, for ``load_state_dict`` in the same process number.

        Args:
            batches: how many batches of this epoch have been trained with; those given out if not given. Workers of a
                loader fetch ahead of the training, so tell it where there are any.
        """
        return {
            "seed": self.seed,
            "epoch": self.epoch,
            "batches": self._given if batches is None else batches,
            "data": self._data(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a ``state_dict`` was taken: the next iteration gives the batches that are left of the epoch.

        A loader that skips batches by itself (``accelerate.skip_first_batches``, and so the Hugging Face ``Trainer``)
        needs ``batches`` 0 in the state.

        Raises InputError for the state of other data.
        """
        if state["data"] != self._data():
            raise InputError(
                "The state is that of batches from other data, or of another size.",
                remedy="Give the sampler the same labels and sizes as before, or begin anew.",
            )
        self.seed, self.epoch = int(state["seed"]), int(state["epoch"])
        self._given = self._start = int(state["batches"])
