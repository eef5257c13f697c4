"""Where two texts differ, word by word, for a reader who must tell them apart."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

__all__ = ["Span", "common_words", "differences"]

Span = tuple[str, str]
"""A piece of a text and what it is: ``differs``, ``common`` or nothing."""

_WORDS = re.compile(r"\w+|[^\w\s]|\s+")
_ALIKE = 0.5  # of the words may differ; of texts that have less in common nothing is marked, as all would be
_LONGEST = 800  # words that are laid side by side; beyond, only which words there are is compared


def common_words(text: str | None) -> frozenset[str]:
    """The words of four letters and more.

    >>> sorted(common_words("The quick brown fox"))
    ['brown', 'quick']
    """
    return frozenset(word.lower() for word in re.findall(r"\w{4,}", text or ""))


def differences(text: str, other: str | None, common: frozenset[str] = frozenset()) -> list[Span]:
    """A text in pieces: what the other text does not say here ``differs``, words of ``common`` are ``common``.

    Texts that have little in common are not marked as different word by word.

    >>> differences("a red car stops", "a blue car stops", frozenset({"stops"}))
    [('a ', ''), ('red', 'differs'), (' car ', ''), ('stops', 'common')]
    """
    words = _WORDS.findall(text)
    fresh = [False] * len(words) if other is None else _fresh(words, _WORDS.findall(other))
    said = [new for word, new in zip(words, fresh, strict=True) if word[0].isalnum()]
    if sum(said) > _ALIKE * len(said):
        fresh = [False] * len(words)
    kinds = [
        "differs" if new and not word.isspace() else "common" if word.lower() in common else ""
        for word, new in zip(words, fresh, strict=True)
    ]
    return _joined(words, kinds)


def _fresh(words: list[str], others: list[str]) -> list[bool]:
    """Which words are not in the other list, in its order where both are short enough to be laid side by side."""
    left, right = [word.lower() for word in words], [word.lower() for word in others]
    if max(len(left), len(right)) > _LONGEST:
        known = set(right)
        return [word not in known for word in left]
    out = [True] * len(left)
    for match in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        out[match.a : match.a + match.size] = [False] * match.size
    return out


def _joined(words: list[str], kinds: list[str]) -> list[Span]:
    """Neighbours of one kind as one piece; a space between two that differ belongs to them."""
    out: list[list[str]] = []
    for at, (word, kind) in enumerate(zip(words, kinds, strict=True)):
        if word.isspace() and 0 < at < len(words) - 1 and kinds[at - 1] == kinds[at + 1] == "differs":
            kind = "differs"  # noqa: PLW2901 - what it is follows from its neighbours
        if out and out[-1][1] == kind:
            out[-1][0] += word
        else:
            out.append([word, kind])
    return [(text, kind) for text, kind in out]
