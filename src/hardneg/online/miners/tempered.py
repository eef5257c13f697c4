"""A random choice that leans to the hard: between any triplet and batch-hard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online._draws import draw
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerAnchor

__all__ = ["Tempered", "tempered"]


@dataclass(frozen=True)
class Tempered(PerAnchor):
    """For each anchor a positive drawn by ``exp(d / temperature)`` and a negative by ``exp(-d / temperature)``.

    One triplet an anchor, like batch-hard, but a softmax over distances chooses, so that one wrong label or outlier
    does not decide: what the authors of batch-hard propose for noisy labels (VisualComputingInstitute/triplet-reid,
    issue 4). Near 0 it is batch-hard, when large any triplet. Weights below 2^-40 of the largest count as 0.

    Args:
        temperature: in units of the distance.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "tempered"
    draws: ClassVar[bool] = True

    temperature: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.temperature > 0, "temperature", "above 0", self.temperature)

    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """Draw one of each kind."""
        column = torch.zeros_like(block.anchors)
        harder = (block.to_positives, -block.to_negatives)
        p, n = (tempered(by, self.temperature, block.uniform(stream, column)) for stream, by in enumerate(harder))
        return p, n


def tempered(hardness: Tensor, temperature: float, at: Tensor) -> Tensor:
    """For each number in (0, 1) a column drawn by ``exp(hardness / temperature)``; see :func:`draw`.

    >>> at = torch.tensor([[0.1, 0.9]], dtype=torch.float64)
    >>> tempered(torch.tensor([[0.0, 1.0]]), 0.01, at).tolist(), tempered(torch.tensor([[0.0, 1.0]]), 100, at).tolist()
    ([[1, 1]], [[0, 1]])
    """
    return draw(hardness / temperature, at)
