"""The words that sound most like a keyword: those that a detector takes for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.words.distance import Bank, Distances, Sounds, apart
from hardneg.words.lexicon import Lexicon, plain
from hardneg.words.stretches import shorter

__all__ = ["Vocabulary", "confusable"]

_COLUMNS = pa.schema(
    [
        ("keyword", pa.string()), ("word", pa.string()), ("distance", pa.float64()), ("within", pa.float64()),
        ("sounds", pa.string()), ("keyword_sounds", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words to look among, each once, with the pronunciations of those that are known, side by side.

    ``unknown`` are the words that cannot be pronounced; neither they nor phrases with them are ever found.
    """

    words: tuple[str, ...]
    pronunciations: tuple[Sounds, ...]
    owner: IntArray  # the word that each pronunciation is of, rising
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str], lexicon: Lexicon) -> Vocabulary:
        """Words and phrases as a lexicon pronounces them; those that differ in case or signs only are one."""
        names = tuple(dict.fromkeys(name for word in words if (name := plain(word))))
        ways = [lexicon.pronounce(name) for name in names]
        known = [place for place, one in enumerate(ways) if one]
        lengths = [len(ways[place]) for place in known]
        return cls(
            tuple(names[place] for place in known),
            tuple(sounds for place in known for sounds in ways[place]),
            np.repeat(np.arange(len(known)), lengths),
            tuple(lexicon.unknown(dict.fromkeys(_in_silent(names, ways)))),
        )

    @classmethod
    def of_lexicon(cls, lexicon: Lexicon) -> Vocabulary:
        """All words that are listed in a lexicon."""
        entries = lexicon.entries
        lengths = [len(one) for one in entries.values()]
        sounds = tuple(one for ways in entries.values() for one in ways)
        return cls(tuple(entries), sounds, np.repeat(np.arange(len(lengths)), lengths), ())

    def whole(self, ways: Sequence[Sounds]) -> Distances:
        """How far each word is from a keyword, shape ``(len(words),)``.

        The keyword has several ``ways`` to be pronounced: of these and of those of the word, the nearest two count.
        """
        return self._least([self._bank.whole(way) for way in ways])

    def within(self, ways: Sequence[Sounds]) -> Distances:
        """How far a keyword is from the nearest stretch of each word, shape ``(len(words),)``."""
        return self._least([self._bank.within(way) for way in ways])

    def nearest(self, place: int, ways: Sequence[Sounds]) -> tuple[Sounds, Sounds]:
        """The pronunciations of a word and of a keyword that are nearest to each other, the first of equals."""
        first, last = np.searchsorted(self.owner, [place, place + 1])
        pairs = [(sounds, way) for sounds in self.pronunciations[first:last] for way in ways]
        return min(pairs, key=lambda pair: apart(pair[1], pair[0])[0])

    def _least(self, found: Sequence[Distances]) -> Distances:
        """The least of all pronunciations of a word."""
        least = np.minimum.reduce(found)
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        return np.minimum.reduceat(least, starts) if len(starts) else least

    @cached_property
    def alphabet(self) -> IntArray:
        """The place of each word in the order of the alphabet, shape ``(len(words),)``."""
        places = np.empty(len(self.words), np.int64)
        places[sorted(range(len(self.words)), key=self.words.__getitem__)] = np.arange(len(self.words))
        return places

    @cached_property
    def _bank(self) -> Bank:
        return Bank.of(self.pronunciations)


def confusable(
    keywords: Sequence[str],
    among: Vocabulary,
    lexicon: Lexicon,
    k: int = 20,
    by: Literal["distance", "within"] = "distance",
) -> pa.Table:
    """The ``k`` words that sound most like each keyword, the nearest first.

    Args:
        keywords: words or phrases.
        among: where to look.
        lexicon: how the keywords are pronounced.
        k: how many words a keyword gets, at most.
        by: ``distance`` of the whole words, or ``within``: how far the keyword is from the nearest stretch of the
            word, which finds it inside longer words. Ties stand in the order of the other figure, then of the alphabet.

    Returns:
        One row for each keyword and word: ``keyword``, ``word``, ``distance`` and ``within`` (both from 0 to 1, see
        :func:`~hardneg.words.distance.apart`), and how both are pronounced. Words at distance 0 sound the same. The
        keyword itself is not among them. Nor is a phrase that is no nearer than a part of it.

    Raises InputError for keywords that cannot be pronounced.

    >>> lexicon = Lexicon({"go": (("ɡ", "o", "ʊ"),), "no": (("n", "o", "ʊ"),), "cat": (("k", "æ", "t"),)})
    >>> found = confusable(["go"], Vocabulary.of_lexicon(lexicon), lexicon, k=1)
    >>> found.column("word").to_pylist()
    ['no']
    """
    require(k >= 1, "k", "at least 1", k)
    require(by in ("distance", "within"), "by", "distance or within", by)
    if missing := lexicon.unknown(keywords):
        raise unpronounced(missing)
    rows = [row for keyword in keywords for row in _found(keyword, among, lexicon, k, by)]
    return pa.Table.from_pylist([dict(zip(_COLUMNS.names, row, strict=True)) for row in rows], _COLUMNS)


def _in_silent(names: Sequence[str], ways: Sequence[tuple[Sounds, ...]]) -> Iterator[str]:
    """The words of phrases that cannot be pronounced."""
    return (word for name, known in zip(names, ways, strict=True) if not known for word in name.split())


def unpronounced(words: Sequence[str]) -> InputError:
    """An error that names words that nothing says how to pronounce."""
    named = ", ".join(f"'{one}'" for one in words[:5]) + (" ..." if len(words) > 5 else "")
    return InputError(
        f"It is not known how to pronounce {named}.",
        remedy="Give a list with them (a line each: word, a tab, its sounds as F AY1 V or faɪv), or install espeak-ng.",
    )


def _found(keyword: str, among: Vocabulary, lexicon: Lexicon, k: int, by: str) -> list[tuple[object, ...]]:
    ways = lexicon.pronounce(keyword)
    whole, within = among.whole(ways), among.within(ways)
    first, second = (whole, within) if by == "distance" else (within, whole)
    order = np.lexsort((among.alphabet, second, first))
    figure = dict(zip(among.words, first.tolist(), strict=True)) if any(" " in one for one in among.words) else {}
    rows: list[tuple[object, ...]] = []
    for place in order.tolist():
        word = among.words[place]
        if word == plain(keyword) or any(figure.get(one, 2.0) <= first[place] for one in shorter(word)):
            continue
        sounds, mine = among.nearest(place, ways)
        rows.append((keyword, word, float(whole[place]), float(within[place]), "".join(sounds), "".join(mine)))
        if len(rows) == k:
            break
    return rows
