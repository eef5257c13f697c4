"""Any negative: what every other miner is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.online._draws import draw
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerPositive

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(PerPositive):
    """For each positive pair one negative of the anchor, each as likely as any other.

    Args:
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "uniform"
    draws: ClassVar[bool] = True

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """Draw one for each positive."""
        weights = torch.where(block.negative, 0.0, -torch.inf)
        return draw(weights, block.uniform(0, columns))
