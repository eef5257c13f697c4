"""The pictures of a data set with boxes: their size, and where they are put; boxes within them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hardneg.errors import InputError
from hardneg.images import BrokenImage, examine, rgb
from hardneg.io.writers._export import Export
from hardneg.io.writers._ground_truth import BoxOf, Photo, Truth
from hardneg.io.writers._media import carry
from hardneg.io.writers._names import Names

__all__ = ["GREY", "Size", "Stems", "check_photos", "clipped", "masked", "put_photo", "size_of"]

GREY = (114, 114, 114)  # what YOLO's own loaders fill the margins of a picture with

Size = tuple[float, float]


class Stems:
    """A name without an ending for each image, given once: pictures and labels share it."""

    def __init__(self) -> None:
        self._names = Names()

    def of(self, photo: Photo) -> tuple[str, str]:
        """The name and the ending of the picture.

        >>> stems = Stems()
        >>> stems.of(Photo(1, "a/x.jpg")), stems.of(Photo(2, "b/x.PNG")), stems.of(Photo(3, "7"))
        (('x', '.jpg'), ('x-2', '.png'), ('7', ''))
        """
        name = PurePosixPath((photo.path.name if photo.path else photo.name).replace("\\", "/"))
        stem = name.stem if name.suffix else name.name
        return self._names.free(stem.replace(".", "_")), name.suffix.lower()


def check_photos(export: Export, truth: Truth) -> None:
    """Raise InputError where no image has a picture: there would be nothing to train on."""
    if not any(one.path for one in truth.images):
        raise InputError(
            f"The format '{export.writer.name}' needs the pictures. None of the {len(truth.images):,} images has one.",
            remedy="Mine with --images FOLDER, or choose the format coco.",
        )


def size_of(export: Export, photo: Photo) -> Size | None:
    """Width and height as the data set has them, else of the picture; None, and counted, where neither is known."""
    if photo.width and photo.height:
        return photo.width, photo.height
    if photo.path is None:
        export.skips.add("image_of_unknown_size", f"{photo.id} ({photo.name})")
        return None
    try:
        found = examine(str(photo.path))
    except BrokenImage as error:
        export.skips.add(error.reason, f"{photo.id} ({photo.name})")
        return None
    return found.width, found.height


def clipped(box: BoxOf, size: Size) -> BoxOf | None:
    """The part of a box within the picture; None for none.

    >>> clipped((-5, 10, 20, 20), (100, 25)), clipped((200, 0, 5, 5), (100, 25))
    ((0, 10, 15, 15), None)
    """
    left, top = max(box[0], 0), max(box[1], 0)
    width, height = min(box[0] + box[2], size[0]) - left, min(box[1] + box[3], size[1]) - top
    return (left, top, width, height) if width > 0 and height > 0 else None


def put_photo(export: Export, photo: Photo, place: Path) -> bool:
    """Bring a picture to its place. False, and counted, where there is none: its labels would have no picture."""
    if photo.path is None:
        export.skips.add("image_without_a_picture", f"{photo.id} ({photo.name})")
        return False
    carry(export, photo.path.absolute(), place)
    return True


def masked(export: Export, photo: Photo, place: Path, grey: Sequence[BoxOf], there: Sequence[BoxOf]) -> bool:
    """Write a copy of a picture with grey boxes as PNG; what is there stays visible. False, and counted, if broken."""
    try:
        whole = rgb(str(photo.path))
    except BrokenImage as error:
        export.skips.add(error.reason, f"{photo.id} ({photo.name})")
        return False
    copy = whole.copy()
    for box in grey:
        copy.paste(GREY, _pixels(box))
    for box in there:
        copy.paste(whole.crop(_pixels(box)), _pixels(box))
    copy.save(place, "png")
    return True


def _pixels(box: BoxOf) -> tuple[int, int, int, int]:
    left, top = round(box[0]), round(box[1])
    return left, top, max(left + 1, round(box[0] + box[2])), max(top + 1, round(box[1] + box[3]))
