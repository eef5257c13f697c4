"""Paths of pictures and sounds: all within one folder, whatever a table says."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

__all__ = ["Media", "common_root"]

_REMEMBERED = 1024


class Media:
    """The folder that files are in; a path that leads out of it, itself or by a link, is none.

    Args:
        within: the folder that no path may leave.
        start: where relative paths begin; ``within`` if not given.
        root: what paths come out relative to, a folder that holds ``within``; ``within`` if not given.

    >>> media = Media(Path("/data"))
    >>> media.relative("cats/../dogs/1.png"), media.relative("../secret.png"), media.relative("/data/1.png")
    ('dogs/1.png', None, '1.png')
    """

    def __init__(self, within: Path, *, start: Path | None = None, root: Path | None = None) -> None:
        root = within if root is None else root
        self._start = str((start or within).absolute())
        self._root, self._real_root = str(root.absolute()), os.path.realpath(root)
        self._within = os.path.realpath(within)
        self._folders: dict[str, str] = {}
        self._known = lru_cache(_REMEMBERED)(self._found)  # rows that name parts of one file stand together

    def relative(self, given: str) -> str | None:
        """The path relative to the root, with forward slashes; None where it leads out."""
        return self._known(given)

    def _found(self, given: str) -> str | None:
        if "\0" in given:
            return None
        path = os.path.normpath(Path(self._start, given))
        if "\\" in given and not Path(path).exists():
            path = os.path.normpath(Path(self._start, given.replace("\\", "/")))
        real = self._resolved(path)
        if not _is_within(real, self._within):
            return None
        lexical = _is_within(path, self._root)
        return Path(os.path.relpath(path if lexical else real, self._root if lexical else self._real_root)).as_posix()

    def _resolved(self, path: str) -> str:
        """The path without links; that of its folder is looked up once."""
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        inside = os.path.join(self._folders[folder], name)  # noqa: PTH118
        return os.path.realpath(inside) if os.path.islink(inside) else inside  # noqa: PTH114


def common_root(one: Path, other: Path | None) -> Path:
    """The folder that both are in; the first itself where there is no other, or it holds the other."""
    if other is None or _is_within(os.path.realpath(other), os.path.realpath(one)):
        return one
    return Path(os.path.commonpath([one.resolve(), other.resolve()]))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
