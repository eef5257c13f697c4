"""Some of the farthest positives and of the nearest negatives of each anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerAnchor

__all__ = ["TopK"]


@dataclass(frozen=True)
class TopK(PerAnchor):
    """For each anchor its ``positives`` farthest positives and ``negatives`` nearest negatives, every triplet of them.

    The rule of ``NHardTripletsMiner`` of open-metric-learning; with 1 and 1 it is batch-hard. Of equal distances the
    first references count. An anchor with fewer has fewer.

    Args:
        positives: how many, at most.
        negatives: how many, at most.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "top_k"

    positives: int = 1
    negatives: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.positives >= 1, "positives", "at least 1", self.positives)
        require(self.negatives >= 1, "negatives", "at least 1", self.negatives)

    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """The hardest of each kind, hardest first."""
        return _nearest(-block.to_positives, self.positives), _nearest(block.to_negatives, self.negatives)


def _nearest(values: Tensor, many: int) -> Tensor:
    """Columns of the smallest values; -1 for inf."""
    found, columns = torch.sort(values, dim=1, stable=True)
    return torch.where(found[:, :many] < torch.inf, columns[:, :many], -1)
