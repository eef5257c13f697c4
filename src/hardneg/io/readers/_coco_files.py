"""COCO files, a record at a time: ground truth of any size and results of any length, in little memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hardneg.collection import Id
from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers._box_rows import CROWD, IGNORED, Box
from hardneg.io.readers._bytes import binary, damaged, head
from hardneg.io.readers._frames import FRAME, SEQUENCE
from hardneg.io.readers._masks import MASK, with_box

__all__ = ["is_truth", "labelled", "records", "results", "rows_of"]

_BEGINS = re.compile(rb'\s*\{\s*"(images|annotations|categories|info|licenses)"\s*:')
_KEPT = ("name", "file_name", "width", "height", "split", *SEQUENCE, *FRAME)


def is_truth(path: Path) -> bool:
    """Whether it begins as an object with images and annotations does."""
    return bool(_BEGINS.match(head(path)))


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
                    remedy="Leave these boxes out, or write null.",
                ) from None
            raise damaged(path, said) from None


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
        found[key] = {name: one[name] for name in _KEPT if name in one}
    return found


def labelled(path: Path) -> Iterator[Box]:
    """The boxes of ground truth; crowds, and what is ignored or difficult, are marked."""
    for number, one in enumerate(records(path, "annotations")):
        ignored = bool(one.get("ignore")) or bool(one.get("difficult"))
        flags = CROWD * bool(one.get("iscrowd")) + IGNORED * ignored
        yield Box(path.name, number, one.get("image_id"), _category(one), *_boxed(one, None, flags))


def results(path: Path) -> Iterator[Box]:
    """The boxes of a detector's results: a list of them, or an object as of ground truth, with scores."""
    name = path.name
    for number, one in enumerate(records(path, "annotations" if is_truth(path) else "")):
        yield Box(name, number, one.get("image_id"), _category(one), *_boxed(one, one.get("score"), 0))


def _boxed(one: Mapping[str, Any], score: object, flags: int) -> tuple[object, object, int, None, str | None]:
    """What a ``Box`` has from its box on; of a mask without a box the one around it, which is noted."""
    boxed = with_box(one)
    return boxed.get("bbox"), score, flags, None, None if boxed is one else MASK


def _category(one: Mapping[str, Any]) -> object:
    """Its id, or its name, which some tools write in its stead or beside it."""
    given = one.get("category_id")
    return one.get("category_name", one.get("category")) if given is None else given
