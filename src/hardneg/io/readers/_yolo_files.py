"""YOLO's text files: a class, a box or polygon in shares of the picture's sides, of results how sure; a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from hardneg.io.readers._box_rows import Box, Places
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._yolo_layout import CLASSES

__all__ = ["labels", "results"]

_OFF = 0.01  # how far a number may be off [0, 1]
Size = tuple[float, float]


def labels(file: Path, shown: str, image: str, places: Places, *, keypoints: bool) -> Iterator[Box]:
    """What is there in one picture. A polygon gives the box around it; points after a box are passed over."""
    size = _size(places, image)
    for number, line in text_lines(file):
        if fields := line.split():
            box = Box(shown, number, image, None)
            yield _read(box, fields, fields[1:5] if keypoints else fields[1:], None, places, size)


def results(folder: Path, names: Sequence[str], places: Places) -> Iterator[Box]:
    """What a detector found, as Ultralytics writes it with ``save_txt`` and ``save_conf``: how sure comes last.

    After it may stand the number of a track. A file is named like its picture.
    """
    for name in names:
        if PurePosixPath(name).name == CLASSES:
            continue
        image = _image(PurePosixPath(name).with_suffix(""), places)
        size = _size(places, image)
        for number, line in text_lines(folder / name):
            if not (fields := line.split()):
                continue
            if len(fields) == 7 and fields[6].isdecimal():
                fields.pop()
            scored = len(fields) % 2 == 0
            coordinates = fields[1:-1] if scored else fields[1:]
            yield _read(
                Box(name, number, image, None), fields, coordinates, fields[-1] if scored else None, places, size
            )


def _read(
    box: Box, fields: Sequence[str], coordinates: Sequence[str], score: str | None, places: Places, size: Size | None
) -> Box:
    """The box in pixels."""
    try:
        number, shares = float(fields[0]), [float(one) for one in coordinates]
        sure = None if score is None else float(score)
    except ValueError:
        return box._replace(box=" ".join(fields), reason="broken_line")
    known = number.is_integer() and 0 <= number < len(places.order)
    box = box._replace(category=places.order[int(number)] if known else f"class {fields[0]}", score=sure)
    if len(shares) < 4 or len(shares) % 2:
        return box._replace(box=" ".join(fields), reason="broken_line")
    if not all(-_OFF <= one <= 1 + _OFF for one in shares):
        return box._replace(box=shares, reason="not_normalised")
    if size is None:
        unseen = places.images.get(str(box.image), -1)
        return box if unseen < 0 or unseen in places.unseen else box._replace(reason="image_of_unknown_size")
    return box._replace(box=_box(shares, size))


def _box(shares: Sequence[float], size: Size) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels, of a centre with sides or of a polygon."""
    if len(shares) == 4:
        x, y, width, height = shares
        left, top = x - width / 2, y - height / 2
    else:
        left, top = min(shares[::2]), min(shares[1::2])
        width, height = max(shares[::2]) - left, max(shares[1::2]) - top
    return left * size[0], top * size[1], width * size[0], height * size[1]


def _image(name: PurePosixPath, places: Places) -> str:
    """The longest end of a path that stands for an image; the path itself where none does."""
    ends = (str(PurePosixPath(*name.parts[row:])) for row in range(len(name.parts)))
    return next((one for one in ends if one in places.images), str(name))


def _size(places: Places, image: str) -> Size | None:
    row = places.images.get(image, -1)
    return places.sizes[row] if row >= 0 else None
