"""Ids as the user gave them, checked; and ids for texts that have none."""

from __future__ import annotations

import hashlib

from hardneg.collection import Id
from hardneg.io.readers._rows import Rows

__all__ = ["IdCheck", "encodable", "text_id"]

_REMEDY = "Give each row an id, or no row one."


def text_id(text: str) -> str:
    """An id for a text that has none: the same text has the same id in every file and order.

    >>> text_id("Who wrote Emma?")
    'aa58346d9950937b'
    """
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def encodable(text: str) -> bool:
    """Whether a text is whole Unicode; JSON can hold half a surrogate pair, which no file can.

    >>> encodable("naïve"), encodable(chr(0xD800))
    (True, False)
    """
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class IdCheck:
    """Sees to it that all ids of one sort are text, or all whole numbers, and none is missing."""

    def __init__(self, what: str, rows: Rows) -> None:
        self._what, self._rows = what, rows
        self._kind: type | None = None
        self._made: bool | None = None

    def __call__(self, number: int, value: object) -> Id:
        """Return the id, or raise InputError naming the record."""
        if value is None or value == "":
            raise self._rows.error(number, f"The {self._what} id is missing.", _REMEDY)
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise self._rows.error(number, f"The {self._what} id must be text or a whole number. Got {value!r}.")
        if self._kind is not None and not isinstance(value, self._kind):
            raise self._rows.error(
                number,
                f"The {self._what} ids mix numbers and text: {value!r} is {type(value).__name__}, "
                f"earlier ones are {self._kind.__name__}.",
                "Write all of them as text, or all as whole numbers.",
            )
        if isinstance(value, int) and abs(value) >= 2**63:
            raise self._rows.error(number, f"The {self._what} id {value} is beyond 64 bits.", "Write the ids as text.")
        if isinstance(value, str) and not encodable(value):
            raise self._rows.error(number, f"The {self._what} id {value!r} is not whole Unicode.")
        self._kind = type(value)
        return value

    def or_made(self, number: int, given: object, text: str) -> Id:
        """Return the given id, or one made from the text; all rows do the same."""
        made = given is None
        if self._made is None:
            self._made = made
        if made is self._made:
            return text_id(text) if made else self(number, given)
        which = "no id, earlier ones have" if made else "an id, earlier ones have none"
        raise self._rows.error(number, f"This {self._what} has {which}.", _REMEDY)
