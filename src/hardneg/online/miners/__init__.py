"""Miners, each named after its paper. A new one: its file here, and its name in the list below."""

from hardneg.notation import Registry
from hardneg.online.miners._base import Batch, Block, Indices, Miner
from hardneg.online.miners.batch_all import AllHard, BatchAll
from hardneg.online.miners.batch_hard import BatchHard
from hardneg.online.miners.distance_weighted import DistanceWeighted
from hardneg.online.miners.easy_positive import EasyPositive
from hardneg.online.miners.multi_similarity import MultiSimilarity
from hardneg.online.miners.semi_hard import (
    SemiHard,
    SemiHardBeyondHardest,
    SemiHardFaceNet,
    SemiHardNearest,
    SemiHardRandom,
)
from hardneg.online.miners.tempered import Tempered
from hardneg.online.miners.top_k import TopK
from hardneg.online.miners.uniform import Uniform

__all__ = [
    "MINERS",
    "AllHard",
    "Batch",
    "BatchAll",
    "BatchHard",
    "Block",
    "DistanceWeighted",
    "EasyPositive",
    "Indices",
    "Miner",
    "MultiSimilarity",
    "SemiHard",
    "SemiHardBeyondHardest",
    "SemiHardFaceNet",
    "SemiHardNearest",
    "SemiHardRandom",
    "Tempered",
    "TopK",
    "Uniform",
    "make_miner",
]

MINERS: Registry[Miner] = Registry(
    "miner",
    Miner,  # type: ignore[type-abstract]
    [AllHard, BatchAll, BatchHard, DistanceWeighted, EasyPositive, MultiSimilarity, SemiHard, SemiHardBeyondHardest,
     SemiHardFaceNet, SemiHardNearest, SemiHardRandom, Tempered, TopK, Uniform],
)  # fmt: skip


def make_miner(miner: str | Miner) -> Miner:
    """A miner from its text; a miner itself is returned as it is.

    >>> make_miner("semi_hard(margin=0.1)").margin
    0.1
    """
    return MINERS.make(miner)
