"""COCO files, a record at a time: ground truth of any size and results of any length, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Id
from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers._bytes import binary, damaged
from hardneg.io.reading import Skips

__all__ = ["Places", "Table", "boxes_in", "records", "rows_of"]


def records(path: Path, part: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a list in a JSON file: ``part`` of its object, or the file's own list where that is empty.

    Raises InputError, naming the file, for what is no JSON or ends too early; MissingExtraError without ijson.
    """
    try:
        import ijson
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="detection") from None
    with binary(path) as file:
        try:
            for one in ijson.items(file, f"{part}.item" if part else "item", use_float=True):
                if not isinstance(one, Mapping):
                    raise InputError(f"The list '{part or 'of results'}' holds {one!r:.40}, no object.", path=path)
                yield one
        except (ijson.JSONError, EOFError, OSError) as error:
            said = " ".join(str(error).split())
            if "NaN" in said or "Infinity" in said:
                raise InputError(
                    f"It holds NaN or infinity, which JSON does not have ({said}).",
                    path=path,
                    remedy="Leave these results out, or write null.",
                ) from None
            raise damaged(path, said) from None


@dataclass(frozen=True)
class Places:
    """The numbers of images and of categories by their ids as text, and the images that cannot be used."""

    images: Mapping[str, int]
    categories: Mapping[str, int]
    unseen: frozenset[int] = frozenset()


@dataclass(eq=False)
class Table:
    """Boxes as they are read: numbers of images and categories, four numbers each, a score or flags."""

    image: array[int] = field(default_factory=lambda: array("q"))
    category: array[int] = field(default_factory=lambda: array("q"))
    box: array[float] = field(default_factory=lambda: array("d"))
    figure: array[float] = field(default_factory=lambda: array("d"))
    flags: array[int] = field(default_factory=lambda: array("b"))

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Image, category and box, as arrays."""
        box = np.frombuffer(self.box, np.float64).reshape(-1, 4) if self.box else np.zeros((0, 4))
        return *(np.array(one, np.int64) for one in (self.image, self.category)), box  # type: ignore[return-value]


def rows_of(path: Path, part: str, what: str) -> dict[Id, Mapping[str, Any]]:
    """Images or categories by id, in the order of the file.

    Raises InputError for one without an id, or an id that was there before.
    """
    found: dict[Id, Mapping[str, Any]] = {}
    for row, one in enumerate(records(path, part)):
        key = one.get("id")
        if not isinstance(key, (int, str)) or isinstance(key, bool):
            raise InputError(f"The {what} in place {row} has no id of text or a number. Got {key!r:.40}.", path=path)
        if key in found:
            raise InputError(f"The {what} id {key!r} is there twice.", path=path, remedy="Ids must be unique.")
        found[key] = {name: one[name] for name in ("name", "file_name", "width", "height") if name in one}
    return found


def boxes_in(path: Path, part: str, places: Places, skips: Skips, *, scored: bool) -> Table:
    """The boxes of ground truth or results. What cannot be used is counted with its place.

    ``flags`` of ground truth are 1 for a crowd, 2 for what is ignored or difficult. Text that is a whole number stands
    for that number where the data have it, as some tools write ids of images.
    """
    table = Table()
    for row, one in enumerate(records(path, part)):
        image = places.images.get(str(one.get("image_id")), -1)
        category = places.categories.get(str(one.get("category_id")), -1)
        reason = "image_without_a_picture" if image in places.unseen else _wrong(one, image, category, scored=scored)
        if reason is not None:
            skips.add(reason, f"{path.name}, box {row}: {_shown(one)}")
            continue
        table.image.append(image)
        table.category.append(category)
        table.box.extend(one["bbox"])
        if scored:
            table.figure.append(one["score"])
        else:
            difficult = bool(one.get("ignore")) or bool(one.get("difficult"))
            table.flags.append(bool(one.get("iscrowd")) + 2 * difficult)
    return table


def _wrong(one: Mapping[str, Any], image: int, category: int, *, scored: bool) -> str | None:
    """Why a box cannot be used, in one word."""
    box = one.get("bbox")
    if image < 0:
        return "unknown_image"
    if category < 0:
        return "unknown_category"
    if not isinstance(box, list) or len(box) != 4 or not all(map(_finite, box)):
        return "no_box"
    if box[2] < 0 or box[3] < 0:
        return "negative_side"
    if not box[2] or not box[3]:
        return "no_area"
    return "no_score" if scored and not _finite(one.get("score")) else None


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


def _shown(one: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {one.get(name)!r:.30}" for name in ("image_id", "category_id", "bbox", "score") if name in one
    )
