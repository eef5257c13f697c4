"""Image files: is one sound, what is in it, and its pixels as RGB. Broken ones are named, with a reason."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from hardneg.errors import MissingExtraError
from hardneg.mediafiles import BrokenMedia, Source, bytes_of, digest_of, examine_each
from hardneg.pixels import orientation, size_upright, to_rgb, upright

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["BrokenImage", "Crop", "Examined", "Picture", "digest", "examine", "examine_all", "rgb", "thumbnail"]

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crop:
    """A part of a picture: left, top, width and height in pixels of the upright picture.

    >>> Crop("street.jpg", (10.0, 20.0, 64.0, 32.0)).box[2]
    64.0
    """

    picture: Source
    box: Box


Picture: TypeAlias = Crop | Source

MOST_PIXELS = 100_000_000
# What may be opened. Others are for printers and old games, or start another program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO", "JPEG2000", "AVIF", "HEIF", "PPM")
_ALIKE = {"MPO": "JPEG", "DIB": "BMP"}
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_SMALLER = " Make it smaller, or leave it out."
_DRAFT = 64  # while examining, a JPEG is decoded no larger than its next scale above this


class BrokenImage(BrokenMedia):
    """A picture that cannot be used; ``reason`` is one of empty_file, missing_file, not_an_image, truncated_image,
    image_too_large and, for a crop, out_of_picture.
    """

    thing = "An image"
    another = "not_an_image"


@dataclass(frozen=True)
class Examined:
    """What a sound picture is: its size as seen, the 16-byte BLAKE2b of its bytes, its frames, its suffix."""

    width: int
    height: int
    content: bytes
    frames: int = 1
    suffix_fits: bool = True


def rgb(picture: Picture, *, box: int | None = None, most_pixels: int = MOST_PIXELS) -> Image:
    """The picture as an upright PIL image in RGB: the first frame, transparent parts on white.

    With ``box`` a JPEG may come out smaller than it is, which is faster; no side is shorter than ``box`` unless it
    was. ``most_pixels`` is looked at before anything is decoded. Of a crop the part that lies within the picture
    comes, in whole pixels; each thread keeps the picture that it cropped last, so crops are best asked for picture by
    picture.

    Raises BrokenImage, naming the file, for what is missing, empty, cut short, too large, or no image;
    MissingExtraError without Pillow.

    >>> from PIL import Image
    >>> saved = io.BytesIO()
    >>> Image.new("L", (3, 2), 7).save(saved, "png")
    >>> image = rgb(saved.getvalue())
    >>> image.size, image.getpixel((0, 0))
    ((3, 2), (7, 7, 7))
    """
    if isinstance(picture, Crop):
        return _cropped(picture, most_pixels)
    with bytes_of(picture, BrokenImage) as file, _opened(picture, file, most_pixels) as image:
        return _decoded(picture, image, box)


def examine(picture: Picture, *, most_pixels: int = MOST_PIXELS) -> Examined:
    """Decode a picture (a JPEG at a small scale) and say what it is.

    Raises BrokenImage like ``rgb``; an empty file, a web page with the suffix of an image or a download that
    stopped half-way are found here, not in the middle of long work. Of a crop the size is that of its part.
    """
    if isinstance(picture, Crop):
        whole = examine(picture.picture, most_pixels=most_pixels)
        left, top, right, bottom = _within(picture, (whole.width, whole.height))
        content = _digest_of_crop(picture, whole.content)
        return Examined(right - left, bottom - top, content, whole.frames, whole.suffix_fits)
    with bytes_of(picture, BrokenImage) as file, _opened(picture, file, most_pixels) as image:
        stored, form = image.size, image.format or ""
        _load(picture, image, _DRAFT)
        width, height = size_upright(stored, orientation(image))
        frames = _frames(image)
        return Examined(width, height, digest_of(file), frames, _suffix_fits(picture, form))


def examine_all(
    pictures: Sequence[Picture], threads: int | None = None, *, most_pixels: int = MOST_PIXELS
) -> list[Examined | BrokenImage]:
    """What ``examine`` says of each picture, in their order, on several threads; a broken one gives its error.

    Each thread holds one picture at a time.

    >>> [found.reason for found in examine_all([b"", b"a web page"])]
    ['empty_file', 'not_an_image']
    """
    return examine_each(pictures, lambda picture: examine(picture, most_pixels=most_pixels), BrokenImage, threads)


def digest(picture: Picture, content: bytes | None = None) -> bytes:
    """The 16-byte BLAKE2b of a picture's bytes, and of a crop's box with them. Nothing is decoded.

    ``content`` is that of the file, where it is known; many crops of one picture need it read once. Raises BrokenImage
    for a file that is missing or empty.

    >>> digest(b"P5") == digest(Crop(b"P5", (0, 0, 1, 1)))
    False
    """
    if isinstance(picture, Crop):
        return _digest_of_crop(picture, digest(picture.picture) if content is None else content)
    if content is not None:
        return content
    with bytes_of(picture, BrokenImage) as file:
        return digest_of(file)


def thumbnail(picture: Picture, size: int) -> bytes:
    """A small JPEG, no side longer than ``size``, for a report. Raises BrokenImage like ``rgb``."""
    image = rgb(picture, box=size)
    image.thumbnail((size, size))
    saved = io.BytesIO()
    image.save(saved, "jpeg", quality=80, optimize=True)
    return saved.getvalue()


# --- parts ------------------------------------------------------------------------------------------------------------

_LAST = threading.local()  # of each thread the picture that it cropped last: its source, and the pixels


def _cropped(crop: Crop, most_pixels: int) -> Image:
    of = _version(crop.picture)
    if of is None or getattr(_LAST, "of", None) != of:
        _LAST.of = _LAST.image = None  # what was kept is let go before more is decoded
        _LAST.image = rgb(crop.picture, most_pixels=most_pixels)
        _LAST.of = of
    image: Image = _LAST.image
    return image.crop(_within(crop, image.size))


def _version(source: Source) -> object:
    """What tells a file from one that took its place; None for what is missing."""
    if isinstance(source, bytes):
        return source
    try:
        facts = Path(source).stat()
    except (OSError, ValueError):
        return None
    return str(source), facts.st_mtime_ns, facts.st_size


def _within(crop: Crop, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom in whole pixels: all that the box touches of the picture."""
    left, top, width, height = crop.box
    if all(map(math.isfinite, crop.box)) and width > 0 and height > 0:
        right, bottom = (min(end, math.ceil(at)) for end, at in zip(size, (left + width, top + height), strict=True))
        left, top = (max(0, math.floor(at)) for at in (left, top))
        if left < right and top < bottom:
            return int(left), int(top), right, bottom
    box = ", ".join(f"{one:g}" for one in crop.box)
    raise BrokenImage.of(
        crop.picture, "out_of_picture", f"Nothing of the box ({box}) is in the picture of {size[0]} x {size[1]} pixels."
    )


