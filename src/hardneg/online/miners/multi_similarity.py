"""Pairs that are harder than the hardest of the other kind, give or take a little."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from torch import Tensor

from hardneg.notation import require
from hardneg.online._distances import Distance
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerPair

__all__ = ["MultiSimilarity"]


@dataclass(frozen=True)
class MultiSimilarity(PerPair):
    """Negatives with ``s(a, n) + epsilon > min s(a, p)``, and positives with ``s(a, p) - epsilon < max s(a, n)``.

    Wang, Han, Huang, Dong & Scott 2019, arXiv 1904.06627, equations 11 and 12. In distances: ``d(a, n) - epsilon <
    max d(a, p)``, and ``d(a, p) + epsilon > min d(a, n)``. An anchor without positives or without negatives has no
    pairs: there is nothing to compare with.

    Args:
        epsilon: how much easier a pair may be.
        distance: cosine, as in the paper.
        normalize, chunk_mib, generator: see :class:`Miner`.

    Returns, when called, pairs ``(a1, p, a2, n)``.
    """

    name: ClassVar[str] = "multi_similarity"

    epsilon: float = 0.1
    _: KW_ONLY
    distance: Distance = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.epsilon >= 0, "epsilon", "at least 0", self.epsilon)

    def keep(self, block: Block) -> tuple[Tensor, Tensor]:
        """Compare each pair with the hardest of the other kind; without one, that is infinitely easy."""
        farthest = block.to_positives.amax(1, keepdim=True)
        nearest = block.to_negatives.amin(1, keepdim=True)
        positive = block.positive & (block.distances + self.epsilon > nearest)
        return positive, block.negative & (block.distances - self.epsilon < farthest)
