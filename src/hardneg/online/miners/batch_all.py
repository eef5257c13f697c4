"""Every triplet there is, or every one that breaks a margin, or every one whose negative is nearer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online.miners._window import Window

__all__ = ["AllHard", "BatchAll"]


@dataclass(frozen=True)
class BatchAll(Window):
    """Every triplet, or with a margin every one that has a loss: ``d(a, n) <= d(a, p) + margin``.

    Hermans, Beyer & Leibe 2017, arXiv 1703.07737, equation 6. With a margin this is ``TripletMarginMiner`` of
    pytorch-metric-learning with ``type_of_triplets="all"``.

    Args:
        margin: in units of the distance; None for every triplet.
        budget: the most triplets; of more, so many are drawn at random. None for no bound.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "batch_all"

    margin: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.margin is None or self.margin >= 0, "margin", "at least 0", self.margin)

    def bounds(self, to_positive: Tensor) -> tuple[Tensor, Tensor]:
        """No lower bound."""
        high = torch.full_like(to_positive, torch.inf) if self.margin is None else to_positive + self.margin
        return torch.full_like(to_positive, -torch.inf), high


@dataclass(frozen=True)
class AllHard(Window):
    """Every triplet whose negative is as near as the positive: ``d(a, n) <= d(a, p)``.

    ``TripletMarginMiner`` of pytorch-metric-learning with ``type_of_triplets="hard"``. Where labels are wrong, these
    are the wrong ones first of all; see :class:`hardneg.online.Guarded`.

    Args:
        budget: the most triplets; of more, so many are drawn at random. None for no bound.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "all_hard"

    def bounds(self, to_positive: Tensor) -> tuple[Tensor, Tensor]:
        """Up to the positive."""
        return torch.full_like(to_positive, -torch.inf), to_positive
