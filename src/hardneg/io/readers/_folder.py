"""A folder of pictures: one folder for each class, perhaps within one for each split."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from hardneg.errors import InputError
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._labelled_names import SPLITS, UNLABELLED, is_picture
from hardneg.io.readers._names import normal

__all__ = ["File", "Folder", "has_picture"]


class File(NamedTuple):
    """A file of the folder: its place, and what the folders that it is in say. With ``reason`` it is left out."""

    number: int
    name: str  # relative, with forward slashes
    label: str | None
    split: str | None
    reason: str | None


@dataclass(frozen=True)
class Folder:
    """The files of a folder in order of their names. ``labelled`` says whether its folders are classes."""

    path: Path
    splits: bool
    names: tuple[str, ...]
    labelled: bool = True

    @classmethod
    def open(cls, path: Path, *, labelled: bool = True) -> Folder:
        """List the files.

        Raises InputError where some of its folders are splits and others are not.
        """
        splits = labelled and _in_splits(path)
        return cls(path, splits, tuple(_names(path)), labelled)

    def place(self, number: int) -> str:
        """The name of a file."""
        return self.names[number].encode("utf-8", "backslashreplace").decode()

    def __iter__(self) -> Iterator[File]:
        for number, name in enumerate(self.names):
            label, split, inside = self._told(PurePosixPath(name).parts[:-1])
            yield File(number, name, label, split, _reason(self.path, name) or (None if inside else "outside_a_class"))

    def classes(self) -> set[tuple[str, ...]]:
        """The folders of classes, as parts of their paths."""
        depth = 2 if self.splits else 1
        found = {PurePosixPath(name).parts[:depth] for name in self.names if name.count("/") >= depth}
        return {one for one in found if not _hidden("/".join(one)) and normal(one[-1]) not in UNLABELLED}

    def _told(self, parts: tuple[str, ...]) -> tuple[str | None, str | None, bool]:
        """Label, split, and whether the file is in a class or among the unlabelled."""
        if not self.labelled:
            return None, None, True
        if parts and normal(parts[0]) in UNLABELLED:
            return None, None, True
        split = parts[0] if self.splits and parts else None
        within = parts[1:] if self.splits else parts
        if not within:
            return None, split, False
        return (None if normal(within[0]) in UNLABELLED else within[0]), split, True


def has_picture(path: Path) -> bool:
    """Whether a folder holds a picture anywhere."""
    return any(is_picture(name) and not _hidden(name) for name in _walk(path))


def _names(path: Path) -> list[str]:
    return sorted(_walk(path), key=lambda name: name.split("/"))


def _walk(path: Path) -> Iterator[str]:
    """All files, and links to folders, relative to ``path``. Links to folders are not followed: they may go round."""
    for folder, folders, files in os.walk(path, onerror=_refused):
        inside = Path(folder).relative_to(path)
        links = [one for one in folders if (Path(folder) / one).is_symlink()]
        for name in (*links, *files):
            yield (inside / name).as_posix()


def _refused(error: OSError) -> None:
    """A folder that cannot be listed would be left out without a word."""
    raise InputError(f"The folder cannot be read: {error.strerror}.", path=error.filename, remedy="Make it readable.")


def _in_splits(path: Path) -> bool:
    """Whether the first folders are splits: named like some, with folders of their own."""
    folders = [one for one in path.iterdir() if one.is_dir() and not _hidden(one.name)]
    named = [one for one in folders if normal(one.name) not in UNLABELLED]
    splits = [one for one in named if normal(one.name) in SPLITS and any(sub.is_dir() for sub in one.iterdir())]
    others = [one for one in named if one not in splits]
    if splits and others:
        found, left = (", ".join(sorted(one.name for one in some)) for some in (splits, others))
        raise InputError(
            f"Some folders are splits ({found}), others are not ({left}).",
            path=path,
            remedy="Move the others away, or give the folder of one split.",
        )
    return bool(splits)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _reason(path: Path, name: str) -> str | None:
    if _hidden(name):
        return "hidden_file"
    if not encodable(name):
        return "broken_name"
    if not is_picture(name):
        return "linked_folder" if (path / name).is_dir() else "no_picture"
    return None
