"""Hard negatives inside the training step, in PyTorch: who is positive for whom, miners, guards, losses.

    from hardneg.online import Guarded, SemiHard

    miner = Guarded(SemiHard(margin=0.2), filters=["margin(relative=0.05)"])
    a, p, n = miner(embeddings, labels)        # the calling convention of pytorch-metric-learning

What chooses within one step draws from a ``generator``, PyTorch's own if not given; what goes over steps (batches,
thermostat, mining anew) from a ``seed`` and a count, so that its state holds all there is. Miners and triplet losses
speak of distances, lower is more alike; filters, guards and the monitor of scores, higher is more alike.

Nothing else in the package imports this one, so ``import hardneg`` does not load torch. Names are loaded when first
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hardneg.errors import MissingExtraError

try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    raise MissingExtraError("torch", extra="online") from None

if TYPE_CHECKING:
    from hardneg.online.batches import ClusteredBatches, HardClassBatches
    from hardneg.online.distributed import gather
    from hardneg.online.examples import hard_examples
    from hardneg.online.guards import About, Guard, Guarded, Judged, class_means
    from hardneg.online.hooks import KeepState, RefreshCallback
    from hardneg.online.lightning import LightningRefresh
    from hardneg.online.live import Live
    from hardneg.online.losses import InfoNCE, TripletLoss
    from hardneg.online.miners import (
        MINERS,
        AllHard,
        BatchAll,
        BatchHard,
        DistanceWeighted,
        EasyPositive,
        Miner,
        MultiSimilarity,
        SemiHard,
        SemiHardBeyondHardest,
        SemiHardFaceNet,
        SemiHardNearest,
        SemiHardRandom,
        Tempered,
        TopK,
        Uniform,
        make_miner,
    )
    from hardneg.online.mixing import MoCHi
    from hardneg.online.monitor import Alarm, Mined, Monitor
    from hardneg.online.pairs import Pairs, as_dataset
    from hardneg.online.queue import MemoryQueue
    from hardneg.online.refresh import Refresh, Refresher
    from hardneg.online.relations import Relations, relations_of
    from hardneg.online.sentence_batches import ClusteredSampling, HardClassSampling
    from hardneg.online.thermostat import Thermostat
    from hardneg.online.weights import contrast, hardness

__all__ = [
    "MINERS",
    "About",
    "Alarm",
    "AllHard",
    "BatchAll",
    "BatchHard",
    "ClusteredBatches",
    "ClusteredSampling",
    "DistanceWeighted",
    "EasyPositive",
    "Guard",
    "Guarded",
    "HardClassBatches",
    "HardClassSampling",
    "InfoNCE",
    "Judged",
    "KeepState",
    "LightningRefresh",
    "Live",
    "MemoryQueue",
    "Mined",
    "Miner",
    "MoCHi",
    "Monitor",
    "MultiSimilarity",
    "Pairs",
    "Refresh",
    "RefreshCallback",
    "Refresher",
    "Relations",
    "SemiHard",
    "SemiHardBeyondHardest",
    "SemiHardFaceNet",
    "SemiHardNearest",
    "SemiHardRandom",
    "Tempered",
    "Thermostat",
    "TopK",
    "TripletLoss",
    "Uniform",
    "as_dataset",
    "class_means",
    "contrast",
    "gather",
    "hard_examples",
    "hardness",
    "make_miner",
    "relations_of",
]

_HOMES = {
    "losses": ("InfoNCE", "TripletLoss"),
    "mixing": ("MoCHi",),
    "weights": ("contrast", "hardness"),
    "guards": ("About", "Guard", "Guarded", "Judged", "class_means"),
    "miners": ("MINERS", "AllHard", "BatchAll", "BatchHard", "DistanceWeighted", "EasyPositive", "Miner",
               "MultiSimilarity", "SemiHard", "SemiHardBeyondHardest", "SemiHardFaceNet", "SemiHardNearest",
               "SemiHardRandom", "Tempered", "TopK", "Uniform", "make_miner"),
    "relations": ("Relations", "relations_of"),
    "batches": ("ClusteredBatches", "HardClassBatches"),
    "distributed": ("gather",),
    "examples": ("hard_examples",),
    "hooks": ("KeepState", "RefreshCallback"),
    "lightning": ("LightningRefresh",),
    "live": ("Live",),
    "monitor": ("Alarm", "Mined", "Monitor"),
    "pairs": ("Pairs", "as_dataset"),
    "queue": ("MemoryQueue",),
    "refresh": ("Refresh", "Refresher"),
    "sentence_batches": ("ClusteredSampling", "HardClassSampling"),
    "thermostat": ("Thermostat",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hardneg.online' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"hardneg.online.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
