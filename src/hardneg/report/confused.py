"""The pairs of classes that are confused most, each with its hardest examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.pictures import Thumb

__all__ = ["ConfusedExample", "ConfusedPair", "Thing", "worst_pairs"]

_PAIRS = 12
_EXAMPLES = 3
_EXCERPT = 120
_PIXELS = 96


@dataclass(frozen=True)
class Thing:
    """An anchor or an item as it is shown."""

    id: str
    text: str | None
    cut: int
    label: str
    picture: Thumb | None


@dataclass(frozen=True)
class ConfusedExample:
    """An item beside the anchor it is taken for; ``anchor`` is None where that is the class itself."""

    anchor: Thing | None
    item: Thing
    state: str
    score: float


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes: how many items of the one are negatives, or suspects, of the other."""

    anchor: str
    item: str
    negatives: int
    suspects: int
    of_all: int  # negatives and suspects of the anchors' class
    examples: list[ConfusedExample]


def worst_pairs(
    facts: Facts, classes: Classes, counts: Mapping[State, tuple[IntArray, IntArray, IntArray]]
) -> list[ConfusedPair]:
    """The most frequent pairs of two classes, with the hardest few candidates of each."""
    size = len(classes.names)
    both = np.concatenate([np.stack(one) for one in counts.values()], axis=1)
    keys, at = np.unique(both[0] * (size + 1) + both[1], return_inverse=True)
    total = np.bincount(at, both[2], len(keys)).astype(np.int64)
    of_anchor = np.bincount(both[0], both[2], size).astype(np.int64)
    order = [place for place in np.argsort(-total, kind="stable").tolist() if keys[place] % (size + 1) < size][:_PAIRS]
    out = []
    for key in keys[order].tolist():
        left, right = divmod(key, size + 1)
        found = {state: int(one[2][(one[0] == left) & (one[1] == right)].sum()) for state, one in counts.items()}
        examples = _examples(facts, classes, left, right)
        names = classes.names[left], classes.names[right]
        out.append(ConfusedPair(*names, found[State.SAMPLED], found[State.SUSPECT], int(of_anchor[left]), examples))
    return out


def _has(codes: IntArray | Ragged, code: int) -> BoolArray:
    """Which things are of a class."""
    if not isinstance(codes, Ragged):
        return np.asarray(codes == code)
    return np.asarray(np.bincount(codes.rows()[codes.values == code], minlength=len(codes)) > 0)


def _examples(facts: Facts, classes: Classes, left: int, right: int) -> list[ConfusedExample]:
    """The hardest candidates of one class for another, each item once."""
    wanted = (facts.state == State.SAMPLED) | (facts.state == State.SUSPECT)
    rows = np.flatnonzero(wanted & _has(classes.anchors, left)[facts.anchor] & _has(classes.items, right)[facts.item])
    rows = rows[np.lexsort((facts.item[rows], -facts.score[rows]))]
    _, first = np.unique(facts.item[rows], return_index=True)
    rows = rows[np.sort(first)[:_EXAMPLES]]
    anchor, item = facts.anchor[rows], facts.item[rows]
    items = _things(facts.run.items, item, facts.item_labels(item), facts.album.thumbs(item, _PIXELS))
    anchors: list[Thing] | list[None] = [None] * len(rows)
    if classes.kind == "items":
        pictures = facts.album.thumbs(facts.own[anchor], _PIXELS)
        anchors = _things(facts.run.anchors, anchor, facts.anchor_labels(anchor), pictures)
    return [
        ConfusedExample(anchor, item, State(int(state)).name.lower(), float(score))
        for anchor, item, state, score in zip(anchors, items, facts.state[rows], facts.score[rows], strict=True)
    ]


def _things(
    things: Collection, rows: IntArray, labels: list[str | None], pictures: list[Thumb | None]
) -> list[Thing]:  # fmt: skip
    texts = excerpt(things, rows, _EXCERPT)
    return [Thing(*text, label or "", picture) for text, label, picture in zip(texts, labels, pictures, strict=True)]
