"""Where labelled examples come from: a folder of pictures or sounds, a table, a saved data set; by content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._example import Kind, Part
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._folder import Folder, Thing
from hardneg.io.readers._labelled_tables import Table
from hardneg.io.readers._media import Media
from hardneg.io.readers._rows import Rows, carrier_of, open_rows
from hardneg.io.readers._tables import dataset_files, dataset_names, dataset_records

__all__ = ["Source", "open_source"]

_FOLDERS: dict[Thing, tuple[str, Kind]] = {"picture": ("image folder", "path"), "sound": ("audio folder", "audio")}


@dataclass(frozen=True, eq=False)
class Source:
    """Examples of one kind. ``base`` is the folder that no path may leave; ``files`` are hashed.

    Paths begin in the folder ``start``, which is ``base`` if not given.
    """

    name: str
    path: Path
    base: Path
    kind: Kind
    parts: tuple[Part, ...]
    files: tuple[Path, ...] = ()
    start: Path | None = None

    def feed(self, examples: Examples, root: Path) -> None:
        """Give all examples to ``examples``; paths come out relative to ``root``, which holds ``base``."""
        media = Media(self.base, start=self.start, root=root)
        for part in self.parts:
            part.feed(examples, media)

    def classes_without(self, items: Any) -> list[str]:
        """The folders of classes from which no file is among the items."""
        if not isinstance(self.parts[0], Folder):
            return []
        folder = self.parts[0]
        names = set(zip(*(items.column(one).to_pylist() for one in _told(items, folder)), strict=True))
        return sorted("/".join(one) for one in folder.classes() if one not in names)

    def vectors(self) -> NDArray[np.float32] | None:
        """The vectors that stood in the rows of a table."""
        found = [part.vectors() for part in self.parts if isinstance(part, Table)]
        whole = [one for one in found if one is not None]
        return np.concatenate(whole) if whole and len(whole) == len(found) else None


def open_source(path: Path, options: ReadOptions, seen: set[str], *, labelled: bool = True) -> Source:
    """Open a folder of pictures or of sounds, a table or a saved data set.

    Raises InputError for what is none of these, or holds nothing to encode.
    """
    carrier = carrier_of(path)
    if carrier is None and path.is_dir():
        folder = _folder(path, labelled)
        name, kind = _FOLDERS[folder.holds]
        base = options.media_root if options.media_root and _is_inside(path, options.media_root) else path
        return Source(name, path, base, kind, (folder,), start=path)
    base = options.media_root or (path if carrier == "datasets" else path.parent)
    splits: list[str | None] = [*dataset_names(path)] if carrier == "datasets" else []
    tables = [
        Table(_rows(path, carrier, split), options, seen, split=split, labelled=labelled) for split in splits or [None]
    ]
    files = (
        [one for split in splits or [""] for one in dataset_files(path, split or "")]
        if carrier == "datasets"
        else [path]
    )
    return Source(str(carrier), path, base, tables[0].kind(), tuple(tables), tuple(files))


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _folder(path: Path, labelled: bool) -> Folder:
    folder = Folder.open(path, labelled=labelled)
    if labelled and not folder.classes():
        raise InputError(
            f"The {folder.holds}s are not in folders of classes.",
            path=path,
            remedy="Give each class a folder of its own, or a table with the path and the label of each file.",
        )
    return folder


def _rows(path: Path, carrier: str | None, split: str | None) -> Rows:
    if split is None:
        return open_rows(path, carrier=carrier)
    return Rows(path / split, "datasets", partial(dataset_records, path, ReadOptions(split=split)))


def _told(items: Any, folder: Folder) -> tuple[str, ...]:
    return ("split", "label") if folder.splits and "split" in items.column_names else ("label",)
