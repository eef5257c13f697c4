"""Files as lines of text: plain or gzip, UTF-8, with the line number in every complaint."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from hardneg.errors import InputError

__all__ = ["LONGEST_LINE", "binary", "damaged", "head", "refuse_packed", "text_lines"]

LONGEST_LINE = 64 * 2**20
_HEAD = 64 * 2**10
_PACKED = {b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}


def damaged(path: Path, why: object, *, line: int | None = None) -> InputError:
    """Return the error for a file that ends too early or does not unpack."""
    return InputError(
        f"The file is cut short or damaged ({why}).",
        path=path,
        line=line,
        remedy="Copy, download or write it again.",
    )


def binary(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked where it is gzip.

    Raises InputError for what is not there, cannot be read, or is a pipe.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError("There is no such file.", path=path) from None
    except OSError as error:
        raise InputError(f"The file cannot be read ({error.strerror}).", path=path) from error
    if not stream.seekable():
        stream.close()
        raise InputError(
            "This is a pipe, and what is read is read more than once.", path=path, remedy="Write it to a file first."
        )
    magic = stream.read(2)
    stream.seek(0)
    if magic != b"\x1f\x8b":
        return stream
    stream.close()
    return cast(BinaryIO, gzip.open(path))


def head(path: Path) -> bytes:
    """Return the first 64 KiB, unpacked where the file is gzip."""
    with binary(path) as stream:
        if not isinstance(stream, gzip.GzipFile):
            return stream.read(_HEAD)
    with path.open("rb") as packed:
        try:  # unlike GzipFile, this gives what a cut file still holds
            return zlib.decompressobj(31).decompress(packed.read(_HEAD), _HEAD)
        except zlib.error as error:
            raise damaged(path, error) from error


def refuse_packed(path: Path, start: bytes) -> None:
    """Raise InputError for a file that is packed in a way no reader unpacks."""
    with path.open("rb") as stream:
        if start.startswith(b"PAR1") and stream.read(4) != b"PAR1":
            raise InputError("This is a Parquet file inside gzip.", path=path, remedy="Unpack it with gunzip.")
    for magic, name in _PACKED.items():
        if start.startswith(magic):
            raise InputError(f"This is a {name} file.", path=path, remedy="Unpack it first, or pack it with gzip.")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give each line with its number from 1, line break included; one line in memory at a time.

    Raises InputError for a cut gzip file, a line that is not UTF-8 or one of more than 64 MiB.
    """
    with binary(path) as stream:
        number = 0
        while True:
            number += 1
            try:
                raw = stream.readline(LONGEST_LINE + 1)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise damaged(path, error, line=number) from error
            if not raw:
                return
            if len(raw) > LONGEST_LINE:
                raise InputError(
                    f"The line is longer than {LONGEST_LINE // 2**20} MiB.",
                    path=path,
                    line=number,
                    remedy="Split the text into passages; a missing line break is another common cause.",
                )
            yield number, _decoded(raw, path, number)


def _decoded(raw: bytes, path: Path, number: int) -> str:
    if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            "The file is UTF-16, not UTF-8.", path=path, remedy="Convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW."
        )
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"The text is not UTF-8 (byte {error.start + 1} of the line is 0x{raw[error.start]:02x}).",
            path=path,
            line=number,
            remedy="Convert the file, for instance: iconv -f LATIN1 -t UTF-8 OLD > NEW.",
        ) from None
