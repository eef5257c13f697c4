"""Files of pictures and sounds, or their bytes, opened with care. What is wrong with one has a reason, for counting."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self, TypeAlias, TypeVar

from hardneg.errors import InputError
from hardneg.parallel import threads as usual_threads

__all__ = ["BrokenMedia", "Source", "bytes_of", "digest_of", "examine_each"]

Source: TypeAlias = str | os.PathLike[str] | bytes
T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E", bound="BrokenMedia")

_SLICE = 1024  # handed to the threads at a time


class BrokenMedia(InputError):  # noqa: N818 - it is listed like a finding, not only raised
    """A picture or a sound that cannot be used; ``reason`` says why in one word, for counting.

    A subclass says what it is of: ``thing``, and ``another``, the reason for what is something else.
    """

    thing: ClassVar[str]
    another: ClassVar[str]

    def __init__(self, message: str, *, reason: str | None = None, path: str | Path | None = None) -> None:
        super().__init__(message, path=path)
        self.reason: str = reason or self.another

    @classmethod
    def of(cls, source: Source, reason: str, message: str) -> Self:
        """The error, naming the file where there is one."""
        path = None if isinstance(source, bytes) else os.fspath(source)
        return cls(message if path is not None else f"{cls.thing}: {message}", reason=reason, path=path)

    def bare(self) -> Self:
        """The same without the frames that it came through, which hold on to pixels or samples."""
        bare = type(self)(str(self), reason=self.reason)
        bare.path = self.path
        return bare


@contextmanager
def bytes_of(source: Source, broken: type[BrokenMedia]) -> Iterator[BinaryIO]:
    """The bytes, open for reading; never those of a pipe or a device, which may have no end.

    Raises ``broken`` for what is missing or empty, or no file.
    """
    if isinstance(source, bytes):
        if not source:
            raise broken.of(source, "empty_file", "There is nothing in it (0 bytes).")
        yield io.BytesIO(source)
        return
    try:
        facts = Path(source).stat()
        if not stat.S_ISREG(facts.st_mode):
            raise broken.of(source, broken.another, "This is a folder, a pipe or a device, no file.")
        if facts.st_size == 0:
            raise broken.of(source, "empty_file", "The file is empty (0 bytes).")
        # Opened by number, so that a decoder sees no name and goes by the content alone.
        number = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except BrokenMedia:
        raise
    except FileNotFoundError:
        raise broken.of(source, "missing_file", f"There is no such file{_link(source)}.") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise broken.of(source, "missing_file", f"The file cannot be read: {reason}.") from None
    with open(number, "rb") as file:  # noqa: PTH123
        yield file


def _link(source: Any) -> str:
    return f"; it is a link to {Path(source).readlink()}, which is not there" if Path(source).is_symlink() else ""


def digest_of(file: BinaryIO) -> bytes:
    """The 16-byte BLAKE2b of all that a file holds, which stands for its content."""
    file.seek(0)
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()  # type: ignore[arg-type]


def examine_each(
    sources: Sequence[S], examine: Callable[[S], T], broken: type[E], threads: int | None = None
) -> list[T | E]:
    """What ``examine`` says of each, in their order, on several threads; a ``broken`` one gives its error.

    >>> examine_each([1, 2], lambda number: number + 1, BrokenMedia)
    [2, 3]
    """

    def one(source: S) -> T | E:
        try:
            return examine(source)
        except broken as error:
            return error.bare()

    found: list[T | E] = []
    with ThreadPoolExecutor(threads or usual_threads()) as workshop:
        for start in range(0, len(sources), _SLICE):
            found += workshop.map(one, sources[start : start + _SLICE])
    return found
