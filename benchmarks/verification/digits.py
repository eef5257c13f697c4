"""What is hard for a speaker's voice: the same word by another speaker, or any word?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import hardneg as hn
from benchmarks.labelled.noise import ids
from benchmarks.verification.data import Named

__all__ = ["Shares", "measured"]


@dataclass(frozen=True)
class Shares:
    """Of the first negatives of each utterance the share that says the same word, all and speaker by speaker."""

    source: str
    share: float
    low: float
    high: float


def measured(data: Named) -> list[Shares]:
    """The nearest utterance by another speaker, and a random one."""
    positives = hn.Positives.from_labels(data.collection())
    encoder = hn.Vectors.of_items(data.vectors, positives)
    out = []
    for name, source in (("nearest", "neighbors(k=1)"), ("random", "uniform(k=1)")):
        run = hn.mine(positives, sources=source, filters=["known"], sampler="top(n=1)", encoder=encoder)
        anchor, item = ids(run.negatives, "anchor"), ids(run.negatives, "item")
        same = data.groups[anchor] == data.groups[item]
        each = [float(same[data.codes[anchor] == speaker].mean()) for speaker in np.unique(data.codes)]
        out.append(Shares(name, float(same.mean()), min(each), max(each)))
    return out
