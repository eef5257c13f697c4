"""COCO: ground truth, and with it a detector's results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection, Id
from hardneg.errors import InputError
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._box_rows import APART, Places, image_names
from hardneg.io.readers._boxes import read_boxes
from hardneg.io.readers._bytes import head
from hardneg.io.readers._coco_files import is_truth, labelled, rows_of
from hardneg.io.readers._frames import frame_said, with_frames
from hardneg.io.readers._media import Media
from hardneg.io.readers._scene import Scene
from hardneg.io.readers._splits import mined_split
from hardneg.io.reading import Skips

__all__ = ["COCO", "images_of", "open_scene"]

_RESULTS = re.compile(rb"\s*\[\s*\{[^{}]*\"(bbox|score|image_id)\"[^{}]*\"(bbox|score|category_id)\"")


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return path.is_file() and path.name.endswith((".json", ".json.gz")) and (is_truth(path) or _is_results(path))


def _is_results(path: Path) -> bool:
    found = _RESULTS.match(head(path))
    return found is not None and b'"bbox"' in found[0]


def open_scene(path: Path, options: ReadOptions, skips: Skips, notes: Skips) -> Scene:
    """What the data set holds, of one split; what is left out, and what is odd, is counted."""
    if _is_results(path):
        raise InputError(
            "These are a detector's results, and the data set is what is there.",
            path=path,
            remedy=f"hardneg mine ANNOTATIONS.json --predictions {path.name}",
        )
    every, categories = rows_of(path, "images", "image"), rows_of(path, "categories", "category")
    if not every or not categories:
        raise InputError("There are no images or no categories in it.", path=path, remedy="Give a COCO file.")
    split, images = images_of(every, options, path)
    for key in [key for key, one in every.items() if split and one.get("split") is None]:
        skips.add("image_without_a_split", f"image {key}")
    files, said = [_file(one) for one in images.values()], [frame_said(one) for one in images.values()]
    collection = with_frames(_images(images, options, notes), files, options.frames, notes, said)
    names = [str(one.get("name", key)) for key, one in categories.items()]
    order = [str(key) for key in categories]
    places = Places(
        _numbers(every, images),
        {name: row for row, name in enumerate(names)} | {key: row for row, key in enumerate(order)},
        order,
        [_size(one) for one in images.values()],
        _unseen(collection),
    )
    shown = f"coco, split {split}" if split else "coco"
    return Scene(shown, collection, names, places, labelled(path), [path], list(categories))


def images_of(
    images: Mapping[Id, Mapping[str, Any]], options: ReadOptions, path: Path
) -> tuple[str, dict[Id, Mapping[str, Any]]]:
    """The split that is mined and its images, by the field ``split``; all of them, and no name, where none has one.

    Raises InputError and OptionError as for any data with splits.
    """
    splits = sorted({str(one["split"]) for one in images.values() if one.get("split") is not None})
    if not splits:
        if options.split or options.exclude_split:
            raise InputError("The data have no splits.", path=path, remedy="Leave --split and --exclude-split out.")
        return "", dict(images)
    split = mined_split(splits, options, path)
    return split, {key: one for key, one in images.items() if str(one.get("split")) == split}


def _numbers(every: Mapping[Id, Mapping[str, Any]], images: Mapping[Id, Mapping[str, Any]]) -> dict[str, int]:
    """What stands for each image; names are those of all splits, so that none stands for an image of another."""
    rows, keys = {key: row for row, key in enumerate(images)}, list(every)
    names = image_names(keys, [_file(one) for one in every.values()])
    return {name: rows.get(keys[row], APART) for name, row in names.items()}


COCO = Format(
    "coco", "a JSON file with images, annotations and categories (COCO)", _sniff, partial(read_boxes, opened=open_scene)
)


def _file(one: Mapping[str, Any]) -> str | None:
    name = one.get("file_name")
    return name if isinstance(name, str) and name else None


def _size(one: Mapping[str, Any]) -> tuple[float, float] | None:
    sides = [one.get(name) for name in ("width", "height")]
    width, height = (side if isinstance(side, (int, float)) and side > 0 else None for side in sides)
    return None if width is None or height is None else (width, height)


def _unseen(images: Collection) -> frozenset[int]:
    """The images that have no picture, where others have one."""
    if "path" not in images.table.column_names:
        return frozenset()
    return frozenset(np.flatnonzero(images.table.column("path").is_null().to_numpy()).tolist())


def _images(images: Mapping[Id, Mapping[str, Any]], options: ReadOptions, notes: Skips) -> Collection:
    """The images with the paths of their pictures, where these are there."""
    ids = pa.array(list(images), pa.int64()) if all(isinstance(one, int) for one in images) else list(map(str, images))
    columns: dict[str, Any] = {"id": ids}
    if options.media_root is None:
        return Collection(pa.table(columns))
    root = Path(options.media_root)
    media = Media(root)
    paths = []
    for key, one in images.items():
        name = one.get("file_name")
        inside = media.relative(str(name)) if isinstance(name, str) else None
        if inside is None or not (root / inside).is_file():
            reason = "image_without_a_picture" if name is None or inside is not None else "path_outside_folder"
            notes.add(reason, f"image {key}: {name}")
            inside = None
        paths.append(inside)
    if not any(paths):
        raise InputError("None of the pictures is in this folder.", path=root, remedy="Give --images FOLDER.")
    return Collection(pa.table({**columns, "path": pa.array(paths, pa.string())}), root)
