"""The nearest positive of each anchor: a class need not be one heap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerAnchor, first_min

__all__ = ["EasyPositive"]


@dataclass(frozen=True)
class EasyPositive(PerAnchor):
    """For each anchor ``p = argmin d(a, p)``, and the nearest negative, or the nearest beyond that positive.

    Xuan, Stylianou & Pless 2020, arXiv 1904.04370: ``hard`` is their EPHN, ``semi_hard`` their EPSHN, where an anchor
    with no negative beyond has no triplet. Of equal distances the first reference counts.

    Args:
        negatives: ``hard`` or ``semi_hard``.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "easy_positive"

    negatives: Literal["hard", "semi_hard"] = "semi_hard"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.negatives in ("hard", "semi_hard"), "negatives", "hard or semi_hard", self.negatives)

    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """The easiest positive, and a negative."""
        positives = torch.where(block.positive, block.distances, torch.inf)
        p, far = first_min(positives), block.to_negatives
        if self.negatives == "semi_hard":
            nearest = positives.amin(1, keepdim=True)
            far = torch.where(far > nearest, far, torch.inf)
        return p, first_min(far)
