"""Where crops go: ``<identity>/<name>.png``, within the folder of a split where there are splits."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

from hardneg.collection import Collection
from hardneg.io.writers._names import Names

__all__ = ["crop_file", "places"]

_UNLABELLED = "unlabelled"


def places(items: Collection) -> list[str]:
    """For each picture the path of its first crop without the suffix; no two are alike, on any disk.

    >>> import pyarrow as pa
    >>> people = Collection(pa.table({"id": ["1", "2"], "path": ["a/1.jpg", "b/1.png"], "label": ["A/B", "A/B"]}))
    >>> places(people)
    ['A_B/1', 'A_B/1-2']
    """
    table = items.table
    paths = table.column("path" if "path" in table.column_names else "id").to_pylist()
    labels = table.column("label").to_pylist()
    splits = table.column("split").to_pylist() if "split" in table.column_names else [None] * len(paths)
    folders: dict[tuple[str | None, str | None], str] = {}
    names, files = defaultdict[str, Names](Names), defaultdict[str, Names](Names)
    found = []
    for path, label, split in zip(paths, labels, splits, strict=True):
        if (split, label) not in folders:
            above = f"{split}/" if split is not None and label is not None else ""
            folders[split, label] = above + names[above].free(label if label is not None else _UNLABELLED)
        folder = folders[split, label]
        # A tilde marks the further faces of a picture, so no name of a picture may hold one.
        name = files[folder].free(f"{PurePosixPath(str(path)).stem.replace('~', '-')}.png")
        found.append(f"{folder}/{name.removesuffix('.png')}")
    return found


def crop_file(place: str, number: int) -> str:
    """The file of one of a picture's faces.

    >>> crop_file("ann/1", 0), crop_file("ann/1", 1)
    ('ann/1.png', 'ann/1~2.png')
    """
    return f"{place}.png" if number == 0 else f"{place}~{number + 1}.png"
