"""Folders of pictures: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to look at.

Both are laid out as ``torchvision.datasets.ImageFolder`` reads them: ``ImageFolder("out/hard")``. In ``hard`` is each
item that was sampled as a negative, under its own label; what is suspect for anyone is in ``suspects`` alone, under
the class that it was most often suspect for. ``index.csv`` says for each item which file it became.

Files are symbolic links unless ``files`` says otherwise; pictures that are bytes are written out, crops cut out. Names
are made safe for any disk, and numbered where two are the same.
"""

from __future__ import annotations

from hardneg.errors import InputError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._class_folders import write_folders
from hardneg.io.writers._export import Export
from hardneg.io.writers._pictures import put_picture

__all__ = ["IMAGE_FOLDER"]


def _write(export: Export) -> None:
    if export.run.items.pictures is None:
        raise InputError(
            "The format 'image-folder' needs items with pictures. The run has none.",
            remedy="Give the items a column 'path' or 'image' in the mining.",
        )
    write_folders(export, lambda row, place: put_picture(export, export.run.items, row, place))


IMAGE_FOLDER = Writer(
    "image-folder", "torchvision's ImageFolder: hard/<label>/ to train on, suspects/ to look at", (),
    "pictures, labels", _write, ("files",), texts=False,
)  # fmt: skip
