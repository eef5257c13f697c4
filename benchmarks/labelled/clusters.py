"""How many of the exact neighbours' hard negatives clusters find, and what that costs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.labelled.data import Labelled
from benchmarks.labelled.noise import ids
from hardneg.context import Vectors
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run

HEAD = ("data", "source", "of the 10 nearest", "anchors with none", "seconds")
SOURCES = (
    "neighbors(k=10)",
    "clusters(method=kmeans, n=20, k=10)",
    "clusters(method=kmeans, n=100, k=10)",
    "clusters(method=minibatch, n=100, k=10)",
    "clusters(method=faiss, n=100, k=10)",
    "clusters(method=hdbscan, k=10)",
)
_FEW = 2000  # HDBSCAN compares all pairs: minutes for ten thousand vectors of this width


@dataclass(frozen=True)
class Found:
    """One source against exact neighbours."""

    source: str
    recall: float
    empty: float
    seconds: float


def measured(data: Labelled) -> list[Found]:
    """Every training item is an anchor; what is to be found are its ten nearest of another class."""
    rows = np.flatnonzero(data.split == "train")
    positives = Positives.from_labels(data.collection(data.labels[rows], np.arange(len(rows))))
    encoder = Vectors(data.vectors[rows], data.vectors[rows])
    wanted: set[tuple[int, int]] = set()
    found = []
    for source in SOURCES:
        if "hdbscan" in source and len(rows) > _FEW:
            continue
        began = time.perf_counter()
        run = mine(positives, sources=source, filters="known", sampler="top(n=10)", encoder=encoder)
        seconds = _searching(run, time.perf_counter() - began)
        pairs = set(zip(ids(run.negatives, "anchor").tolist(), ids(run.negatives, "item").tolist(), strict=True))
        wanted = wanted or pairs
        asked = len({anchor for anchor, _ in pairs})
        found.append(Found(source, len(pairs & wanted) / len(wanted), 1 - asked / len(rows), seconds))
    return found


def _searching(run: Run, otherwise: float) -> float:
    """Seconds to make the source ready and to ask it, of a whole mining."""
    seconds = json.loads((run.path / "timings.json").read_text())["seconds"]
    return float(seconds.get("prepare", otherwise) + seconds.get("mine", 0))
