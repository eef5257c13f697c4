"""Encoders of sounds by a torch network: sounds decoded on threads, those of one length a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._base import Role, SoundEncoder
from hardneg.encode._network import TorchEncoder
from hardneg.parallel import each
from hardneg.similarity import FloatArray
from hardneg.sounds import Sound, wave

__all__ = ["TorchSounds", "at_least"]


class TorchSounds(TorchEncoder, SoundEncoder):
    """Its network prepares one channel of samples.

    Sounds are never padded to the length of others, which many networks would hear: only those of one length go
    through together.
    """

    extra = "speech"

    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), d)``, float32."""
        chunks = [inputs[at : at + self.chunk] for at in range(0, len(inputs), self.chunk)]
        return np.concatenate([self._chunk(chunk) for chunk in chunks]) if chunks else np.zeros((0, 0), np.float32)

    def _chunk(self, sounds: Sequence[Sound]) -> FloatArray:
        network = self._network
        tensors = each(lambda sound: network.prepare(wave(sound, network.scale)), sounds)
        shapes: dict[tuple[int, ...], list[int]] = {}
        for row, tensor in enumerate(tensors):
            shapes.setdefault(tuple(tensor.shape), []).append(row)
        batches = [
            rows[at : at + self.batch_size] for rows in shapes.values() for at in range(0, len(rows), self.batch_size)
        ]
        vectors = np.concatenate([self._through([tensors[row] for row in rows]) for rows in batches])
        return vectors[np.argsort(np.concatenate(batches))]


def at_least(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The samples, with silence after them up to ``count``.

    >>> at_least(np.ones(2, np.float32), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.pad(samples, (0, max(0, count - len(samples))))
