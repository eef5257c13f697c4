"""Words in common: of an anchor and its items, and of these and the anchor's positives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
_TEXTS = 64  # whose bytes are looked at at a time, so that they stay in a processor's cache
_SMALL = 16_384  # items that are read once and kept
_NONE = 2**32  # stands in every text, without weight: no text is empty
_BASE, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_LETTER = np.array([one >= 128 or chr(one).isalnum() for one in range(256)])


@dataclass(frozen=True, eq=False)
class _Bags:
    """Texts as words: each row holds numbers of words, rising, and ``weight`` belongs to its values."""

    words: Ragged
    weight: Figures

    def row(self, row: int) -> tuple[IntArray, Figures]:
        """The words of one text and their weights."""
        part = slice(self.words.offsets[row], self.words.offsets[row + 1])
        return self.words.values[part], self.weight[part]


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
        self._small = _words(self._items, np.arange(len(keys))) if len(keys) <= _SMALL else None
        counted = _words(self._items, drawn)[0] if self._small is None else self._small[0].take(drawn)
        self._known, many = np.unique(counted.values, return_counts=True)
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
            asked = np.concatenate([lists.values, rows.item[bounds[0] : bounds[-1]]])
            told, at = self._together(asked)
            bags = told.numbered(self._bags(*_words(self._anchors, anchors)))
            room = np.zeros((len(told.vocabulary), 1 + int(lists.lengths().max(initial=0))))
            shift = len(lists.values) - int(bounds[0])
            for one, (begin, stop) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
                known, mine = at[lists.offsets[one] : lists.offsets[one + 1]], at[begin + shift : stop + shift]
                out[:, begin:stop] = told.compared(bags.row(one), known, mine, hidden[begin:stop], room)
        return out

    def _together(self, items: IntArray) -> tuple[_Texts, IntArray]:
        """The texts of some items at least, and which of them is each one's."""
        if self._all is not None:
            return self._all, items
        some, at = np.unique(items, return_inverse=True)
        return _Texts.of(self._bags(*_words(self._items, some))), at

    @cached_property
    def _all(self) -> _Texts | None:
        return None if self._small is None else _Texts.of(self._bags(*self._small))

    def _bags(self, words: Ragged, many: IntArray) -> _Bags:
        """Texts, each of length 1, of their words and how often each is there."""
        place = np.minimum(np.searchsorted(self._known, words.values), max(0, len(self._known) - 1))
        there = self._known[place] == words.values if len(self._known) else np.zeros(len(words.values), bool)
        rare = np.where(there, self._rare[place], self._rarest) if len(self._known) else np.ones(len(words.values))
        weight = np.where(words.values == _NONE, 0, (1 + np.log(many)) * rare)
        length = np.sqrt(np.bincount(words.rows(), weight**2, minlength=len(words)))
        return _Bags(words, weight / np.where(length > 0, length, 1)[words.rows()])


