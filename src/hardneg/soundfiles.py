"""Sound files, opened with care: what is missing, empty, cut short or no sound is named before it is decoded."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, MissingExtraError

__all__ = ["BrokenSound", "Reason", "Source", "blocks", "broken", "digest", "opened", "suffix_fits"]

Source: TypeAlias = str | os.PathLike[str] | bytes
Reason = Literal[
    "missing_file", "empty_file", "not_audio", "truncated_audio", "zero_length", "out_of_range", "too_long"
]

# What is read. Others that libsndfile knows are tables, tuned instruments or features, not recordings.
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST", "VOC", "IRCAM"}
_SUFFIXES = {
    ".wav": {"WAV", "WAVEX", "RF64", "NIST"},  # TIMIT's .wav are NIST SPHERE files
    **{".flac": {"FLAC"}, ".mp3": {"MP3"}, ".aif": {"AIFF"}, ".aiff": {"AIFF"}, ".au": {"AU"}, ".caf": {"CAF"}},
    **{".ogg": {"OGG"}, ".oga": {"OGG"}, ".opus": {"OGG"}, ".w64": {"W64"}},
}
_BEGINNINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"NIST_1A")
# Of files made of chunks: how they begin, the chunk of the samples, how sizes are written.
_CHUNKED = {b"RIFF": (b"data", "<I"), b"RIFX": (b"data", ">I"), b"FORM": (b"SSND", ">I")}
_UNKNOWN_SIZE = 0x7FFFFF00  # programs that write into a pipe put a size near or above this, or 0
_OGG_PAGE, _OGG_LAST = 65_536, 4
_FASTEST = 1_000_000  # samples a second; no recording has more
_BLOCK = 1 << 20  # samples of all channels decoded at a time


class BrokenSound(InputError):  # noqa: N818 - it is listed like a finding, not only raised
    """A sound that cannot be used; ``reason`` says why in one word, for counting."""

    def __init__(self, message: str, *, reason: Reason = "not_audio", path: str | Path | None = None) -> None:
        super().__init__(message, path=path)
        self.reason: Reason = reason


def broken(source: Source, reason: Reason, message: str) -> BrokenSound:
    """The error, naming the file where there is one."""
    path = None if isinstance(source, bytes) else os.fspath(source)
    return BrokenSound(message if path is not None else f"A sound: {message}", reason=reason, path=path)


@contextmanager
def opened(source: Source) -> Iterator[Any]:
    """A ``soundfile.SoundFile`` whose header is read and believed; nothing is decoded yet.

    The format is found from the content, whatever the suffix.

    Raises BrokenSound, MissingExtraError without soundfile.
    """
    library = _soundfile()
    with _bytes_of(source) as file:
        if _cut_short(file):
            raise broken(source, "truncated_audio", "It is shorter than it says: cut short. Get it again.")
        file.seek(0)
        try:
            sound = library.SoundFile(_Steady(file))
        except Exception:  # whatever a decoder says of bytes that it did not expect
            raise _unknown(source, file) from None
        with sound:
            if sound.format not in _FORMATS or not 0 < sound.samplerate <= _FASTEST:
                claim = f"It claims to be {sound.format} of {sound.samplerate:,} samples a second."
                raise broken(source, "not_audio", claim)
            if sound.frames <= 0:
                raise broken(source, "zero_length", "It is a sound file without a single sample.")
            yield sound


def blocks(source: Source, file: Any, first: int, stop: int, samples: int = _BLOCK) -> Iterator[NDArray[np.float32]]:
    """The samples from ``first`` to before ``stop``, shape ``(n, channels)``, at most ``samples`` numbers at a time.

    Whole numbers are scaled to [-1, 1); what is no number (NaN, infinity) is silent.

    Raises BrokenSound where there is less than the header says.
    """
    step = max(1, samples // file.channels)
    try:
        file.seek(first)
        for at in range(first, stop, step):
            wanted = min(step, stop - at)
            block: NDArray[np.float32] = file.read(wanted, dtype="float32", always_2d=True)
            if len(block) < wanted:
                raise broken(source, "truncated_audio", f"It ends after {at + len(block):,} samples. Get it again.")
            yield np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    except RuntimeError as error:  # soundfile's own, of a decoder that is lost
        raise broken(source, "truncated_audio", f"It is cut short or damaged: {error} Get it again.") from None


def digest(source: Source) -> bytes:
    """The 16-byte BLAKE2b of a file's bytes. Nothing is decoded. Raises BrokenSound for what is missing or empty."""
    with _bytes_of(source) as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()  # type: ignore[arg-type]


def suffix_fits(source: Source, form: str) -> bool:
    """False only where the suffix names another format."""
    if isinstance(source, bytes):
        return True
    return form in _SUFFIXES.get(Path(source).suffix.lower(), {form})


# --- opening ----------------------------------------------------------------------------------------------------------


@contextmanager
def _bytes_of(source: Source) -> Iterator[BinaryIO]:
    """The bytes, open for reading; never those of a pipe or a device, which may have no end."""
    if isinstance(source, bytes):
        if not source:
            raise broken(source, "empty_file", "There is nothing in it (0 bytes).")
        yield io.BytesIO(source)
        return
    try:
        facts = Path(source).stat()
        if not stat.S_ISREG(facts.st_mode):
            raise broken(source, "not_audio", "This is a folder, a pipe or a device, no file.")
        if facts.st_size == 0:
            raise broken(source, "empty_file", "The file is empty (0 bytes).")
        # Opened by number, so that soundfile sees no name and goes by the content alone.
        number = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except BrokenSound:
        raise
    except FileNotFoundError:
        raise broken(source, "missing_file", f"There is no such file{_link(source)}.") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        raise broken(source, "missing_file", f"The file cannot be read: {reason}.") from None
    with open(number, "rb") as file:  # noqa: PTH123
        yield file


class _Steady:
    """A file that does not complain: damaged headers send libsndfile to places before the beginning."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek
        self.readinto, self.write = file.readinto, file.write  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with suppress(ValueError, OSError):
            return self._seek(offset, whence)
        return self.tell()


def _link(source: Any) -> str:
    return f"; it is a link to {Path(source).readlink()}, which is not there" if Path(source).is_symlink() else ""


def _unknown(source: Source, file: BinaryIO) -> BrokenSound:
    file.seek(0)
    begins = file.read(16)
    if begins.startswith(_BEGINNINGS) and begins[8:12] not in (b"AVI ", b"WEBP"):
        what = "It begins like a sound but is cut short, damaged, or of a kind that cannot be read. Get it again."
        return broken(source, "truncated_audio", what)
    return broken(source, "not_audio", f"This is no sound that can be read; it begins with {begins!r}.")


def _cut_short(file: BinaryIO) -> bool:
    """Whether the file ends before its own samples do, which libsndfile passes over for WAV, AIFF and Ogg."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(4)
    if head == b"OggS":
        file.seek(max(0, length - _OGG_PAGE))
        end = file.read()
        last = end.rfind(b"OggS")
        return 0 <= last < len(end) - 5 and not end[last + 5] & _OGG_LAST
    if head not in _CHUNKED:
        return False
    wanted, order = _CHUNKED[head]
    at = 12
    while True:
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return False
        (size,) = struct.unpack(order, header[4:])
        if header[:4] == wanted:
            return bool(size < _UNKNOWN_SIZE and at + 8 + size > length)
        at += 8 + size + size % 2


def _soundfile() -> Any:
    try:
        import soundfile
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="audio") from None
    return soundfile
