"""Items that say a word which sounds like the anchor's: five for nine, a lexus for alexa."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hardneg.classes import Classes
from hardneg.context import Context
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.sources._base import Source
from hardneg.sources._by_class import by_class, once
from hardneg.table import Rows
from hardneg.words import Lexicon, Vocabulary, plain, shorter, spoken, unpronounced
from hardneg.words.distance import Distances

__all__ = ["Confusable"]


@dataclass(frozen=True)
class Confusable(Source):
    """The items that say one of the words that sound most like the anchor's label, but not the label itself.

    What an item says is its label and, where there are texts, each word of its text and each stretch of words, up to
    one word longer than the longest label. Of what may be mined the ``nearest`` words count for a label; how far apart
    words sound, :func:`hardneg.words.apart` says, and the score is 1 minus that. Words that sound the same as the label
    (two and too) are no negatives: nobody can tell them apart by ear. An item that says the label, or what sounds the
    same, is no candidate either. Nothing is found for a label that cannot be pronounced; the manifest names it.

    How alike the recordings are stands in the columns ``score`` and ``positive_similarity``: this source hears nothing.

    Args:
        k: at most this many candidates for an anchor, those of the nearest word first.
        nearest: how many words count for a label.
        lexicon: a file of words with their pronunciations, which come before the CMU dictionary's.
        language: whose words these are, as a voice of espeak-ng; for English the CMU dictionary is used.

    Raises InputError where no label can be pronounced, MissingExtraError without the dictionary.
    """

    name: ClassVar[str] = "confusable"
    promises_k: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True

    k: int = field(default=200, metadata={"always": True})
    nearest: int = 5
    lexicon: str | None = None
    language: str = "en-us"

    def __post_init__(self) -> None:
        require(self.k >= 1, "k", "at least 1", self.k)
        require(self.nearest >= 1, "nearest", "at least 1", self.nearest)

    def prepare(self, context: Context) -> Callable[[IntArray], Rows]:
        """Find the nearest words of each label, and the items that say them."""
        classes, barred = context.classes(self.name), context.positives.barred
        lexicon = Lexicon.load(self.lexicon, self.language)
        silent = lexicon.unknown(classes.names)
        if len(silent) == len(classes.names):
            raise unpronounced(silent)
        words = _words(context, classes)
        vocabulary = Vocabulary.of(words.phrases, lexicon)
        _note_unknown(context, silent, vocabulary.unknown)
        found = []
        with context.progress.stage("sound out labels", len(classes.names), "labels") as report:
            index = {phrase: place for place, phrase in enumerate(words.phrases)}
            known = np.array([index[word] for word in vocabulary.words], np.int64)
            for name in classes.names:
                far = np.full(len(index) + 1, np.inf)  # one more for what is not there
                if ways := lexicon.pronounce(name):
                    far[known] = vocabulary.whole(ways)
                    far[index[plain(name)]] = 0
                found.append(_nearest(far, words, self.nearest))
                report(len(found), len(classes.names))
        context.notes["confusable"] = {
            name: {words.phrases[one]: round(float(far), 4) for one, far in zip(near.phrases, near.far, strict=True)}
            for name, near in zip(classes.names, found, strict=True)
            if len(near.phrases)
        }
        lists, scores = _candidates(found, words, barred)
        return by_class(context.positives, classes, lists, scores, self.k)


@dataclass(frozen=True, eq=False)
class _Words:
    """The different words and stretches that items say: which item says which, and which of them may be mined.

    ``parts`` are the two stretches of each that are one word shorter, -1 where there are none, shape ``(phrases, 2)``.
    """

    phrases: tuple[str, ...]
    of: Ragged
    minable: BoolArray
    parts: IntArray


@dataclass(frozen=True, eq=False)
class _Near:
    """The words that count for a label, the nearest first, how far they are, and all that sound the same as it."""

    phrases: IntArray
    far: Distances
    same: IntArray


def _words(context: Context, classes: Classes) -> _Words:
    """Labels and, where there are texts, what these say."""
    items = context.positives.items
    names = [plain(name) for name in classes.names]
    longest = 1 + max(name.count(" ") + 1 for name in names)
    texts = items.table.column("text").to_pylist() if "text" in items.table.column_names else []
    said = spoken(texts, longest)
    index = {phrase: place for place, phrase in enumerate(said.phrases)}
    numbers = np.array([index.setdefault(name, len(index)) for name in names], np.int64)
    labels = Ragged.from_codes(classes.items)
    of = Ragged.from_pairs(labels.rows(), numbers[labels.values], len(items))
    of = of.merged(said.of) if len(said.of) else of
    minable = np.zeros(len(index), bool)
    minable[of.values[~context.positives.barred[of.rows()]]] = True
    parts = [[index.get(part, -1) for part in shorter(phrase)] or [-1, -1] for phrase in index]
    return _Words(tuple(index), of, minable, np.array(parts, np.int64).reshape(-1, 2))


def _nearest(far: Distances, words: _Words, nearest: int) -> _Near:
    """The nearest words among what may be mined, given how far each is from a label.

    A stretch counts only where it is nearer than both of its parts. Ties stand in the order of the alphabet.
    """
    here = far[:-1]
    usable = np.flatnonzero(words.minable & (here > 0) & np.isfinite(here))
    usable = usable[far[words.parts[usable]].min(axis=1) > far[usable]]
    if len(usable) > nearest:
        usable = usable[far[usable] <= np.partition(far[usable], nearest - 1)[nearest - 1]]
    chosen = np.array(sorted(usable.tolist(), key=lambda one: (far[one], words.phrases[one]))[:nearest], np.int64)
    return _Near(chosen, far[chosen], np.flatnonzero(here == 0))


def _candidates(found: list[_Near], words: _Words, barred: BoolArray) -> tuple[Ragged, FloatArray]:
    """For each class the items that say one of its words and nothing that sounds like itself, with their scores."""
    sayers = words.of.inverted(len(words.phrases))
    rows, items, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for row, near in enumerate(found):
        mine = sayers.take(near.phrases)
        fit = ~barred[mine.values] & ~np.isin(mine.values, sayers.take(near.same).values)
        rows.append(np.full(int(fit.sum()), row))
        items.append(mine.values[fit])
        scores.append((1 - near.far[mine.rows()[fit]]).astype(np.float32))
    of, which, points = once(np.concatenate(rows), np.concatenate(items), np.concatenate(scores))
    return Ragged.from_lengths(np.bincount(of, minlength=len(found)), which), points


def _note_unknown(context: Context, labels: list[str], words: tuple[str, ...]) -> None:
    """Say which words nothing says how to pronounce."""
    if labels or words:
        context.notes["unpronounced"] = {"labels": labels, "words": len(words), "examples": list(words[:5])}
        named = ", ".join(dict.fromkeys([*labels, *words][:5]))
        context.progress.say(f"confusable: it is not known how to pronounce, and left out: {named}")
