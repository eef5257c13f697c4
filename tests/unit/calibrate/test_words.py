"""Words in common, counted one text at a time."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from hardneg.calibrate import words as room
from hardneg.calibrate.words import Words
from hardneg.collection import Collection
from hardneg.positives import Positives
from hardneg.table import Rows

VOCABULARY = ["bank", "river", "money", "loan", "Zürich", "naïve", "12", "x", "銀行", "the"]
Bag = dict[str, float]


def _world(seed: int = 0) -> tuple[list[str], list[str], Positives]:
    rng = np.random.default_rng(seed)
    written = [
        [", ".join(rng.choice(VOCABULARY, int(size)).tolist()) for size in rng.integers(0, 9, n)] for n in (6, 40)
    ]
    pairs = [(a, i) for a in range(6) for i in rng.choice(40, a, replace=False).tolist()]
    positives = Positives.from_pairs(
        *zip(*pairs, strict=True), anchors=Collection.of(range(6), texts=written[0]),
        items=Collection.of(range(40), texts=written[1]),
    )  # fmt: skip
    return written[0], written[1], positives


def _bag(text: str, items: list[str]) -> Bag:
    """Its words by the logarithm of their number and how rare they are, of length 1."""
    of: Bag = {}
    for word, many in Counter(re.findall(r"\w+", text.lower())).items():
        there = sum(word in re.findall(r"\w+", one.lower()) for one in items)
        of[word] = (1 + math.log(many)) * math.log1p((len(items) - there + 0.5) / (there + 0.5))
    length = math.sqrt(sum(one**2 for one in of.values())) or 1
    return {word: one / length for word, one in of.items()}


def _alike(left: Bag, right: Bag) -> float:
    return sum(one * right.get(word, 0.0) for word, one in left.items())


def test_as_counted_one_by_one() -> None:
    anchors, items, positives = _world()
    anchor, item = np.repeat(np.arange(6), 40), np.tile(np.arange(40), 6)
    hidden = positives.positive.contains(anchor, item)
    words = Words.of(positives)
    assert words is not None
    found = words.figures(positives.positive, Rows(anchor, item), hidden)
    asked, read = [_bag(one, items) for one in anchors], [_bag(one, items) for one in items]
    for row, (a, i) in enumerate(zip(anchor.tolist(), item.tolist(), strict=True)):
        others = [p for p in positives.positive[a].tolist() if p != i]
        score = _alike(asked[a], read[i])
        mean = np.mean([_alike(asked[a], read[p]) for p in others]) if others else np.nan
        near = max((_alike(read[i], read[p]) for p in others), default=np.nan)
        assert found[:, row] == pytest.approx([score, score - mean, near], abs=1e-6, nan_ok=True)


def test_an_anchor_is_judged_alike_alone_and_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, positives = _world(1)
    rows = Rows(np.repeat(np.arange(6), 40), np.tile(np.arange(40), 6))
    words = Words(positives)
    hidden = positives.positive.contains(rows.anchor, rows.item)
    whole = words.figures(positives.positive, rows, hidden)
    monkeypatch.setattr(room, "_ANCHORS", 2)
    assert np.array_equal(whole, words.figures(positives.positive, rows, hidden), equal_nan=True)
    for anchor in range(6):
        mine = rows.anchor == anchor
        alone = words.figures(positives.positive, rows.take(mine), hidden[mine])
        assert np.array_equal(whole[:, mine], alone, equal_nan=True)


def test_without_all_texts_there_are_no_words() -> None:
    _, _, positives = _world()
    assert Words.of(positives) is not None
    items = Collection(pa.table({"id": range(40), "text": [None, *["word"] * 39]}))
    pairs = positives.positive.rows().tolist(), positives.positive.values.tolist()
    assert Words.of(Positives.from_pairs(*pairs, anchors=positives.anchors, items=items)) is None
    assert Words.of(Positives.from_pairs(*pairs)) is None


def test_items_read_once_and_items_read_when_asked_for_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, positives = _world(2)
    rows = Rows(np.repeat(np.arange(6), 40), np.tile(np.arange(40), 6))
    hidden = positives.positive.contains(rows.anchor, rows.item)
    once = Words(positives).figures(positives.positive, rows, hidden)
    monkeypatch.setattr(room, "_SMALL", 10)
    assert np.array_equal(once, Words(positives).figures(positives.positive, rows, hidden), equal_nan=True)
