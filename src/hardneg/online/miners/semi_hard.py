"""Negatives beyond the positive, but not far beyond: five rules that all go by the name of semi-hard.

| | of each | negative | if there is none |
|---|---|---|---|
| SemiHard | positive pair | all with d_ap < d_an <= d_ap + margin | no triplet |
| SemiHardNearest | positive pair | the nearest with d_an > d_ap | the farthest negative |
| SemiHardBeyondHardest | anchor and its farthest positive | the nearest with d_an > d_ap | the farthest negative |
| SemiHardRandom | positive pair | any with d_ap < d_an < d_ap + margin | any negative |
| SemiHardFaceNet | positive pair | the nearest with d_ap < d_an < d_ap + margin | no triplet |
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online._distances import Distance
from hardneg.online._draws import draw
from hardneg.online.miners._base import Block
from hardneg.online.miners._families import PerAnchor, PerPositive, first_max, first_min
from hardneg.online.miners._positives import ordered
from hardneg.online.miners._window import Window

__all__ = ["SemiHard", "SemiHardBeyondHardest", "SemiHardFaceNet", "SemiHardNearest", "SemiHardRandom"]


@dataclass(frozen=True)
class SemiHard(Window):
    """For each positive pair all negatives with ``d(a, p) < d(a, n) <= d(a, p) + margin``.

    The rule of ``TripletMarginMiner(type_of_triplets="semihard")`` of pytorch-metric-learning.

    Args:
        margin: in units of the distance.
        budget: the most triplets; of more, so many are drawn at random. None for no bound.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "semi_hard"

    margin: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.margin > 0, "margin", "above 0", self.margin)

    def bounds(self, to_positive: Tensor) -> tuple[Tensor, Tensor]:
        """Beyond the positive, up to the margin."""
        return to_positive, to_positive + self.margin


@dataclass(frozen=True)
class SemiHardNearest(PerPositive):
    """For each positive pair the nearest negative with ``d(a, n) > d(a, p)``, else the farthest negative of all.

    The rule of TensorFlow Addons' ``triplet_semihard_loss``, and of ``BatchSemiHardTripletLoss`` of
    sentence-transformers. Of equal distances the first reference counts.

    Args:
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "semi_hard_nearest"

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """Look for each positive's place among the negatives in order."""
        return _beyond(block, columns, first_max(torch.where(block.negative, block.distances, -torch.inf)))


@dataclass(frozen=True)
class SemiHardBeyondHardest(PerAnchor):
    """For each anchor its farthest positive, and the nearest negative beyond it, else the farthest negative of all.

    The rule of ``TripletLoss(positive_mining_strategy="hard", negative_mining_strategy="semi-hard")`` of TensorFlow
    Similarity. Of equal distances the first reference counts.

    Args:
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "semi_hard_beyond_hardest"

    def pick(self, block: Block) -> tuple[Tensor, Tensor]:
        """The hardest positive, and a negative."""
        p = first_max(block.to_positives)
        far = block.distances.gather(1, p.clamp(min=0))
        beyond = first_min(torch.where(block.distances > far, block.to_negatives, torch.inf))
        farthest = first_max(torch.where(block.negative, block.distances, -torch.inf))
        return p, torch.where(beyond >= 0, beyond, farthest)


@dataclass(frozen=True)
class _OfSquares(PerPositive):
    """A margin on squared distances of vectors of length 1."""

    margin: float = 0.2
    _: KW_ONLY
    distance: Distance = "squared"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.margin > 0, "margin", "above 0", self.margin)


@dataclass(frozen=True)
class SemiHardRandom(_OfSquares):
    """For each positive pair any negative with ``d(a, p) < d(a, n) < d(a, p) + margin``, else any negative at all.

    The rule of voxceleb_trainer's triplet loss (``hard_rank=-1``), on squared distances of vectors of length 1; there
    each anchor has one positive, as in ``Relations.from_pairs``.

    Args:
        margin: in units of the distance.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "semi_hard_random"
    draws: ClassVar[bool] = True

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """Draw a place in the window, else anywhere."""
        near, at = block.distances.gather(1, columns), block.uniform(0, columns)
        anywhere = draw(torch.where(block.negative, 0.0, -torch.inf), at)
        order = ordered(block)
        low = torch.searchsorted(order.distances, near, right=True)
        high = torch.minimum(torch.searchsorted(order.distances, near + self.margin), order.many)
        many = (high - low).clamp(min=0)
        place = low + torch.minimum((at * many).long(), (many - 1).clamp(min=0))
        return torch.where(many > 0, _column(order.columns, place), anywhere)


@dataclass(frozen=True)
class SemiHardFaceNet(_OfSquares):
    """For each positive pair the nearest negative with ``d(a, p) < d(a, n) < d(a, p) + margin``, else no triplet.

    Schroff, Kalenichenko & Philbin 2015, arXiv 1503.03832, section 3.2: all anchor-positive pairs; negatives that are
    "further away from the anchor than the positive exemplar, but still hard because the squared distance is close",
    inside the margin. On squared distances of vectors of length 1. Of equal distances the first reference counts.

    Args:
        margin: in units of the distance.
        distance, normalize, chunk_mib, generator: see :class:`Miner`.
    """

    name: ClassVar[str] = "semi_hard_facenet"

    def negatives(self, block: Block, columns: Tensor) -> Tensor:
        """The nearest beyond, if the margin reaches it."""
        n = _beyond(block, columns, torch.full_like(block.anchors, -1))
        near, far = block.distances.gather(1, columns), block.distances.gather(1, n.clamp(min=0))
        return torch.where((n >= 0) & (far < near + self.margin), n, -1)


def _beyond(block: Block, columns: Tensor, otherwise: Tensor) -> Tensor:
    """The nearest negative beyond each positive, shape ``(b, K)``; ``otherwise``, shape ``(b, 1)``, if none is."""
    order = ordered(block)
    place = torch.searchsorted(order.distances, block.distances.gather(1, columns), right=True)
    return torch.where(place < order.many, _column(order.columns, place), otherwise)


def _column(columns: Tensor, place: Tensor) -> Tensor:
    """The column in each place; any for a place beyond the last."""
    return columns.gather(1, place.clamp(max=columns.shape[1] - 1))
