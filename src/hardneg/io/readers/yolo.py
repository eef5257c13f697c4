"""YOLO: pictures and text files with a box a line, as Ultralytics and Roboflow write them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.images import BrokenImage, examine_all
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._box_rows import Box, Places, image_names
from hardneg.io.readers._boxes import read_boxes
from hardneg.io.readers._frames import with_frames
from hardneg.io.readers._media import Media
from hardneg.io.readers._scene import Scene
from hardneg.io.readers._yolo_files import labels
from hardneg.io.readers._yolo_layout import CLASSES, Layout, files_in, label_of, layout
from hardneg.io.reading import Skips

__all__ = ["YOLO", "open_scene"]


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    if path.is_file():
        return path.suffix in (".yaml", ".yml")
    held = [path, *(one for one in path.iterdir() if one.is_dir())]
    described = any((path / name).is_file() for name in ("data.yaml", "data.yml"))
    return described or any((one / "images").is_dir() and (one / "labels").is_dir() for one in held)


def open_scene(path: Path, options: ReadOptions, skips: Skips, notes: Skips) -> Scene:
    """What the data set holds; what is left out, and what is odd, is counted."""
    where = layout(path, options)
    if where is None:
        raise InputError(
            "This is no YOLO data set.",
            path=path,
            remedy="Give a folder with images/ and labels/, or a data.yaml with train and names.",
        )
    ids, pictures = _pictures(where, skips)
    if not ids:
        raise InputError("There is no picture in it.", path=where.places[0], remedy="Give --images FOLDER.")
    inside, sizes = _examined(where, ids, pictures, notes)
    files = [label_of(one) for one in pictures]
    names = where.names or _numbers(files)
    order = [str(number) for number in range(len(names))]
    places = Places(
        image_names(ids, inside),
        {name: row for row, name in enumerate(names)} | {key: row for row, key in enumerate(order)},
        order,
        sizes,
        frozenset(row for row, size in enumerate(sizes) if size is None),
    )
    _count_strays(where, set(files), skips)
    images = Collection(pa.table({"id": ids, "path": pa.array(inside, pa.string())}), where.root)
    images = with_frames(images, inside, options.frames, notes)
    split = f", split {where.split}" if where.split else ""
    truth = _truth(where, files, ids, places)
    there = [one for one in files if one.is_file()]
    return Scene(f"yolo{split}", images, names, places, truth, [*where.files, *there], range(len(names)))


YOLO = Format(
    "yolo", "a folder with images/ and labels/ or a data.yaml (YOLO)", _sniff, partial(read_boxes, opened=open_scene)
)


def _pictures(where: Layout, skips: Skips) -> tuple[list[str], list[Path]]:
    """Names and paths; of two pictures with one name the first."""
    found: dict[str, Path] = {}
    for name, path in where.pictures():
        if name in found:
            skips.add("picture_named_twice", f"{path.name} beside {found[name].name}")
        else:
            found[name] = path
    return list(found), list(found.values())


def _examined(
    where: Layout, ids: Sequence[str], pictures: Sequence[Path], notes: Skips
) -> tuple[list[str | None], list[tuple[float, float] | None]]:
    """The paths and sizes of the pictures; None for one that cannot be used, which is noted."""
    media = Media(where.root)
    inside = [media.relative(str(one.absolute())) for one in pictures]
    sound = [row for row, one in enumerate(inside) if one is not None]
    sizes: list[tuple[float, float] | None] = [None] * len(ids)
    for row in set(range(len(ids))) - set(sound):
        notes.add("path_outside_folder", ids[row])
    for row, one in zip(sound, examine_all([pictures[row] for row in sound]), strict=True):
        if isinstance(one, BrokenImage):
            notes.add(one.reason, f"{inside[row]}")
            inside[row] = None
        else:
            sizes[row] = (one.width, one.height)
    if not any(inside):
        raise InputError("None of the pictures can be used.", path=where.places[0], remedy="Look at the first of them.")
    return inside, sizes


def _truth(where: Layout, files: Sequence[Path], ids: Sequence[str], places: Places) -> Iterator[Box]:
    """The boxes, picture by picture; one without a file, or with an empty one, shows nothing."""
    for file, image in zip(files, ids, strict=True):
        if file.is_file():
            shown = os.path.relpath(file, where.root)
            yield from labels(file, shown, image, places, keypoints=where.keypoints)


def _numbers(files: Sequence[Path]) -> tuple[str, ...]:
    """Numbers as names, up to the highest that is there, where nobody names the classes."""
    highest = -1
    for file in files:
        if file.is_file():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                first = line.split(maxsplit=1)[:1]
                if first and first[0].isdecimal():
                    highest = max(highest, min(int(first[0]), _MOST_CLASSES))
    return tuple(str(number) for number in range(highest + 1))


_MOST_CLASSES = 100_000


def _count_strays(where: Layout, used: set[Path], skips: Skips) -> None:
    """Count the files of labels whose picture is not there."""
    for place in where.places:
        folder = label_of(place / "any").parent
        for name in files_in(folder) if place.is_dir() else ():
            if name.endswith(".txt") and Path(name).name != CLASSES and folder / name not in used:
                skips.add("labels_without_a_picture", name)
