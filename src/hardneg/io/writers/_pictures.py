"""The pictures of a run for formats that hold them: linked, copied or written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardneg.collection import Collection
from hardneg.images import BrokenImage, Crop, rgb
from hardneg.io.writers._export import Export
from hardneg.io.writers._media import Place, carry, within

__all__ = ["put_picture"]

_BEGINNINGS = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"II*\0": ".tif", b"MM\0*": ".tif",
    b"RIFF": ".webp", b"P5": ".pgm", b"P6": ".ppm",
}  # fmt: skip


def put_picture(export: Export, things: Collection, row: int, place: Place) -> Path | None:
    """Put a picture at a place that is free for its name; a crop is cut out and written as PNG.

    None, and counted, where there is none to put.
    """
    pictures, name = things.pictures, str(things.ids[row].as_py())
    picture = None if pictures is None else pictures[row]
    whole = picture.picture if isinstance(picture, Crop) else picture
    if (problem := _problem(things, row, whole)) is not None:
        export.skips.add(problem, name if isinstance(whole, bytes | None) else f"{name} ({whole!s})")
        return None
    if isinstance(picture, Crop):
        return _cut_out(export, picture, name, place)
    if isinstance(picture, bytes):
        file = place(f"{name}{_suffix(picture)}")
        file.write_bytes(picture)
        return file
    source = Path(str(picture)).absolute()
    file = place(source.name)
    carry(export, source, file)
    return file


def _problem(things: Collection, row: int, picture: Any) -> str | None:
    """Why there is no picture to put, in one word; None where there is one."""
    if picture is None:
        return "no_picture"
    if isinstance(picture, bytes):
        return None if _suffix(picture) else "not_an_image"
    if not within(things, row, "path"):
        return "outside_its_root"
    return None if Path(picture).is_file() else "missing_file"


def _cut_out(export: Export, crop: Crop, name: str, place: Place) -> Path | None:
    try:
        image = rgb(crop)
    except BrokenImage as error:
        export.skips.add(error.reason, name)
        return None
    file = place(f"{name}.png")
    image.save(file, "png")
    return file


def _suffix(picture: bytes) -> str | None:
    return next((suffix for start, suffix in _BEGINNINGS.items() if picture.startswith(start)), None)
