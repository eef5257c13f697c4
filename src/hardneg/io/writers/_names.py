"""Names of files and folders from names of the user's: safe everywhere, told apart, never a path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

__all__ = ["Names", "safe"]

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u2028\u2029\u202a-\u202e\u2066-\u2069]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no file can be called so on Windows
_LONGEST = 120  # bytes of a name; file systems take 255, and numbers and marks come on top


def safe(name: str) -> str:
    r"""The name as that of one file or folder: no separators, no control characters, not hidden, not too long.

    >>> safe("../../etc"), safe("great/ape"), safe(""), safe("CON.txt"), safe("café.png")
    ('__.._etc', 'great_ape', '_', '_CON.txt', 'café.png')
    """
    plain = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    plain = plain.encode("utf-8", "replace").decode().rstrip(". ").lstrip(" ")
    if plain.startswith("."):
        plain = f"_{plain.lstrip('.')}"
    if not plain or _DEVICES.fullmatch(plain):
        plain = f"_{plain}"
    stem, suffix = _split(plain)
    room = _LONGEST - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


class Names:
    """Gives each name once: one that is taken is numbered. Case makes no difference, as on many disks.

    >>> names = Names()
    >>> names.free("a.png"), names.free("A.png"), names.free("a-2.png")
    ('a.png', 'A-2.png', 'a-2-2.png')
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def free(self, name: str) -> str:
        """The name made safe, and numbered where it is taken."""
        plain = safe(name)
        stem, suffix = _split(plain)
        made, key = plain, plain.casefold()
        while made.casefold() in self._taken:
            self._last[key] = self._last.get(key, 1) + 1
            made = f"{stem}-{self._last[key]}{suffix}"
        self._taken.add(made.casefold())
        return made


def _split(name: str) -> tuple[str, str]:
    suffix = PurePosixPath(name).suffix
    return (name[: -len(suffix)], suffix) if suffix and len(suffix) <= 10 else (name, "")
