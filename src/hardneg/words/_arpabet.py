"""The letters of the CMU dictionary (ARPAbet), turned into sounds of the International Phonetic Alphabet."""

from __future__ import annotations

import re
from functools import lru_cache

from hardneg.errors import InputError
from hardneg.words._features import segments

__all__ = ["from_arpabet", "is_arpabet"]

_IPA = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AH0": "ə", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "t͡ʃ", "D": "d",
    "DH": "ð", "EH": "ɛ", "ER": "ɹ̩", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i", "JH": "d͡ʒ",
    "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s",
    "SH": "ʃ", "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip


def from_arpabet(text: str) -> tuple[str, ...]:
    """The sounds of a pronunciation of the CMU dictionary; an unstressed AH is a schwa, other stress is passed over.

    Raises InputError for a letter that the dictionary does not use.

    >>> from_arpabet("F AY1 V")
    ('f', 'a', 'ɪ', 'v')
    """
    return tuple(sound for letter in text.split() for sound in _sounds(letter))


def is_arpabet(text: str) -> bool:
    """Whether a pronunciation is written as in the CMU dictionary: letters with spaces between, stress as a number.

    >>> is_arpabet("F AY1 V"), is_arpabet("faɪv"), is_arpabet("a")
    (True, False, False)
    """
    return all(re.sub(r"[012]$", "", letter) in _IPA for letter in text.split())


@lru_cache(maxsize=256)
def _sounds(letter: str) -> tuple[str, ...]:
    ipa = _IPA.get(letter) or _IPA.get(letter.rstrip("012"))
    if ipa is None:
        raise InputError(f"'{letter}' is no letter of the CMU dictionary.", remedy="Write as in: F AY1 V.")
    return segments(ipa)
