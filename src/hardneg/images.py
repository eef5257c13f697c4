"""Image files: is one sound, what is in it, and its pixels as RGB. Broken ones are named, with a reason."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hardneg.errors import InputError, MissingExtraError
from hardneg.parallel import threads as usual_threads
from hardneg.pixels import orientation, size_upright, to_rgb, upright

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["BrokenImage", "Examined", "Picture", "Reason", "digest", "examine", "examine_all", "rgb", "thumbnail"]

Picture: TypeAlias = str | os.PathLike[str] | bytes
File: TypeAlias = io.BufferedReader | io.BytesIO
Reason = Literal["empty_file", "missing_file", "not_an_image", "truncated_image", "image_too_large"]

MOST_PIXELS = 100_000_000
# What may be opened. Others are for printers and old games, or start another program.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO", "JPEG2000", "AVIF", "HEIF", "PPM")
_ALIKE = {"MPO": "JPEG", "DIB": "BMP"}
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_SMALLER = " Make it smaller, or leave it out."
_SLICE = 1024  # pictures handed to the threads at a time
_DRAFT = 64  # while examining, a JPEG is decoded no larger than its next scale above this


class BrokenImage(InputError):  # noqa: N818 - it is listed like a finding, not only raised
    """A picture that cannot be used; ``reason`` says why in one word, for counting."""

    def __init__(self, message: str, *, reason: Reason = "not_an_image", path: str | Path | None = None) -> None:
        super().__init__(message, path=path)
        self.reason: Reason = reason


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
    was. ``most_pixels`` is looked at before anything is decoded.

    Raises BrokenImage, naming the file, for what is missing, empty, cut short, too large, or no image;
    MissingExtraError without Pillow.

    >>> from PIL import Image
    >>> saved = io.BytesIO()
    >>> Image.new("L", (3, 2), 7).save(saved, "png")
    >>> image = rgb(saved.getvalue())
    >>> image.size, image.getpixel((0, 0))
    ((3, 2), (7, 7, 7))
    """
    with _bytes_of(picture) as file, _opened(picture, file, most_pixels) as image:
        return _decoded(picture, image, box)


def examine(picture: Picture, *, most_pixels: int = MOST_PIXELS) -> Examined:
    """Decode a picture (a JPEG at a small scale) and say what it is.

    Raises BrokenImage like ``rgb``; an empty file, a web page with the suffix of an image or a download that
    stopped half-way are found here, not in the middle of long work.
    """
    with _bytes_of(picture) as file, _opened(picture, file, most_pixels) as image:
        stored, form = image.size, image.format or ""
        _load(picture, image, _DRAFT)
        width, height = size_upright(stored, orientation(image))
        frames = _frames(image)
        file.seek(0)
        return Examined(width, height, _hash(file), frames, _suffix_fits(picture, form))


def examine_all(
    pictures: Sequence[Picture], threads: int | None = None, *, most_pixels: int = MOST_PIXELS
) -> list[Examined | BrokenImage]:
    """What ``examine`` says of each picture, in their order, on several threads; a broken one gives its error.

    Each thread holds one picture at a time.

    >>> [found.reason for found in examine_all([b"", b"a web page"])]
    ['empty_file', 'not_an_image']
    """

    def one(picture: Picture) -> Examined | BrokenImage:
        try:
            return examine(picture, most_pixels=most_pixels)
        except BrokenImage as error:
            # The error as raised holds on to the frames it came through, and they to the picture's pixels.
            return _bare(error)

    found: list[Examined | BrokenImage] = []
    with ThreadPoolExecutor(threads or usual_threads()) as workshop:
        for start in range(0, len(pictures), _SLICE):
            found += workshop.map(one, pictures[start : start + _SLICE])
    return found


def digest(picture: Picture) -> bytes:
    """The 16-byte BLAKE2b of a picture's bytes, which stands for its content. Nothing is decoded.

    Raises BrokenImage for a file that is missing or empty.
    """
    with _bytes_of(picture) as file:
        return _hash(file)


def thumbnail(picture: Picture, size: int) -> bytes:
    """A small JPEG, no side longer than ``size``, for a report. Raises BrokenImage like ``rgb``."""
    image = rgb(picture, box=size)
    image.thumbnail((size, size))
    saved = io.BytesIO()
    image.save(saved, "jpeg", quality=80, optimize=True)
    return saved.getvalue()


