"""Files of pictures and sounds, brought to where an export has them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import StorageError
from hardneg.io.writers._export import Export

__all__ = ["Place", "are_bytes", "carry", "within"]

Place = Callable[[str], Path]  # a free place for a file of this name


def are_bytes(things: Collection, column: str) -> bool:
    """Whether a column holds the media themselves, not the names of files."""
    kind = things.table.schema.field(column).type
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def within(items: Collection, row: int, column: str) -> bool:
    """Whether a path stays below the root of its files: a list of files must not reach for others."""
    if items.root is None:
        return True
    root = os.path.abspath(items.root)  # noqa: PTH100 - links stay links: they may lead to other disks
    path = os.path.abspath(items.root / items.table.column(column)[row].as_py())  # noqa: PTH100
    return os.path.commonpath([root, path]) == root


def carry(export: Export, source: Path, place: Path) -> None:
    """Bring a file to its place, as the option ``files`` says. Raises StorageError for a hard link between disks."""
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
