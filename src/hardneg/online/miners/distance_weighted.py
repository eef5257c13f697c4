"""Negatives at all distances: drawn against how common a distance is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.online._draws import draw
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerPositive

__all__ = ["DistanceWeighted", "log_weights"]


@dataclass(frozen=True)
class DistanceWeighted(PerPositive):
    """For each positive pair one negative of the anchor, drawn with weight ``1 / q(D)``.

    ``q(D)`` is how common the distance ``D`` is between random points of the sphere, ``D^(d-2) (1 - D^2/4)^((d-3)/2)``;
    distances below ``cutoff`` count as ``cutoff``, since weights and the gradient's variance would explode. Negatives
    from ``nonzero_loss`` on have no loss and are not drawn. Wu, Manmatha, Smola & Krähenbühl 2017, arXiv 1706.07567,
    section 4, with the bounds of their code. An anchor that has only such negatives has no triplets.

    Args:
        cutoff: the least distance that counts.
        nonzero_loss: distances below this are drawn.
        distance, normalize: the rule holds for Euclidean distances of vectors of length 1 only.
        chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "distance_weighted"
    draws: ClassVar[bool] = True

    cutoff: float = 0.5
    nonzero_loss: float = 1.4

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.cutoff < self.nonzero_loss, "cutoff", "above 0 and below 'nonzero_loss'", self.cutoff)
        require(self.nonzero_loss <= 2, "nonzero_loss", "at most 2", self.nonzero_loss)
        if self.distance != "euclidean" or not self.normalize:
            raise OptionError("distance_weighted needs distance=euclidean and normalize=true.")

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """Draw one for each positive."""
        drawn = block.negative & (block.distances < self.nonzero_loss)
        weights = torch.where(drawn, log_weights(block.distances, block.width, self.cutoff), -torch.inf)
        return draw(weights, block.uniform(0, columns))


def log_weights(distances: Tensor, width: int, cutoff: float) -> Tensor:
    """``(2 - d) log D - (d - 3)/2 log(1 - D^2/4)``, where ``D`` is at least ``cutoff``; ``d`` is the vectors' width.

    >>> log_weights(torch.tensor([1.0]), 3, 0.5).tolist()
    [0.0]
    """
    far = distances.clamp(min=cutoff, max=math.nextafter(2, 0))
    return (2.0 - width) * torch.log(far) - (width - 3.0) / 2 * torch.log1p(-0.25 * far**2)
