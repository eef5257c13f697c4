"""Three families of miners: some positives and negatives an anchor, one negative a positive, pairs by themselves."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.online.miners._base import Block, Indices, Miner
from hardneg.online.miners._positives import every, listed

__all__ = ["PerAnchor", "PerPair", "PerPositive", "first_max", "first_min"]


@dataclass(frozen=True)
class PerAnchor(Miner):
    """For each anchor some positives and some negatives, and every triplet of them."""

    @abstractmethod
    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """Columns of the positives, shape ``(b, P)``, and of the negatives, shape ``(b, N)``; -1 for none."""

    def choose(self, block: Block) -> Indices:
        """Every positive with every negative of the same anchor."""
        p, n = self.pick(block)
        there = (p >= 0)[:, :, None] & (n >= 0)[:, None, :]
        rows, i, j = torch.nonzero(there, as_tuple=True)
        return rows + block.start, p[rows, i], n[rows, j]

    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """Each positive counts once for every negative, and the other way round."""
        p, n = self.pick(block)
        ps, ns = (p >= 0).to(block.distances.dtype), (n >= 0).to(block.distances.dtype)
        nothing = torch.zeros_like(block.distances)
        return (
            nothing.scatter_add(1, p.clamp(min=0), ps * ns.sum(1, keepdim=True)),
            nothing.scatter_add(1, n.clamp(min=0), ns * ps.sum(1, keepdim=True)),
        )


@dataclass(frozen=True)
class PerPositive(Miner):
    """For each anchor and each of its positives one negative."""

    @abstractmethod
    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """For each positive, by its column, a negative's column, -1 for none; both of shape ``(b, K)``.

        Some of the columns are fillers; what is chosen for them is not used.
        """

    def choose(self, block: Block) -> Indices:
        """The triplets in order of anchors and positives."""
        columns, there = listed(block.positive)
        n = self.negatives(block, columns)
        rows, place = torch.nonzero(there & (n >= 0), as_tuple=True)
        return rows + block.start, columns[rows, place], n[rows, place]

    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """Each positive that gets a negative counts once; a negative as often as it is chosen."""
        columns, there = every(block.positive)
        n = self.negatives(block, columns)
        chosen = (there & (n >= 0)).to(block.distances.dtype)
        return chosen, torch.zeros_like(block.distances).scatter_add(1, n.clamp(min=0), chosen)


@dataclass(frozen=True)
class PerPair(Miner):
    """Positive pairs and negative pairs, each by itself: ``(a1, p, a2, n)``."""

    places: ClassVar[int] = 4

    @abstractmethod
    def keep(self, block: Block) -> tuple[Tensor, Tensor]:
        """Which positive pairs and which negative pairs are chosen, both bool of shape ``(b, M)``."""

    def choose(self, block: Block) -> Indices:
        """The pairs in order of anchors and references."""
        positive, negative = self.keep(block)
        a1, p = torch.nonzero(positive, as_tuple=True)
        a2, n = torch.nonzero(negative, as_tuple=True)
        return a1 + block.start, p, a2 + block.start, n

    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """1 for each pair that is chosen."""
        positive, negative = self.keep(block)
        return positive.to(block.distances.dtype), negative.to(block.distances.dtype)


def first_max(values: Tensor) -> Tensor:
    """The column of each row's largest value, the first of equal ones; -1 where all are -inf; shape ``(b, 1)``."""
    place = values.argmax(1, keepdim=True)
    return torch.where(values.gather(1, place) > -torch.inf, place, -1)


def first_min(values: Tensor) -> Tensor:
    """The column of each row's smallest value, the first of equal ones; -1 where all are inf; shape ``(b, 1)``."""
    return first_max(-values)
