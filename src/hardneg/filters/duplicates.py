"""Copies: of the anchor, of a positive, of a harder candidate."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.context import Context
from hardneg.filters._base import Columns, Filter, Gather, Judgement, Rule, first_of
from hardneg.filters._repeats import repeats
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.table import Array, Relation, Rows, Verdict, distinct

__all__ = ["Duplicates", "normalised"]

_MINABLE = (Relation.UNKNOWN, Relation.NEGATIVE, Relation.OTHERWISE)
_SIGNS = "+#=%$€£"  # they tell C++ from C, and 5% from 5
_NOT_A_WORD = re.compile(rf"(?:[^\w{_SIGNS}]|_)+")
_ASCII = {code: chr(code).lower() if chr(code).isalnum() or chr(code) in _SIGNS else " " for code in range(128)}


def normalised(text: str) -> str:
    """The text without what makes no difference to a reader: case, accents' encoding, punctuation, spacing.

    >>> normalised("“Sync”  a folder!") == normalised("sync a folder"), normalised("C++") == normalised("C")
    (True, False)
    """
    if text.isascii():  # most are, and this is ten times as fast
        return " ".join(text.translate(_ASCII).split())
    return _NOT_A_WORD.sub(_gap, unicodedata.normalize("NFKC", text).casefold()).strip()


def _gap(match: re.Match[str]) -> str:
    """A space for what stands between words; marks (the vowels of many scripts) belong to them."""
    between, end = match[0], 0
    while match.start() and end < len(between) and unicodedata.category(between[end])[0] == "M":
        end += 1
    return between[:end] + (" " if end < len(between) else "")


@dataclass(frozen=True)
class Duplicates(Filter):
    """Drops copies of the anchor, of a positive and of a harder candidate; suspects near-copies of a positive.

    Texts are compared after normalisation, pictures and sounds by the bytes of their files; other items have no
    copies, only near-copies.

    Args:
        similarity: suspect if the item's similarity to a positive of the anchor is at least this.
        among: drop if its similarity to a harder candidate of the anchor is at least this, so that one noise that
            comes again a hundred times is mined once. A harder candidate that is itself a repeat, a copy or one of
            the anchor's own drops nothing.
    """

    name: ClassVar[str] = "duplicates"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("anchor_text", Verdict.DROP),
        Rule("positive_text", Verdict.DROP),
        Rule("repeated_text", Verdict.DROP),
        Rule("near_copy", Verdict.SUSPECT),
        Rule("near_repeat", Verdict.DROP),
    )

    similarity: float | None = None
    among: float | None = None

    def __post_init__(self) -> None:
        for name in ("similarity", "among"):
            value = getattr(self, name)
            require(value is None or value > 0, name, "above 0", value)

    @property
    def evidence(self) -> tuple[str, ...]:
        """``copy_of``: 0 nothing, 1 the anchor, 2 a positive, 3 a harder candidate; and the likeness to one of these.

        Which harder candidates stay depends on ``among``, so that column carries the number in its name.
        """
        return ("copy_of",) if self.among is None else ("copy_of", f"repeats:{self.among}")

    def gather(self, context: Context) -> Gather:
        """Fingerprint all texts once, and compare fingerprints."""
        positives = context.positives
        anchors = fingerprints(positives.anchors, 0)
        items = fingerprints(positives.items, len(anchors))
        member = _of_class(items, positives.classes)

        def gather(rows: Rows) -> Columns:
            found = copies(rows, anchors, items, positives.positive)
            columns: dict[str, Array] = {"copy_of": np.where((found != 1) & member(rows), np.uint8(2), found)}
            if self.among is not None:
                stays = (columns["copy_of"] == 0) & np.isin(rows["relation"], _MINABLE)
                columns[self.evidence[1]] = repeats(rows, stays, context.vectors(None), self.among)
            return columns

        return gather

    def judge(self, columns: Columns) -> Judgement:
        """Read what it copies, then compare its similarity to the positives, and to harder candidates."""
        copy, near = columns["copy_of"], columns["positive_similarity"]
        by_similarity = near >= (np.inf if self.similarity is None else self.similarity)
        like = np.full(copy.shape, np.nan, np.float32) if self.among is None else columns[self.evidence[1]]
        repeated = like >= (np.inf if self.among is None else self.among)
        copied = ((copy == 1, 1.0), (copy == 2, 1.0), (copy == 3, 1.0))
        return first_of(copy.shape, *copied, (by_similarity, near), (repeated, like))


def _of_class(items: IntArray, classes: Classes | None) -> Callable[[Rows], BoolArray]:
    """Whether each row's item says the same as a member of its anchor's class; not all of these are listed."""
    if classes is None:
        return lambda rows: np.zeros(len(rows), bool)
    codes = np.unique(items, return_inverse=True)[1]
    members, of_anchors = Ragged.from_codes(classes.items), classes.anchors
    said = Ragged.from_pairs(members.values, codes[members.rows()], len(classes.names))

    def member(rows: Rows) -> BoolArray:
        mine = Ragged.from_codes(of_anchors.take(rows.anchor))
        hits = said.contains(mine.values, np.repeat(codes[rows.item], mine.lengths()))
        return np.asarray(np.bincount(mine.rows()[hits], minlength=len(rows)) > 0)

    return member


def fingerprints(things: Collection, unique_from: int = 0) -> IntArray:
    """A 63-bit hash of the content of each picture or sound, else of each normalised text; without either, of no other.

    What is said in two sounds may be the same, and so may two captions: that makes no copies.

    >>> len(set(fingerprints(Collection.of([1, 2, 3], texts=["A fox!", "a fox", "a hen"])).tolist()))
    2
    """
    said: Iterable[object] = things.texts if things.texts is not None else ()
    plain = (normalised(str(one)) if one is not None else "" for one in map(_value, said))
    media = things.sounds is not None or things.pictures is not None
    if media and "content" in things.table.column_names:
        plain = (str(one or "") for one in map(_value, things.table.column("content")))
    numbers = -1 - np.arange(unique_from, unique_from + len(things), dtype=np.int64)
    for row, text in enumerate(plain):
        if text:
            digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            numbers[row] = int.from_bytes(digest, "big") >> 1
    return numbers


def _value(one: object) -> object:
    return one.as_py() if hasattr(one, "as_py") else one


def copies(rows: Rows, anchors: IntArray, items: IntArray, positive: Ragged) -> NDArray[np.uint8]:
    """For each row what its text repeats; see :attr:`Duplicates.evidence`. Rows stand hardest first."""
    mine = items[rows.item]
    out = np.zeros(len(rows), np.uint8)
    some, at = distinct(rows.anchor)
    theirs = positive.take(some)
    # Fingerprints are large numbers; small codes keep the look-up keys within 64 bits.
    codes = distinct(np.concatenate([mine, items[theirs.values]]))[1]
    pairs = at * (len(codes) + 1) + codes[: len(rows)]
    order = np.argsort(pairs, kind="stable")
    out[order[1:][pairs[order[1:]] == pairs[order[:-1]]]] = 3
    lists = Ragged.from_pairs(theirs.rows(), codes[len(rows) :], len(some))
    out[lists.contains(at, codes[: len(rows)])] = 2
    out[anchors[rows.anchor] == mine] = 1
    return out
