"""Where labelled examples come from: a folder of pictures, a table, a saved data set; recognised by content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._example import Example, Kind
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._folder import Folder, has_picture
from hardneg.io.readers._labelled_tables import Table
from hardneg.io.readers._media import Media
from hardneg.io.readers._rows import Rows, carrier_of, open_rows
from hardneg.io.readers._tables import dataset_files, dataset_names, dataset_records

__all__ = ["Source", "open_source"]


@dataclass(frozen=True, eq=False)
class Source:
    """Examples of one kind. ``base`` is the folder that paths are relative to; ``files`` are hashed."""

    name: str
    path: Path
    base: Path
    kind: Kind
    parts: tuple[Table | Folder, ...]
    files: tuple[Path, ...] = ()

    def feed(self, examples: Examples, root: Path) -> None:
        """Give all examples to ``examples``; paths come out relative to ``root``, which holds ``base``."""
        media = Media(self.base, root=root)
        for part in self.parts:
            if isinstance(part, Table):
                part.feed(examples, media)
            else:
                _feed(part, examples, Media(self.base, start=part.path, root=root))

    def classes_without(self, items: Any) -> list[str]:
        """The folders of classes from which no picture is among the items."""
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
    """Open a folder of pictures, a table or a saved data set.

    Raises InputError for what is none of these, or holds nothing to encode.
    """
    carrier = carrier_of(path)
    if carrier is None and path.is_dir():
        if not has_picture(path):
            raise InputError("There is no picture in this folder.", path=path, remedy="Give a folder of pictures.")
        return Source("image folder", path, options.media_root or path, "path", (_folder(path, labelled),))
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


def _folder(path: Path, labelled: bool) -> Folder:
    folder = Folder.open(path, labelled=labelled)
    if labelled and not folder.classes():
        raise InputError(
            "The pictures are not in folders of classes.", path=path, remedy="Give each class a folder of its own."
        )
    return folder


def _rows(path: Path, carrier: str | None, split: str | None) -> Rows:
    if split is None:
        return open_rows(path, carrier=carrier)
    return Rows(path / split, "datasets", partial(dataset_records, path, ReadOptions(split=split)))


def _feed(folder: Folder, examples: Examples, media: Media) -> None:
    for file in folder:
        path = media.relative(file.name) if file.reason in (None, "linked_folder") else None
        reason = file.reason if file.reason and (path or file.reason != "linked_folder") else None
        if path is None or reason:
            examples.skip(folder, file.number, reason or "path_outside_folder")
        else:
            examples.add(folder, Example(file.number, None, path, file.label, None, file.split))


def _told(items: Any, folder: Folder) -> tuple[str, ...]:
    return ("split", "label") if folder.splits and "split" in items.column_names else ("label",)
