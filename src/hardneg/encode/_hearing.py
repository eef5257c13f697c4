"""What encoders of sounds by a torch network share: sounds decoded on threads, those of one length a batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._base import Role, SoundEncoder
from hardneg.encode._identity import fingerprint
from hardneg.encode._models import Precision
from hardneg.encode._vision import as_rows, best_device, module_parts, torch_library
from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray
from hardneg.sounds import Sound, wave

__all__ = ["Hearing", "TorchSounds", "at_least"]


@dataclass(frozen=True)
class Hearing:
    """A network ready for use.

    Attributes:
        module: The ``torch.nn.Module``, whose weights the identity hashes.
        prepare: From one channel of samples to a tensor.
        forward: From a batch of these, all of one shape, to vectors of shape ``(batch, d)``.
        facts: All else that decides a vector: the preparation, the pooling.
        rate: Samples a second that ``prepare`` takes.
    """

    module: Any
    prepare: Callable[[NDArray[np.float32]], Any]
    forward: Callable[[Any], Any]
    facts: object
    rate: int


class TorchSounds(SoundEncoder):
    """An encoder around a network. Subclasses are frozen dataclasses with these three options, and ``_load``.

    Sounds are never padded to the length of others, which many networks would hear: only those of one length go
    through together.
    """

    batch_size: int
    precision: Precision
    device: str | None

    def __post_init__(self) -> None:
        require(self.batch_size > 0, "batch_size", "a whole number above 0", self.batch_size)
        precisions = get_args(Precision)
        require(self.precision in precisions, "precision", f"one of {', '.join(precisions)}", self.precision)

    @abstractmethod
    def _load(self) -> Hearing:
        """The network, loaded; called once."""

    @cached_property
    def _hearing(self) -> Hearing:
        torch, hearing = torch_library("speech"), self._load()
        try:
            hearing.module.to(best_device(self.device), getattr(torch, self.precision)).eval()
        except (RuntimeError, AssertionError) as error:  # torch raises either for a device that is not there
            raise OptionError(f"The 'device' must be one that this machine has. Got {self.device}: {error}") from None
        return hearing

    @cached_property
    def identity(self) -> str:
        """A hash of weights, structure, preparation, pooling and precision; never of a path."""
        hearing = self._hearing
        return fingerprint(self.name, self.precision, hearing.facts, hearing.rate, *module_parts(hearing.module))

    @property
    def chunk(self) -> int:
        """Eight batches: little is lost when stopped."""
        return 8 * self.batch_size

    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), d)``, float32."""
        chunks = [inputs[at : at + self.chunk] for at in range(0, len(inputs), self.chunk)]
        return np.concatenate([self._chunk(chunk) for chunk in chunks]) if chunks else np.zeros((0, 0), np.float32)

    def _chunk(self, sounds: Sequence[Sound]) -> FloatArray:
        hearing = self._hearing
        tensors = each(lambda sound: hearing.prepare(wave(sound, hearing.rate)), sounds)
        shapes: dict[tuple[int, ...], list[int]] = {}
        for row, tensor in enumerate(tensors):
            shapes.setdefault(tuple(tensor.shape), []).append(row)
        batches = [
            rows[at : at + self.batch_size] for rows in shapes.values() for at in range(0, len(rows), self.batch_size)
        ]
        vectors = np.concatenate([self._batch([tensors[row] for row in rows]) for rows in batches])
        return vectors[np.argsort(np.concatenate(batches))]

    def _batch(self, tensors: Sequence[Any]) -> FloatArray:
        torch, hearing = torch_library("speech"), self._hearing
        weight = next(hearing.module.parameters())
        with torch.inference_mode():
            vectors = hearing.forward(torch.stack(list(tensors)).to(weight.device, weight.dtype))
        return as_rows(vectors, len(tensors), f"The model of '{self.name}'", "sound")


def at_least(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The samples, with silence after them up to ``count``.

    >>> at_least(np.ones(2, np.float32), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.pad(samples, (0, max(0, count - len(samples))))