@dataclass(frozen=True, eq=False)
class _Texts:
    """Texts of items whose words have numbers from 0 on: their places in the vocabulary."""

    vocabulary: IntArray
    bags: _Bags

    @classmethod
    def of(cls, bags: _Bags) -> _Texts:
        vocabulary, at = np.unique(bags.words.values, return_inverse=True)
        return cls(vocabulary, _Bags(Ragged(bags.words.offsets, at), bags.weight))

    def numbered(self, bags: _Bags) -> _Bags:
        """Other texts in these numbers; words that no item has have nothing in common with any."""
        place = np.minimum(np.searchsorted(self.vocabulary, bags.words.values), len(self.vocabulary) - 1)
        there = self.vocabulary[place] == bags.words.values
        words = Ragged(bags.words.offsets, place).where(there)
        return _Bags(words, bags.weight[there])

    def compared(
        self, anchor: tuple[IntArray, Figures], known: IntArray, mine: IntArray, hidden: BoolArray, room: Figures
    ) -> Figures:
        """The figures of one anchor's items ``mine``, beside its positives ``known``; ``room`` is zeros again after."""
        p, rows, words = len(known), np.concatenate([known, mine]), self.bags.words
        sides = [anchor, *(self.bags.row(one) for one in known.tolist())]
        for column, (places, weight) in enumerate(sides):
            room[places, column] = weight
        told = np.zeros(len(self.vocabulary), bool)
        told[np.concatenate([places for places, _ in sides])] = True
        told[-1] = True  # the word of all texts, which has the highest number
        lengths = words.lengths()[rows]
        at = expand(words.offsets[:-1][rows], lengths)
        common = told[words.values[at]]
        lengths = np.add.reduceat(common, np.cumsum(lengths) - lengths, dtype=np.int64)
        at = at[common]  # few words of most texts
        products = room[words.values[at], : p + 1] * self.bags.weight[at][:, None]
        sims = np.add.reduceat(products, np.cumsum(lengths) - lengths).astype(np.float32).astype(np.float64)
        for places, _ in sides:
            room[places] = 0
        own = mine[:, None] == known
        score, near = sims[p:, 0], np.where(own, -np.inf, sims[p:, 1:]).max(axis=1, initial=-np.inf)
        less = hidden & own.any(axis=1)
        others = p - less
        mean = (sims[:p, 0].sum() - np.where(less, score, 0)) / np.maximum(others, 1)
        return np.stack([score, np.where(others > 0, score - mean, np.nan), np.where(np.isfinite(near), near, np.nan)])


def _words(things: Collection, rows: IntArray) -> tuple[Ragged, IntArray]:
    """The different words of some texts as numbers, rising, and how often each is there.

    A word is a run of letters and digits; what is not ASCII counts as a letter. Its number is a polynomial of its
    bytes, all of them summed up at once (Karp & Rabin 1987), mixed and cut to 32 bits.
    """
    texts = things.table.column("text").take(pa.array(rows)).combine_chunks()
    read = pc.utf8_lower(pc.utf8_slice_codeunits(texts, 0, _LETTERS)).cast(pa.large_string())
    some = [_numbered(read.slice(start, _TEXTS)) + (start << 33) for start in range(0, len(rows), _TEXTS)]
    every = (np.arange(len(rows)) << 33) | _NONE
    found, many = np.unique(np.concatenate([every, *some]), return_counts=True)
    return Ragged.from_lengths(np.bincount(found >> 33, minlength=len(rows)), found & (2**33 - 1)), many


def _numbered(texts: pa.LargeStringArray) -> IntArray:
    """All words of some texts: the row of each times 2**33, and its number."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    starts, stops = _runs(_LETTER[held], offsets[1:-1])
    powers, back = (np.full(len(held) + 1, one) for one in (_BASE, _INVERSE))
    powers[0] = back[0] = 1
    with np.errstate(over="ignore"):
        powers, back = np.cumprod(powers), np.cumprod(back)
        sums = np.append(np.uint64(0), np.cumsum(held * powers[:-1], dtype=np.uint64))
        numbers = ((sums[stops] - sums[starts]) * back[starts] * _MIX) >> np.uint64(32)
    return ((np.searchsorted(offsets, starts, side="right") - 1) << 33) | numbers.astype(np.int64)


def _runs(letters: BoolArray, cuts: IntArray) -> tuple[IntArray, IntArray]:
    """Where runs of letters start and stop; none goes over a cut.

    >>> _runs(np.array([True, True, False, True, True]), np.array([4]))
    (array([0, 3, 4]), array([2, 4, 5]))
    """
    begins = letters & ~np.append(False, letters[:-1])
    ends = letters & ~np.append(letters[1:], False)
    cuts = cuts[(cuts > 0) & (cuts < len(letters))]
    begins[cuts] = letters[cuts]
    ends[cuts - 1] = letters[cuts - 1]
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1
