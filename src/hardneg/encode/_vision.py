"""Encoders of images by a torch network: pictures decoded on threads, a batch at a time through it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._network import TorchEncoder
from hardneg.images import Picture, rgb
from hardneg.parallel import each
from hardneg.similarity import FloatArray

__all__ = ["TorchImages"]


class TorchImages(TorchEncoder, ImageEncoder):
    """Its network prepares upright RGB images; a large JPEG is decoded at no less than twice the side it resizes to."""

    extra = "vision"

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), d)``, float32."""
        batches = [inputs[at : at + self.batch_size] for at in range(0, len(inputs), self.batch_size)]
        return np.concatenate([self._batch(batch) for batch in batches]) if batches else np.zeros((0, 0), np.float32)

    def _batch(self, pictures: Sequence[Picture]) -> FloatArray:
        network = self._network
        return self._through(each(lambda one: network.prepare(rgb(one, box=2 * network.scale)), pictures))
