"""A detector's results in any form: which form it is, and the boxes in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._box_rows import Box, Places
from hardneg.io.readers._coco_files import results

__all__ = ["found_in"]


def found_in(place: Path, places: Places) -> tuple[Iterable[Box], Sequence[Path]]:
    """The boxes of a detector, and the files that they are in: COCO's results, or folders of YOLO's or VOC's.

    Raises InputError for what is none of these.
    """
    if not place.exists():
        raise InputError("There is no such file or folder.", path=place)
    if place.is_file() and place.name.endswith((".json", ".json.gz")):
        return results(place), [place]
    raise InputError("These are no results that can be read.", path=place, remedy="Give COCO results.")