# --- opening ----------------------------------------------------------------------------------------------------------


@contextmanager
def _bytes_of(picture: Picture) -> Iterator[File]:
    """The picture's bytes, open for reading; never those of a pipe or a device, which may have no end."""
    if isinstance(picture, bytes):
        if not picture:
            raise _broken(picture, "empty_file", "There is nothing in it (0 bytes).")
        yield io.BytesIO(picture)
        return
    try:
        facts = Path(picture).stat()
        if stat.S_ISREG(facts.st_mode) and facts.st_size == 0:
            raise _broken(picture, "empty_file", "The file is empty (0 bytes).")
        if not stat.S_ISREG(facts.st_mode):
            raise _broken(picture, "not_an_image", "This is a folder, a pipe or a device, no file.")
        file = Path(picture).open("rb")  # noqa: SIM115 - closed below
    except BrokenImage:
        raise
    except FileNotFoundError:
        raise _broken(picture, "missing_file", f"There is no such file{_link(picture)}.") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise _broken(picture, "missing_file", f"The file cannot be read: {reason}.") from None
    with file:
        yield file


def _link(picture: Any) -> str:
    return f"; it is a link to {Path(picture).readlink()}, which is not there" if Path(picture).is_symlink() else ""


@contextmanager
def _opened(picture: Picture, file: File, most_pixels: int) -> Iterator[Image]:
    """The header read, the size looked at, nothing decoded yet."""
    pil = _pillow()
    try:
        image = pil.open(file, formats=[form for form in _FORMATS if form in pil.OPEN])
    except (pil.DecompressionBombError, pil.DecompressionBombWarning):
        raise _broken(picture, "image_too_large", f"It claims more than {most_pixels:,} pixels.{_SMALLER}") from None
    except Exception:  # whatever a decoder says of bytes that it did not expect
        raise _unknown(picture, file) from None
    with image:
        width, height = image.size
        if width * height > most_pixels:
            size = f"It claims {width:,} x {height:,} pixels; at most {most_pixels:,} are read."
            raise _broken(picture, "image_too_large", size + _SMALLER)
        yield image


def _unknown(picture: Picture, file: File) -> BrokenImage:
    file.seek(0)
    begins = file.read(16)
    if begins.startswith(_BEGINNINGS):
        return _broken(picture, "truncated_image", "It begins like an image but is cut short or damaged. Get it again.")
    return _broken(picture, "not_an_image", f"This is no image that can be read; it begins with {begins!r}.")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtraError("pillow", extra="image") from None
    if len(Image.OPEN) < len(_FORMATS):
        Image.init()
    return Image


# --- decoding ---------------------------------------------------------------------------------------------------------


def _load(picture: Picture, image: Image, box: int | None) -> None:
    if box is not None and image.format in ("JPEG", "MPO"):
        image.draft(None, (box, box))
    try:
        image.load()
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError and others
        found = str(error).strip() or type(error).__name__
        raise _broken(picture, "truncated_image", f"It is cut short or damaged: {found}. Get it again.") from None


def _decoded(picture: Picture, image: Image, box: int | None) -> Image:
    _load(picture, image, box)
    turned = orientation(image)
    try:
        return upright(to_rgb(image), turned).copy()
    except (ValueError, OSError) as error:
        raise _broken(picture, "not_an_image", f"Its colours ({image.mode}) cannot be read: {error}.") from None


def _frames(image: Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # an animation that breaks off after its first frame, which is all that we use
        return 1


def _suffix_fits(picture: Picture, form: str) -> bool:
    """False only where the suffix names another format."""
    if isinstance(picture, bytes):
        return True
    named = _pillow().registered_extensions().get(Path(picture).suffix.lower())
    return named is None or _ALIKE.get(named, named) == _ALIKE.get(form, form)


def _hash(file: File) -> bytes:
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


def _broken(picture: Picture, reason: Reason, message: str) -> BrokenImage:
    path = None if isinstance(picture, bytes) else os.fspath(picture)
    return BrokenImage(message if path is not None else f"An image: {message}", reason=reason, path=path)


def _bare(error: BrokenImage) -> BrokenImage:
    bare = BrokenImage(str(error), reason=error.reason)
    bare.path = error.path
    return bare
