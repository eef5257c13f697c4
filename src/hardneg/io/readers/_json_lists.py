"""A list of objects in a JSON file, one at a time: results of any length, in little memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.io.readers._bytes import LONGEST_LINE, binary, damaged

__all__ = ["listed"]

_BLOCK = 2**20
_BEGINS = re.compile(r"\s*\[\s*(\])?")
_AFTER = re.compile(r"\s*(,|\])\s*")


def listed(path: Path) -> Iterator[Mapping[str, Any]]:
    """The objects of a file that is one list. NaN, which JSON does not have but Python writes, comes as it is.

    Raises InputError, naming the file, for what is no list of objects, no JSON, or ends too early.
    """
    decode = json.JSONDecoder().raw_decode
    with binary(path) as file:
        text = _Text(file, path)
        begins = _BEGINS.match(text.held)
        if begins is None:
            raise InputError(f"It is no list of results. It begins with {text.held[:20]!r}.", path=path)
        at, ends = begins.end(), begins[1] is not None
        while not ends:
            try:
                one, end = decode(text.held, at)
                after, why = _AFTER.match(text.held, end), "the list does not end"
            except json.JSONDecodeError as error:
                after, why = None, error.msg
            if after is None:
                text.held, at = text.held[at:], 0
                if not text.more():
                    raise damaged(path, why)
                continue
            if not isinstance(one, dict):
                raise InputError(f"The list of results holds {one!r:.40}, no object.", path=path)
            yield one
            at, ends = after.end(), after[1] == "]"


class _Text:
    """What is held of a file, as text."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path, self._decoder = file, path, codecs.getincrementaldecoder("utf-8-sig")()
        self.held = ""
        self._block = _BLOCK
        self.more()

    def more(self) -> bool:
        """Read on, twice as much where that was not enough for one object; False at the end."""
        self._block = min(2 * self._block, LONGEST_LINE) if len(self.held) >= self._block else _BLOCK
        if len(self.held) > LONGEST_LINE:
            return False
        try:
            block = self._file.read(self._block)
            self.held = (self.held + self._decoder.decode(block, not block)).lstrip()
        except UnicodeDecodeError:
            raise InputError("The text is not UTF-8.", path=self._path, remedy="Save it as UTF-8.") from None
        except (EOFError, OSError) as error:
            raise damaged(self._path, error) from error
        return bool(block)
