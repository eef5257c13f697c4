"""The farthest positive and the nearest negative of each anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerAnchor, first_max, first_min

__all__ = ["BatchHard"]


@dataclass(frozen=True)
class BatchHard(PerAnchor):
    """For each anchor ``p = argmax d(a, p)`` and ``n = argmin d(a, n)``: one triplet.

    Hermans, Beyer & Leibe 2017, arXiv 1703.07737, equation 5. Of equal distances the first reference counts. An anchor
    without a positive or without a negative has no triplet.

    Args:
        distance, normalize, chunk_mib, generator: see :class:`Miner`. The paper takes ``normalize=False``.

    >>> import torch
    >>> a, p, n = BatchHard()(torch.tensor([[1.0, 0], [1, 1], [0, 1], [1, 2]]), torch.tensor([0, 0, 0, 1]))
    >>> list(zip(a.tolist(), p.tolist(), n.tolist()))
    [(0, 2, 3), (1, 0, 3), (2, 0, 3)]
    """

    name: ClassVar[str] = "batch_hard"

    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """The hardest of each kind."""
        return first_max(block.to_positives), first_min(block.to_negatives)
