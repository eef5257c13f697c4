"""Folders of pictures: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to look at.

Both are laid out as ``torchvision.datasets.ImageFolder`` reads them: ``ImageFolder("out/hard")``. In ``hard`` is each
item that was sampled as a negative, under its own label; what is suspect for anyone is in ``suspects`` alone, under
the class that it was most often suspect for. ``index.csv`` says for each item which file it became.

Files are symbolic links unless ``files`` says otherwise; pictures that are bytes are written out. Names are made safe
for any disk, and numbered where two are the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._class_folders import Place, carry, within, write_folders
from hardneg.io.writers._export import Export

__all__ = ["IMAGE_FOLDER"]

_BEGINNINGS = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif",
    b"RIFF": ".webp", b"P5": ".pgm", b"P6": ".ppm",
}  # fmt: skip


def _write(export: Export) -> None:
    if export.run.items.pictures is None:
        raise InputError(
            "The format 'image-folder' needs items with pictures. The run has none.",
            remedy="Give the items a column 'path' or 'image' in the mining.",
        )
    write_folders(export, _put)


def _put(export: Export, row: int, place: Place) -> Path | None:
    """Put a picture into a folder; None, and counted, where there is none to put."""
    items = export.run.items
    pictures, name = items.pictures, str(items.ids[row].as_py())
    picture = None if pictures is None else pictures[row]
    if (problem := _problem(items, row, picture)) is not None:
        export.skips.add(problem, name if isinstance(picture, bytes | None) else f"{name} ({picture})")
        return None
    if isinstance(picture, bytes):
        file = place(f"{name}{_suffix(picture)}")
        file.write_bytes(picture)
        return file
    source = Path(str(picture)).absolute()
    file = place(source.name)
    carry(export, source, file)
    return file


def _problem(items: Collection, row: int, picture: Any) -> str | None:
    """Why there is no picture to put, in one word; None where there is one."""
    if picture is None:
        return "no_picture"
    if isinstance(picture, bytes):
        return None if _suffix(picture) else "not_an_image"
    if not within(items, row, "path"):
        return "outside_its_root"
    return None if Path(picture).is_file() else "missing_file"


def _suffix(picture: bytes) -> str | None:
    return next((suffix for start, suffix in _BEGINNINGS.items() if picture.startswith(start)), None)


IMAGE_FOLDER = Writer(
    "image-folder", "torchvision's ImageFolder: hard/<label>/ to train on, suspects/ to look at", (),
    "pictures, labels", _write, ("files",), texts=False,
)  # fmt: skip