def _digest_of_crop(crop: Crop, content: bytes) -> bytes:
    return hashlib.blake2b(content + struct.pack("<4d", *crop.box), digest_size=16).digest()


# --- opening ----------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(picture: Source, file: BinaryIO, most_pixels: int) -> Iterator[Image]:
    """The header read, the size looked at, nothing decoded yet."""
    pil = _pillow()
    try:
        image = pil.open(file, formats=[form for form in _FORMATS if form in pil.OPEN])
    except (pil.DecompressionBombError, pil.DecompressionBombWarning):
        raise BrokenImage.of(
            picture, "image_too_large", f"It claims more than {most_pixels:,} pixels.{_SMALLER}"
        ) from None
    except Exception:  # whatever a decoder says of bytes that it did not expect
        raise _unknown(picture, file) from None
    with image:
        width, height = image.size
        if width * height > most_pixels:
            size = f"It claims {width:,} x {height:,} pixels; at most {most_pixels:,} are read."
            raise BrokenImage.of(picture, "image_too_large", size + _SMALLER)
        yield image


def _unknown(picture: Source, file: BinaryIO) -> BrokenImage:
    file.seek(0)
    begins = file.read(16)
    if begins.startswith(_BEGINNINGS):
        return BrokenImage.of(
            picture, "truncated_image", "It begins like an image but is cut short or damaged. Get it again."
        )
    return BrokenImage.of(picture, "not_an_image", f"This is no image that can be read; it begins with {begins!r}.")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("pillow", extra="image") from None
    Image.init()  # at once where it is done; where another thread is at it, it ends only when all formats are there
    return Image


# --- decoding ---------------------------------------------------------------------------------------------------------


def _load(picture: Source, image: Image, box: int | None) -> None:
    if box is not None and image.format in ("JPEG", "MPO"):
        image.draft(None, (box, box))
    try:
        image.load()
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and others
        found = str(error).strip() or type(error).__name__
        raise BrokenImage.of(
            picture, "truncated_image", f"It is cut short or damaged: {found}. Get it again."
        ) from None


def _decoded(picture: Source, image: Image, box: int | None) -> Image:
    _load(picture, image, box)
    turned = orientation(image)
    try:
        return upright(to_rgb(image), turned).copy()
    except (ValueError, OSError) as error:
        raise BrokenImage.of(picture, "not_an_image", f"Its colours ({image.mode}) cannot be read: {error}.") from None


def _frames(image: Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # an animation that breaks off after its first frame, which is all that we use
        return 1


def _suffix_fits(picture: Source, form: str) -> bool:
    """False only where the suffix names another format."""
    if isinstance(picture, bytes):
        return True
    named = _pillow().registered_extensions().get(Path(picture).suffix.lower())
    return named is None or _ALIKE.get(named, named) == _ALIKE.get(form, form)
