"""Folders of pictures: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to look at.

Both are laid out as ``torchvision.datasets.ImageFolder`` reads them: ``ImageFolder("out/hard")``. In ``hard`` is each
item that was sampled as a negative, under its own label; what is suspect for anyone is in ``suspects`` alone, under
the class that it was most often suspect for. ``index.csv`` says for each item which file it became.

Files are symbolic links unless ``files`` says otherwise; pictures that are bytes are written out. Names are made safe
for any disk, and numbered where two are the same.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError, StorageError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import write_flat
from hardneg.io.writers._names import Names, safe
from hardneg.io.writers._tally import class_lists, tally
from hardneg.labels import classes_of, names_at

__all__ = ["IMAGE_FOLDER"]

_BEGINNINGS = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif",
    b"RIFF": ".webp", b"P5": ".pgm", b"P6": ".ppm",
}  # fmt: skip
_Row = tuple[int, str, list[str], str]  # row of an item, the part of the folder, its labels, what it may be


@dataclass
class _Folders:
    """Folders within a folder, each name given once."""

    target: Path
    names: Names = field(default_factory=Names)
    made: dict[tuple[str, ...], str] = field(default_factory=dict)
    files: defaultdict[tuple[str, ...], Names] = field(default_factory=lambda: defaultdict(Names))

    def place(self, folder: tuple[str, ...], file: str) -> Path:
        """A free place for a file in the folder that stands for a label, or for a label and what it may be."""
        if folder not in self.made:
            self.made[folder] = self.names.free("__may_be__".join(map(safe, folder)))
            (self.target / self.made[folder]).mkdir(parents=True)
        return self.target / self.made[folder] / self.files[folder].free(file)


def _write(export: Export) -> None:
    run = export.run
    if run.items.pictures is None or classes_of(run) is None:
        what = "pictures" if run.items.pictures is None else "labels"
        raise InputError(
            f"The format 'image-folder' needs items with {what}. The run has none.",
            remedy="Give the items a column 'path' or 'image', and one 'label', in the mining.",
        )
    folders = {part: _Folders(export.target / part) for part in ("hard", "suspects")}
    written: list[tuple[int, str]] = []
    for row, part, labels, may_be in _chosen(export):
        folder = (labels[0],) if part == "hard" else ("+".join(labels) or "unlabelled", may_be)
        if (place := _put(export, row, folders[part], folder)) is not None:
            export.counts[part] += 1
            written.append((row, place.relative_to(export.target).as_posix()))
    export.rows(export.counts["hard"])
    rows, names = [row for row, _ in written], [name for _, name in written]
    index = {"id": run.items.ids.take(pa.array(rows, pa.int64())), "file": pa.array(names, pa.string())}
    write_flat(export.target / "index.csv", pa.table(index))


def _chosen(export: Export) -> Iterator[_Row]:
    """The items to write, in order; the others are counted with the reason."""
    run, found = export.run, tally(export.run)
    classes = classes_of(run)
    assert classes is not None  # noqa: S101 - looked at before
    rows = np.arange(len(run.items))
    labels = names_at(classes.items, classes.names, rows)
    may_be = class_lists(classes, *found.suspect_pairs, rows).to_pylist()
    for row, one in enumerate(run.items.ids.to_pylist()):
        if found.suspect_for[row]:
            yield row, "suspects", labels[row], (may_be[row] or ["another"])[0]
        elif not found.times[row]:
            export.skips.add("not_sampled", str(one))
        elif len(labels[row]) != 1:
            export.skips.add("several_labels" if labels[row] else "no_label", str(one))
        else:
            yield row, "hard", labels[row], ""


def _put(export: Export, row: int, folders: _Folders, folder: tuple[str, ...]) -> Path | None:
    """Put a picture into a folder; None, and counted, where there is none to put."""
    items = export.run.items
    pictures, name = items.pictures, str(items.ids[row].as_py())
    picture = None if pictures is None else pictures[row]
    if (problem := _problem(items, row, picture)) is not None:
        export.skips.add(problem, name if isinstance(picture, bytes | None) else f"{name} ({picture})")
        return None
    if isinstance(picture, bytes):
        place = folders.place(folder, f"{name}{_suffix(picture)}")
        place.write_bytes(picture)
        return place
    source = Path(str(picture)).absolute()
    place = folders.place(folder, source.name)
    _carry(export, source, place)
    return place


def _problem(items: Collection, row: int, picture: Any) -> str | None:
    """Why there is no picture to put, in one word; None where there is one."""
    if picture is None:
        return "no_picture"
    if isinstance(picture, bytes):
        return None if _suffix(picture) else "not_an_image"
    if not _within(items, row):
        return "outside_its_root"
    return None if Path(picture).is_file() else "missing_file"


def _suffix(picture: bytes) -> str | None:
    return next((suffix for start, suffix in _BEGINNINGS.items() if picture.startswith(start)), None)


def _within(items: Collection, row: int) -> bool:
    """Whether a path stays below the root of the pictures: a list of files must not reach for others."""
    if items.root is None:
        return True
    root = os.path.abspath(items.root)  # noqa: PTH100 - links stay links: they may lead to other disks
    path = os.path.abspath(items.root / items.table.column("path")[row].as_py())  # noqa: PTH100
    return os.path.commonpath([root, path]) == root


def _carry(export: Export, source: Path, place: Path) -> None:
    if export.options.files == "link":
        place.symlink_to(source)
    elif export.options.files == "copy":
        shutil.copyfile(source, place)
    else:
        try:
            place.hardlink_to(source.resolve())
        except OSError as error:
            raise StorageError(
                f"'{source}' cannot be linked to '{export.name}' ({error.strerror}). Hard links stay on one disk: "
                "choose files='copy' or files='link'."
            ) from error


IMAGE_FOLDER = Writer(
    "image-folder", "torchvision's ImageFolder: hard/<label>/ to train on, suspects/ to look at", (),
    "pictures, labels", _write, ("files",), texts=False,
)  # fmt: skip
