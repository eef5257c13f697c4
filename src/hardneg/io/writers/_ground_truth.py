"""All that is there in the pictures of a mining of detections: every image and every box, not only what was mined.

A run holds the boxes that count and what was mined: crowds, and images in which nothing is and nothing was found, are
not in it. Training needs them, so all is read again from the annotations that the run's ``recipe.toml`` names. Where
there are none (the run was made in Python, or the file is gone), what the run holds must do, and the report of the
export says so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from hardneg.collection import Id
from hardneg.errors import InputError
from hardneg.io.readers import coco, voc, yolo
from hardneg.io.readers._box_rows import gather
from hardneg.io.readers._coco_files import records, rows_of
from hardneg.io.readers._masks import with_box
from hardneg.io.readers._media import Media
from hardneg.io.readers._scene import Open
from hardneg.io.reading import Skips
from hardneg.io.run_data import data_of, split_of
from hardneg.run import Run
from hardneg.storage import digest

__all__ = ["Category", "Here", "Photo", "Truth", "ground_truth", "why_not"]

BoxOf = tuple[float, float, float, float]  # left, top, width, height in pixels
_Read = Callable[[Path, Mapping[str, Any], Run, Skips], "Truth"]


@dataclass(frozen=True)
class Photo:
    """An image of the data set; ``name`` is that of its file as the data set has it, ``path`` where the picture is."""

    id: Id
    name: str
    path: Path | None = None
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True)
class Category:
    """A category of the data set."""

    id: Id
    name: str


@dataclass(frozen=True)
class Here:
    """A box that is there. ``category`` is a row; what is ``uncounted`` is a crowd, or difficult or ignored."""

    category: int
    box: BoxOf
    uncounted: bool = False


@dataclass(frozen=True)
class Truth:
    """What is there: the boxes of each image by its row.

    ``annotations`` is the COCO file it is from, where it is from one, and ``last`` the largest number among the ids of
    its annotations; ``told`` says in one line where it is from.
    """

    images: list[Photo]
    categories: list[Category]
    boxes: Mapping[int, list[Here]]
    told: str
    annotations: Path | None = None
    last: int = 0

    def image_rows(self) -> dict[str, int]:
        """The rows of the images by their ids as text."""
        return {str(one.id): row for row, one in enumerate(self.images)}

    def category_rows(self) -> dict[str, int]:
        """The rows of the categories by name, the first of several."""
        return {one.name: row for row, one in reversed(list(enumerate(self.categories)))}


def ground_truth(run: Run, skips: Skips) -> Truth:
    """What is there in all images of the data set; boxes that cannot be used are counted.

    Raises InputError for a run whose items are not boxes in images.
    """
    if not {"box", "image_id", "predicted"} <= set(run.items.table.column_names):
        raise InputError(
            "This format needs a mining of detections. The items of the run have no boxes in images.",
            remedy="Mine with: hardneg mine annotations.json --predictions detections.json",
        )
    data = data_of(run)
    file = Path(data["path"]) if "path" in data else None
    kind = str(data.get("format") or run.manifest.get("data", {}).get("format"))
    read = _READ.get(kind.partition(",")[0])  # what follows is the split
    if file is None or read is None or not file.exists():
        return _from_run(run, f"Only what the run holds, for {_why(file, read is not None)}. {_MISSING}")
    return read(file, data, run, skips)


_MISSING = "Crowds are missing, and images in which nothing is and nothing was found."


def _why(file: Path | None, known: bool) -> str:
    if file is None:
        return "it has no recipe.toml"
    return f"'{file.name}' is not there" if known else f"'{file.name}' is of a format that is not read again"


def _from_coco(file: Path, data: Mapping[str, Any], run: Run, skips: Skips) -> Truth:
    every, kinds = rows_of(file, "images", "image"), rows_of(file, "categories", "category")
    split, rows = coco.images_of(every, split_of(data), file)
    others = {str(key) for key in every.keys() - rows.keys()}
    root = data.get("media_root")
    media = None if root is None else Media(Path(root))
    images = [
        Photo(
            key, str(one.get("file_name", key)), _picture(media, root, one), _side(one, "width"), _side(one, "height")
        )
        for key, one in rows.items()
    ]
    of_image = {str(key): row for row, key in enumerate(rows)}
    of_category = {str(key): row for row, key in enumerate(kinds)}
    boxes: defaultdict[int, list[Here]] = defaultdict(list)
    last = 0
    for row, one in enumerate(map(with_box, records(file, "annotations"))):
        if str(one.get("image_id")) in others:
            continue
        last = max(last, own if isinstance(own := one.get("id"), int) else 0)
        image, category = (
            known.get(str(one.get(name)), -1) for known, name in ((of_image, "image_id"), (of_category, "category_id"))
        )
        if (reason := why_not(one, image, category)) is not None:
            skips.add(f"annotation_{reason}", f"{file.name}, box {row}")
            continue
        uncounted = any(one.get(name) for name in ("iscrowd", "ignore", "difficult"))
        left, top, width, height = map(float, one["bbox"])
        boxes[image].append(Here(category, (left, top, width, height), uncounted))
    categories = [Category(key, str(one.get("name", key))) for key, one in kinds.items()]
    told = f"All images and boxes{f' of the split {split}' if split else ''}, read again from '{file.name}'."
    if run.manifest.get("data", {}).get("files", {}).get(file.name) not in (None, digest(file)):
        told += " It has changed since the mining."
    return Truth(images, categories, boxes, told, file, last)


def why_not(one: Mapping[str, Any], image: int, category: int) -> str | None:
    """Why an annotation cannot be used, in one word; ``image`` and ``category`` are -1 where they are not known."""
    box = one.get("bbox")
    if image < 0:
        return "unknown_image"
    if category < 0:
        return "unknown_category"
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
        return "no_box"
    return "no_area" if box[2] <= 0 or box[3] <= 0 else None


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _picture(media: Media | None, root: Any, one: Mapping[str, Any]) -> Path | None:
    name = one.get("file_name")
    inside = media.relative(name) if media is not None and isinstance(name, str) else None
    return None if inside is None or not (Path(root) / inside).is_file() else Path(root) / inside


def _side(one: Mapping[str, Any], name: str) -> float | None:
    value = one.get(name)
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return value if usable else None


def _from_scene(opened: Open) -> _Read:
    """Read all boxes of a data set whose format opens a scene, with the same split as in the mining."""

    def read(place: Path, data: Mapping[str, Any], run: Run, skips: Skips) -> Truth:  # noqa: ARG001
        left, odd = Skips(), Skips()
        scene = opened(place, replace(split_of(data), media_root=data.get("media_root")), left, odd)
        there = gather(scene.truth, scene.places, left, odd)
        for one in left.list():
            skips.add(f"annotation_{one.reason}", "; ".join(one.examples), one.count)
        pictures = scene.images.pictures
        images = []
        for row, key in enumerate(map(str, scene.images.ids.to_pylist())):
            file = None if pictures is None or pictures[row] is None else Path(str(pictures[row]))
            images.append(Photo(key, key if file is None else file.name, file, *(scene.places.sizes[row] or ())))
        boxes: defaultdict[int, list[Here]] = defaultdict(list)
        rows = zip(there.image.tolist(), there.category.tolist(), there.box.tolist(), there.uncounted, strict=True)
        for image, category, box, uncounted in rows:
            boxes[image].append(Here(category, tuple(box), bool(uncounted)))
        categories = [Category(number, name) for number, name in enumerate(scene.categories, start=1)]
        return Truth(images, categories, boxes, f"All images and boxes, read again from '{place.name}'.")

    return read


_READ: dict[str, _Read] = {
    "coco": _from_coco,
    "voc": _from_scene(voc.open_scene),
    "yolo": _from_scene(yolo.open_scene),
}
"""How to read all boxes of a data set again, by the name of its format."""


def _from_run(run: Run, told: str) -> Truth:
    """The images and boxes that the run's own items name."""
    items = run.items.table
    columns = {name: items.column(name).to_pylist() for name in ("image_id", "box", "label", "predicted")}
    paths = items.column("path").to_pylist() if "path" in items.column_names else [None] * len(items)
    known = set(run.anchors.ids.to_pylist()) | set(pc.unique(pc.drop_null(items.column("label"))).to_pylist())
    categories = [Category(number, name) for number, name in enumerate(sorted(map(str, known)), start=1)]
    codes = {one.name: row for row, one in enumerate(categories)}
    images: dict[Any, Photo] = {}
    boxes: defaultdict[Any, list[Here]] = defaultdict(list)
    media = None if run.media is None else Media(run.media)
    for key, box, label, predicted, path in zip(*columns.values(), paths, strict=True):
        if key not in images:
            images[key] = Photo(key, str(path or key), _picture(media, run.media, {"file_name": path}))
        if predicted is None and label is not None:
            boxes[key].append(Here(codes[str(label)], tuple(box)))
    return Truth(
        list(images.values()), categories, {row: boxes[key] for row, key in enumerate(images) if key in boxes}, told
    )
