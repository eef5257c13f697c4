"""Judged data of which half of the positives are hidden before mining: what is mined of them is known to be false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.texts import Judged, scifact, stackfaq
from benchmarks.trust.data import judged
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache, WordLlama, encode_texts
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run
from hardneg.steps import DEFAULT_FILTERS

__all__ = ["HIDE", "SCENES", "Data", "Scene", "half_hidden"]

NAIVE = ("known(shared=false)",)
CALIBRATED = ("known(shared=false)", "calibrated(false_negatives=0.02)")
MARGIN = ("known(shared=false)", "margin(relative=0.05, reference=mean)")


@dataclass(frozen=True, eq=False)
class Data:
    """All there is: things, vectors of both sides, and the pairs that are positive, by row."""

    anchors: Collection
    items: Collection
    vectors: tuple[NDArray[np.float32], NDArray[np.float32]]
    anchor: IntArray
    item: IntArray
    own: IntArray | None = None  # the item that each anchor is


@dataclass(frozen=True)
class Scene:
    """What is mined, and which positives are hidden: pair by pair, item by item, or mostly those far or near."""

    name: str
    data: Callable[[Path], Data]
    filters: tuple[str, ...]
    hide: str = "pairs"


Hide = Callable[[Data, np.random.Generator], NDArray[np.bool_]]
HIDE: dict[str, Hide] = {
    "pairs": lambda data, draw: draw.random(len(data.anchor)) < 0.5,
    "items": lambda data, draw: (draw.random(len(data.items)) < 0.5)[data.item],
    "far": lambda data, draw: draw.random(len(data.anchor)) < _farness(data),
    "near": lambda data, draw: draw.random(len(data.anchor)) > _farness(data),
}


def _farness(data: Data) -> NDArray[np.float64]:
    """Half of all, the more surely the less a positive resembles its anchor: as if a search had found what is known."""
    like = Vectors(*data.vectors).pairs(data.anchor, data.item)
    place = np.empty(len(like))
    place[np.argsort(-like)] = (np.arange(len(like)) + 0.5) / len(like)
    return place**3 / (place**3 + (1 - place) ** 3)


def half_hidden(scene: Scene, data: Data, seed: int) -> tuple[Run, NDArray[np.bool_]]:
    """Mine with half of the positives hidden; gives the run and which of the mined are false."""
    hidden = HIDE[scene.hide](data, np.random.default_rng(seed))
    known = ~hidden
    asked = np.unique(data.anchor[known])
    place = np.full(len(data.anchors), -1, np.int64)
    place[asked] = np.arange(len(asked))
    anchors, nothing = data.anchors.take(asked), Ragged.empty(len(asked))
    positive = Ragged.from_pairs(place[data.anchor[known]], data.item[known], len(asked))
    own = np.full(len(asked), -1, np.int64) if data.own is None else data.own[asked]
    barred = np.zeros(len(data.items), bool)
    positives = Positives(anchors, data.items, positive, nothing, nothing, own, barred)
    vectors = Vectors(data.vectors[0][asked], data.vectors[1])
    run = mine(positives, encoder=vectors, sources="neighbors(k=100)", filters=list(scene.filters), sampler="top(n=8)")
    left = hidden & (place[data.anchor] >= 0)
    truth = Ragged.from_pairs(place[data.anchor[left]], data.item[left], len(asked))
    table = run.negatives
    at = (anchors.positions(table.column("anchor")), data.items.positions(table.column("item")))
    return run, truth.contains(*at)


@cache
def texts(read: Callable[[], Judged], anchors: int, work: Path) -> Data:
    """Judged texts as WordLlama sees them, of the first anchors that have a positive."""
    judged, vectors = read(), EmbeddingCache(work / "vectors")
    asked = [one for one in judged.anchors if one in judged.positives][:anchors]
    rows = {one: row for row, one in enumerate(judged.items)}
    pairs = np.array([(at, rows[item]) for at, one in enumerate(asked) for item in judged.positives[one]], np.int64)
    sides = ([judged.anchors[one] for one in asked], "anchor"), (list(judged.items.values()), "item")
    encoded = [encode_texts(WordLlama(), told, role, vectors) for told, role in sides]
    # Without texts: finding copies would be most of the work, and there are none.
    things = (Collection.of(asked), Collection.of(list(judged.items)))
    return Data(*things, (encoded[0], encoded[1]), pairs[:, 0], pairs[:, 1])


@cache
def digits(work: Path) -> Data:  # noqa: ARG001 - they come with scikit-learn
    """Handwritten digits as retrieval: 100 are the anchors, the others of the same digit their positives."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    asked, items = order[:100], order[100:]
    vectors = (pixels / 16).astype(np.float32)
    anchor, item = np.nonzero(labels[asked][:, None] == labels[items][None, :])
    sides = (Collection.of([f"a{row}" for row in asked]), Collection.of([f"i{row}" for row in items]))
    return Data(*sides, (vectors[asked], vectors[items]), anchor, item)


@cache
def faces(work: Path) -> Data:
    """Pictures of faces as retrieval: the others of the same person are positives."""
    found = judged("ORL faces", work)
    if found is None:
        raise FileNotFoundError("The ORL faces are not here.")
    vectors = np.asarray(found.vectors.anchors), np.asarray(found.vectors.items)
    sides = (Collection.of([f"a{row}" for row in range(len(vectors[0]))]),
             Collection.of([f"i{row}" for row in range(len(vectors[1]))]))  # fmt: skip
    return Data(*sides, vectors, found.positive.rows(), found.positive.values, found.own)


def faq(work: Path) -> Data:
    return texts(stackfaq, 120, work)


def whole_faq(work: Path) -> Data:
    return texts(stackfaq, 2000, work)


SCENES = (
    Scene("StackFAQ, nearest", faq, NAIVE),
    Scene("StackFAQ, margin", faq, MARGIN),
    Scene("SciFact, nearest", lambda work: texts(scifact, 2000, work), NAIVE),
    Scene("digits, margin", digits, MARGIN),
    Scene("StackFAQ, margin, the far ones hidden", faq, MARGIN, "far"),
    Scene("StackFAQ, margin, the near ones hidden", faq, MARGIN, "near"),
    Scene("StackFAQ, margin, hidden by item", faq, MARGIN, "items"),
    Scene("StackFAQ, default filters", faq, DEFAULT_FILTERS),
    Scene("StackFAQ, calibrated", whole_faq, CALIBRATED),
    Scene("StackFAQ, calibrated, hidden by item", whole_faq, CALIBRATED, "items"),
    Scene("ORL faces, calibrated", faces, CALIBRATED),
    Scene("ORL faces, calibrated, hidden by item", faces, CALIBRATED, "items"),
)
