"""Sound files, opened with care: what is missing, empty, cut short or no sound is named before it is decoded."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import MissingExtraError
from hardneg.mediafiles import BrokenMedia, Source, bytes_of, digest_of

__all__ = ["SUFFIXES", "BrokenSound", "blocks", "digest", "opened", "suffix_fits"]

# What is read. Others that libsndfile knows are tables, tuned instruments or features, not recordings.
_FORMATS = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST", "VOC", "IRCAM"}
_SUFFIXES = {
    ".wav": {"WAV", "WAVEX", "RF64", "NIST"},  # TIMIT's .wav are NIST SPHERE files
    **{".flac": {"FLAC"}, ".mp3": {"MP3"}, ".aif": {"AIFF"}, ".aiff": {"AIFF"}, ".au": {"AU"}, ".caf": {"CAF"}},
    **{".ogg": {"OGG"}, ".oga": {"OGG"}, ".opus": {"OGG"}, ".w64": {"W64"}},
}
SUFFIXES = frozenset(_SUFFIXES)
"""How files of sounds are named, in small letters."""

_BEGINNINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"NIST_1A")
# Of files made of chunks: how they begin, the chunk of the samples, how sizes are written.
_CHUNKED = {b"RIFF": (b"data", "<I"), b"RIFX": (b"data", ">I"), b"FORM": (b"SSND", ">I")}
_UNKNOWN_SIZE = 0x7FFFFF00  # programs that write into a pipe put a size near or above this, or 0
_OGG_PAGE, _OGG_LAST = 65_536, 4
_FASTEST = 1_000_000  # samples a second; no recording has more
_BLOCK = 1 << 20  # samples of all channels decoded at a time


class BrokenSound(BrokenMedia):
    """A sound that cannot be used; ``reason`` is one of missing_file, empty_file, not_audio, truncated_audio,
    zero_length, out_of_range and too_long.
    """

    thing = "A sound"
    another = "not_audio"


@contextmanager
def opened(source: Source) -> Iterator[Any]:
    """A ``soundfile.SoundFile`` whose header is read and believed; nothing is decoded yet.

    The format is found from the content, whatever the suffix.

    Raises BrokenSound, MissingExtraError without soundfile.
    """
    library = _soundfile()
    with bytes_of(source, BrokenSound) as file:
        if _cut_short(file):
            raise BrokenSound.of(source, "truncated_audio", "It is shorter than it says: cut short. Get it again.")
        file.seek(0)
        try:
            sound = library.SoundFile(_Steady(file))
        except Exception:  # whatever a decoder says of bytes that it did not expect
            raise _unknown(source, file) from None
        with sound:
            if sound.format not in _FORMATS or not 0 < sound.samplerate <= _FASTEST:
                claim = f"It claims to be {sound.format} of {sound.samplerate:,} samples a second."
                raise BrokenSound.of(source, "not_audio", claim)
            if sound.frames <= 0:
                raise BrokenSound.of(source, "zero_length", "It is a sound file without a single sample.")
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
                raise BrokenSound.of(
                    source, "truncated_audio", f"It ends after {at + len(block):,} samples. Get it again."
                )
            yield np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    except RuntimeError as error:  # soundfile's own, of a decoder that is lost
        raise BrokenSound.of(source, "truncated_audio", f"It is cut short or damaged: {error} Get it again.") from None


def digest(source: Source) -> bytes:
    """The 16-byte BLAKE2b of a file's bytes. Nothing is decoded. Raises BrokenSound for what is missing or empty."""
    with bytes_of(source, BrokenSound) as file:
        return digest_of(file)


def suffix_fits(source: Source, form: str) -> bool:
    """False only where the suffix names another format."""
    if isinstance(source, bytes):
        return True
    return form in _SUFFIXES.get(Path(source).suffix.lower(), {form})


# --- opening ----------------------------------------------------------------------------------------------------------


class _Steady:
    """A file that does not complain: damaged headers send libsndfile to places before the beginning."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek
        self.readinto, self.write = file.readinto, file.write  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with suppress(ValueError, OSError):
            return self._seek(offset, whence)
        return self.tell()


def _unknown(source: Source, file: BinaryIO) -> BrokenSound:
    file.seek(0)
    begins = file.read(16)
    if begins.startswith(_BEGINNINGS) and begins[8:12] not in (b"AVI ", b"WEBP"):
        what = "It begins like a sound but is cut short, damaged, or of a kind that cannot be read. Get it again."
        return BrokenSound.of(source, "truncated_audio", what)
    return BrokenSound.of(source, "not_audio", f"This is no sound that can be read; it begins with {begins!r}.")


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
