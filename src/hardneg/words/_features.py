"""Speech sounds as articulatory features, and what it costs to hear one for another."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hardneg.carried import carried
from hardneg.errors import InputError

__all__ = ["UNIT", "costs", "segments"]

UNIT = 29
"""What it costs to leave a sound out, to put one in, or to hear a wholly different one. Costs are whole numbers."""

_SHARE = 4  # sounds that differ in a quarter of all weight are wholly different
_VALUES = {"+": 1, "0": 0, "-": -1}
_WRITTEN = {  # other ways to write a sound, as dictionaries and espeak-ng do
    "g": "ɡ", "ɚ": "ɹ̩", "ɝ": "ɹ̩", "ɜ˞": "ɹ̩", "ə˞": "ɹ̩", "ᵻ": "ɪ", "ʧ": "t͡ʃ", "ʤ": "d͡ʒ",
    "tʃ": "t͡ʃ", "dʒ": "d͡ʒ",
}  # fmt: skip
_SILENT = frozenset("ˈˌ'.‿|‖-_ \t\u200d\u200c")  # stress, syllables, borders


def segments(ipa: str) -> tuple[str, ...]:
    """The sounds of a word written in the International Phonetic Alphabet; stress and borders are passed over.

    The longest sound that the table knows is taken each time. A diphthong is two sounds, an affricate is one. A mark
    that the table knows with no such letter is passed over.

    Raises InputError for a letter that is none of the alphabet.

    >>> segments("ˈfaɪv"), segments("t͡ʃiːz")
    (('f', 'a', 'ɪ', 'v'), ('t͡ʃ', 'iː', 'z'))
    """
    text, known = unicodedata.normalize("NFD", ipa), _table()
    found, at = [], 0
    while at < len(text):
        for length in range(min(_longest(), len(text) - at), 0, -1):
            part = text[at : at + length]
            if (sound := _written().get(part, part)) in known:
                found.append(sound)
                at += length
                break
        else:
            if text[at] not in _SILENT and unicodedata.category(text[at]) not in ("Mn", "Lm", "Sk"):
                raise InputError(
                    f"'{text[at]}' in '{ipa}' is no sound of the International Phonetic Alphabet.",
                    remedy="Write a word's sounds in IPA, or as in the CMU dictionary: F AY1 V.",
                )
            at += 1
    return tuple(found)


def costs(left: Sequence[str], right: Sequence[str]) -> NDArray[np.int32]:
    """What it costs to hear each sound of ``left`` for each of ``right``, shape ``(len(left), len(right))``.

    The difference of their articulatory features, each counted with its weight (Mortensen et al. 2016, PanPhon, 22
    features of the vocal tract with weights for how easily each changes), times four and at most 1, as for sounds that
    have nothing in common; in whole numbers of ``1 / UNIT``. Equal sounds cost 0, and the triangle inequality holds.

    >>> costs(["p"], ["p", "b", "a"]).tolist()
    [[0, 2, 29]]
    """
    known = _table()
    a, b = (np.array([known[one] for one in side]).reshape(len(side), -1) for side in (left, right))
    apart = np.abs(a[:, None, :] - b[None, :, :]).sum(axis=2)
    return np.asarray(np.minimum(apart, UNIT), np.int32)


@lru_cache(maxsize=1)
def _table() -> dict[str, NDArray[np.int32]]:
    """The weighted features of each sound, in eighths, read from the tables in the package panphon.

    The package itself is not loaded: with all that it needs it takes longer than most searches here.
    """
    names, weights = _rows("feature_weights.csv")
    weight = dict(zip(names, weights, strict=True))  # by name: the two tables differ in their order
    header, *sounds = _rows("ipa_all.csv")
    use = [(place, round(8 * float(weight[name]))) for place, name in enumerate(header) if name in weight]
    if 2 * sum(one for _, one in use) != _SHARE * UNIT:
        raise InputError(
            "The package panphon has other weights than this was made for.", remedy="Install panphon 0.22."
        )
    made = {
        unicodedata.normalize("NFD", sound[0]): np.array([n * _VALUES[sound[place]] for place, n in use], np.int32)
        for sound in sounds
    }
    return {sound: values for sound, values in made.items() if values.any()}  # tones have no features


def _rows(file: str) -> list[list[str]]:
    with carried("panphon", f"data/{file}", "words").open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


@lru_cache(maxsize=1)
def _written() -> dict[str, str]:
    return {unicodedata.normalize("NFD", one): unicodedata.normalize("NFD", sound) for one, sound in _WRITTEN.items()}


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(map(len, _table()))
