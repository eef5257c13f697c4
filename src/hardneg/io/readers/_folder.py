"""A folder of pictures or of sounds: one folder for each class, perhaps within one for each split."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from hardneg.errors import InputError
from hardneg.io.readers._example import Example
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._labelled_names import ACCOUNTS, SPLITS, UNLABELLED, is_picture, is_sound
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal

__all__ = ["File", "Folder", "Thing", "has_media"]

Thing = Literal["picture", "sound"]


class File(NamedTuple):
    """A file of the folder: its place, and what the folders that it is in say. With ``reason`` it is left out."""

    number: int
    name: str  # relative, with forward slashes
    label: str | None
    split: str | None
    reason: str | None


@dataclass(frozen=True)
class Folder:
    """The files of a folder in order of their names; ``holds`` says of which kind those are that count.

    ``labelled`` says whether its folders are classes.
    """

    path: Path
    splits: bool
    names: tuple[str, ...]
    holds: Thing
    labelled: bool = True

    @classmethod
    def open(cls, path: Path, *, labelled: bool = True) -> Folder:
        """List the files.

        Raises InputError where some of its folders are splits and others are not, and for pictures beside sounds.
        """
        splits = labelled and _in_splits(path)
        names = tuple(one for one in _names(path) if one not in ACCOUNTS)
        return cls(path, splits, names, _held(path, names), labelled)

    def place(self, number: int) -> str:
        """The name of a file."""
        return _printable(self.names[number])

    def __iter__(self) -> Iterator[File]:
        for number, name in enumerate(self.names):
            label, split, inside = self._told(PurePosixPath(name).parts[:-1])
            yield File(number, name, label, split, self._reason(name) or (None if inside else "outside_a_class"))

    def feed(self, examples: Examples, media: Media) -> None:
        """Give all files to ``examples``; what leads out of the folder, itself or by a link, is a counted skip."""
        for file in self:
            path = media.relative(file.name) if file.reason in (None, "linked_folder") else None
            reason = file.reason if file.reason and (path or file.reason != "linked_folder") else None
            if path is None or reason:
                examples.skip(self, file.number, reason or "path_outside_folder")
            else:
                examples.add(self, Example(file.number, None, path, file.label, None, file.split))

    def classes(self) -> set[tuple[str, ...]]:
        """The folders of classes, as parts of their paths."""
        depth = 2 if self.splits else 1
        found = {PurePosixPath(name).parts[:depth] for name in self.names if name.count("/") >= depth}
        return {one for one in found if not _hidden("/".join(one)) and normal(one[-1]) not in UNLABELLED}

    def _reason(self, name: str) -> str | None:
        """Why a file is left out, whatever folder it is in."""
        if _hidden(name):
            return "hidden_file"
        if not encodable(name):
            return "broken_name"
        if _thing(name) != self.holds:
            return "linked_folder" if (self.path / name).is_dir() else f"no_{self.holds}"
        return None

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


def has_media(path: Path) -> bool:
    """Whether a folder holds a picture or a sound anywhere."""
    return any(_thing(name) and not _hidden(name) for name in _walk(path))


def _thing(name: str) -> Thing | None:
    return "picture" if is_picture(name) else "sound" if is_sound(name) else None


def _held(path: Path, names: Sequence[str]) -> Thing:
    """What the files are, pictures or sounds."""
    seen: dict[Thing, list[str]] = {"picture": [], "sound": []}
    for name in names:
        if (thing := _thing(name)) and not _hidden(name):
            seen[thing].append(name)
    pictures, sounds = seen["picture"], seen["sound"]
    if pictures and sounds:
        raise InputError(
            f"There are pictures ({len(pictures):,}, such as {_printable(pictures[0])}) and sounds ({len(sounds):,}, "
            f"such as {_printable(sounds[0])}) in it.",
            path=path,
            remedy="Move one of them away, or give a table that names those to mine.",
        )
    if not pictures and not sounds:
        raise InputError(
            "There is no picture and no sound in this folder.", path=path, remedy="Give a folder of either."
        )
    return "picture" if pictures else "sound"


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


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
