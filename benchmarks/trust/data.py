"""Judged texts, and labelled pictures and digits turned into retrieval: who shares a label is a positive."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import encoders
from benchmarks.texts import data_folder, judged_sets
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache, encode_images, encode_texts, make_encoder
from hardneg.positives import Positives
from hardneg.ragged import Ragged

__all__ = ["NAMES", "Judged", "judged", "labelled"]

Ints = NDArray[np.int64]
_PICTURES = {  # folder, column of the label, encoder, classes, pictures of each, anchors of each
    "CIFAR-10": ("image_cifar10", ("label",), "efficientnet_lite0", 10, 200, 40),
    "Omniglot": ("identity_omniglot", ("alphabet", "character"), "descriptor", 120, 20, 8),
    "ORL faces": ("face_orl", ("identity",), "descriptor", 40, 10, 10),
    "Flowers": ("image_flowers12", ("label",), "mobilenet_v2", 12, 80, 30),
}
NAMES = (
    *(f"{data}, {encoder}" for data in ("StackFAQ", "SciFact") for encoder in ("WordLlama", "MiniLM")),
    *("digits", *_PICTURES),
)


@dataclass(frozen=True, eq=False)
class Judged:
    """Vectors, all positives of each anchor, and each anchor's own item."""

    name: str
    vectors: Vectors
    positive: Ragged
    own: Ints
    texts: tuple[list[str], list[str]] | None = None  # of the anchors and of the items

    def hidden(self, seed: int, way: str) -> tuple[Positives, Ragged]:
        """What stays known, and what is hidden: of each anchor half, one of two, none of one.

        ``itself``: each anchor hides its own at random. ``all``: an item that is hidden is hidden for all anchors
        alike, as far as halves allow. ``unlike``: each anchor hides those least similar to it, so that unknown
        positives are unlike the known ones and the assumption does not hold.
        """
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.vectors.items))
        shown, away = [], []
        for anchor in range(len(self.positive)):
            mine = self.positive[anchor]
            if way == "all":
                mine = mine[np.argsort(order[mine])]
            elif way == "unlike":
                scores = self.vectors.pairs(np.full(len(mine), anchor), mine)
                mine = mine[np.lexsort((rng.random(len(mine)), -scores))]
            else:
                mine = rng.permutation(mine)
            cut = max(1, len(mine) - len(mine) // 2)
            shown.append(np.sort(mine[:cut]))
            away.append(np.sort(mine[cut:]))
        none = Ragged.empty(len(shown))
        told = self.texts or (None, None)
        sides = (
            Collection.of(np.arange(len(shown)), texts=told[0]),
            Collection.of(np.arange(len(self.vectors.items)), texts=told[1]),
        )
        barred = np.zeros(len(self.vectors.items), bool)
        return Positives(*sides, Ragged.from_lists(shown), none, none, self.own, barred), Ragged.from_lists(away)


def judged(name: str, work: Path) -> Judged | None:
    """One data set, None where it is not here."""
    if name == "digits":
        return _labelled(name, *labelled(name, work), 60)
    if name in _PICTURES:
        there = (data_folder() / _PICTURES[name][0]).is_dir()
        return _labelled(name, *labelled(name, work), _PICTURES[name][-1]) if there else None
    data, _, encoder = name.partition(", ")
    found = next((one for one in judged_sets() if one.name == data), None)
    if found is None or encoder not in encoders():
        return None
    row = {item: place for place, item in enumerate(found.items)}
    cache = EmbeddingCache(work / "vectors")
    asked = [found.anchors[one] for one in found.positives]
    anchors = encode_texts(encoders()[encoder], asked, "anchor", cache)
    told = list(found.items.values())
    items = encode_texts(encoders()[encoder], told, "item", cache)
    positive = Ragged.from_lists([sorted(row[one] for one in mine) for mine in found.positives.values()])
    vectors = Vectors(np.asarray(anchors[:]), np.asarray(items[:]))
    return Judged(name, vectors, positive, np.full(len(positive), -1), (asked, told))


def labelled(name: str, work: Path) -> tuple[NDArray[np.float32], Ints]:
    """Vectors and labels of the digits or of a set of pictures."""
    if name == "digits":
        from sklearn.datasets import load_digits

        found = load_digits()
        return np.asarray(found.data, np.float32), np.asarray(found.target)
    folder, columns, encoder, classes, each, _ = _PICTURES[name]
    place = work / folder
    if not place.is_dir():
        with zipfile.ZipFile(data_folder() / folder / "images.zip") as archive:
            archive.extractall(place)
    with (data_folder() / folder / "index.csv").open(encoding="utf-8", newline="") as file:
        table = [
            row for row in csv.DictReader(file) if row.get("split", "train") == "train" or folder != "image_cifar10"
        ]
    labels = np.array(["/".join(row[one] for one in columns) for row in table])
    names = np.unique(labels)
    names = names[np.random.default_rng(1).permutation(len(names))[:classes]]
    rows = [int(row) for one in names for row in np.flatnonzero(labels == one)[:each]]
    pictures = [str(place / table[row]["path"]) for row in rows]
    vectors = encode_images(make_encoder(encoder), pictures, "item", EmbeddingCache(work / "vectors"))
    return np.asarray(vectors[:]), np.unique(labels[rows], return_inverse=True)[1]


def _labelled(name: str, vectors: NDArray[np.float32], labels: Ints, each: int) -> Judged:
    """Some items of each class are anchors, and all other items of their class their positives."""
    rng = np.random.default_rng(0)
    members: Callable[[int], Ints] = lambda label: np.flatnonzero(labels == label)  # noqa: E731
    drawn = [rng.choice(members(one), min(each, len(members(one))), replace=False) for one in np.unique(labels)]
    own = np.sort(np.concatenate(drawn))
    positive = Ragged.from_lists([members(labels[one])[members(labels[one]) != one] for one in own])
    return Judged(name, Vectors(vectors[own], vectors), positive, own)
