"""Words in common: of an anchor and its items, and of these and the anchor's positives."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg import random
from hardneg.collection import Collection
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged, expand, place_within
from hardneg.table import Rows

__all__ = ["WORDS", "Words"]

Figures = NDArray[np.float64]
WORDS = ("words", "words_above", "words_near")
_LETTERS = 2000  # of a text that are read
_COUNTED = 4096  # items whose words say how common each is
_ANCHORS = 256  # whose texts are in memory at a time
_NONE = 2**32  # stands in every text, without weight: no text is empty


@dataclass(frozen=True, eq=False)
class _Bags:
    """Texts as words: each row holds numbers of words, rising, and ``weight`` belongs to its values."""

    words: Ragged
    weight: Figures


class Words:
    """Cosine similarity of texts by their words, weighted by how often and how rare each is (Salton & Buckley 1988).

    Rareness is counted in up to 4,096 items, drawn by their ids. Words are told apart by 32 bits.
    """

    def __init__(self, positives: Positives) -> None:
        self._anchors, self._items = positives.anchors, positives.items
        keys = positives.items.keys
        drawn = np.arange(len(keys))
        if len(keys) > _COUNTED:
            drawn = np.sort(np.argsort(random.uniform(4, keys), kind="stable")[:_COUNTED])
        counted = _words(self._items, drawn)[0].values
        self._known, many = np.unique(counted, return_counts=True)
        self._rare = np.log1p((len(drawn) - many + 0.5) / (many + 0.5))
        self._rarest = float(np.log1p((len(drawn) + 0.5) / 0.5))

    @classmethod
    def of(cls, positives: Positives) -> Words | None:
        """None where not all anchors and items have a text."""
        both = positives.anchors.texts, positives.items.texts
        return cls(positives) if all(one is not None and not one.null_count for one in both) else None

    def figures(self, positive: Ragged, rows: Rows, hidden: BoolArray) -> Figures:
        """The figures ``WORDS`` of rows, shape ``(3, n)``, NaN for what there is nothing to compare with.

        Similarity to the anchor; the same, less the mean of the anchor's positives; similarity to the nearest of them.

        Args:
            positive: of each anchor, rising.
            rows: sorted by anchor.
            hidden: which are known positives taken as unknown: no positives of their anchor then.
        """
        out = np.full((len(WORDS), len(rows)), np.nan)
        first = np.flatnonzero(place_within(rows.anchor) == 0)
        for start in range(0, len(first), _ANCHORS):
            bounds = np.append(first, len(rows))[start : start + _ANCHORS + 1]
            anchors = rows.anchor[bounds[:-1]]
            lists = positive.take(anchors)
            items, at = np.unique(np.concatenate([lists.values, rows.item[bounds[0] : bounds[-1]]]), return_inverse=True)
            told = _together(self._bags(self._items, items), self._bags(self._anchors, anchors), lists)
            known = Ragged(lists.offsets, at[: len(lists.values)])
            for one, (begin, stop) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
                shift = len(lists.values) - int(bounds[0])
                mine = at[begin + shift : stop + shift]
                out[:, begin:stop] = told.compared(one, known[one], mine, hidden[begin:stop])
        return out

    def _bags(self, things: Collection, rows: IntArray) -> _Bags:
        """The texts of some things, each of length 1."""
        words, many = _words(things, rows)
        place = np.minimum(np.searchsorted(self._known, words.values), max(0, len(self._known) - 1))
        there = self._known[place] == words.values if len(self._known) else np.zeros(len(words.values), bool)
        rare = np.where(there, self._rare[place], self._rarest) if len(self._known) else np.ones(len(words.values))
        weight = np.where(words.values == _NONE, 0, (1 + np.log(many)) * rare)
        length = np.sqrt(np.bincount(words.rows(), weight**2, minlength=len(words)))
        return _Bags(words, weight / np.where(length > 0, length, 1)[words.rows()])


@dataclass(frozen=True, eq=False)
class _Together:
    """Texts of items and of anchors whose words have numbers from 0 on."""

    items: _Bags
    anchors: _Bags
    room: Figures  # a row for each word, of zeros

    def compared(self, anchor: int, known: IntArray, mine: IntArray, hidden: BoolArray) -> Figures:
        """The figures of one anchor's items ``mine``, beside its positives ``known``: rows of the items' texts."""
        p, rows = len(known), np.concatenate([known, mine])
        room = self.room[:, : p + 1]
        sides = [(self.anchors, anchor), *((self.items, one) for one in known.tolist())]
        for column, (bags, row) in enumerate(sides):
            part = slice(bags.words.offsets[row], bags.words.offsets[row + 1])
            room[bags.words.values[part], column] = bags.weight[part]
        lengths = self.items.words.lengths()[rows]
        at = expand(self.items.words.offsets[:-1][rows], lengths)
        products = room[self.items.words.values[at]] * self.items.weight[at][:, None]
        sims = np.add.reduceat(products, np.cumsum(lengths) - lengths).astype(np.float32).astype(np.float64)
        for bags, row in sides:
            room[bags.words.values[bags.words.offsets[row] : bags.words.offsets[row + 1]]] = 0
        own = mine[:, None] == known
        score, near = sims[p:, 0], np.where(own, -np.inf, sims[p:, 1:]).max(axis=1, initial=-np.inf)
        less = hidden & own.any(axis=1)
        others = p - less
        mean = (sims[:p, 0].sum() - np.where(less, score, 0)) / np.maximum(others, 1)
        return np.stack([score, np.where(others > 0, score - mean, np.nan), np.where(np.isfinite(near), near, np.nan)])


def _together(items: _Bags, anchors: _Bags, lists: Ragged) -> _Together:
    """The same texts with numbers from 0 on for the words that are there; ``lists`` are those to compare with."""
    every, at = np.unique(np.concatenate([items.words.values, anchors.words.values]), return_inverse=True)
    cut = len(items.words.values)
    numbered = [_Bags(Ragged(one.words.offsets, some), one.weight) for one, some in
                ((items, at[:cut]), (anchors, at[cut:]))]  # fmt: skip
    return _Together(*numbered, np.zeros((len(every), 1 + int(lists.lengths().max(initial=0)))))


def _words(things: Collection, rows: IntArray) -> tuple[Ragged, IntArray]:
    """The different words of some texts as numbers, rising, and how often each is there."""
    texts = things.table.column("text").take(pa.array(rows)).combine_chunks()
    read = pc.utf8_lower(pc.utf8_slice_codeunits(texts, 0, _LETTERS))
    split = pc.split_pattern_regex(read, r"[^\p{L}\p{N}]+")
    split = split.combine_chunks() if isinstance(split, pa.ChunkedArray) else split
    coded = split.flatten().dictionary_encode()
    numbers = np.array([zlib.crc32(one.encode()) if one else _NONE for one in coded.dictionary.to_pylist()], np.int64)
    row = np.repeat(np.arange(len(rows)), np.diff(split.offsets.to_numpy()))
    keys = np.concatenate([row, np.arange(len(rows))]) << 33
    keys |= np.concatenate([numbers[coded.indices.to_numpy()], np.full(len(rows), _NONE)])
    found, many = np.unique(keys, return_counts=True)
    return Ragged.from_lengths(np.bincount(found >> 33, minlength=len(rows)), found & (2**33 - 1)), many
