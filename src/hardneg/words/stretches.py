"""What texts say: their words, and words that follow one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.ragged import Ragged
from hardneg.words.lexicon import plain

__all__ = ["Spoken", "shorter", "spoken"]


@dataclass(frozen=True, eq=False)
class Spoken:
    """The different words and stretches of words of texts, and which each text has: one row of ``of`` a text."""

    phrases: tuple[str, ...]
    of: Ragged


def spoken(texts: Iterable[str | None], longest: int) -> Spoken:
    """All stretches of up to ``longest`` words of each text; of no text, none.

    >>> found = spoken(["A Lexus!", None, "lexus"], longest=2)
    >>> found.phrases
    ('a', 'lexus', 'a lexus')
    >>> found.of[2].tolist()
    [1]
    """
    places: dict[str, int] = {}
    rows: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for text in texts:
        words = plain(text or "").split()
        mine = {
            places.setdefault(" ".join(words[at : at + length]), len(places))
            for length in range(1, longest + 1)
            for at in range(len(words) - length + 1)
        }
        rows.append(np.array(sorted(mine), np.int64))
    return Spoken(tuple(places), Ragged.from_lists(rows))


def shorter(phrase: str) -> Sequence[str]:
    """The stretches of a phrase that are one word shorter.

    >>> shorter("play a lexus"), shorter("lexus")
    (('play a', 'a lexus'), ())
    """
    first, _, rest = phrase.partition(" ")
    start, _, last = phrase.rpartition(" ")
    return (start, rest) if first and last and rest else ()
