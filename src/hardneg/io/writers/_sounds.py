"""The sounds of a run for formats that hold them: found, opened with care, cut out and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import InputError, MissingExtraError
from hardneg.io.writers._export import Export
from hardneg.io.writers._media import Place, carry, within
from hardneg.mediafiles import Source
from hardneg.soundfiles import BrokenSound, blocks, opened
from hardneg.sounds import Clip, extent

__all__ = ["Found", "cut", "found", "need_sounds", "put_sound", "write_wav"]

# How a clip is written; of files with other samples 16 bits are.
_SAMPLES = {"PCM_24": "int32", "PCM_32": "int32", "FLOAT": "float32", "DOUBLE": "float32"}
_SUFFIXES = {"WAVEX": ".wav", "RF64": ".wav", "NIST": ".wav"}  # of others the name of the format is the suffix


@dataclass(frozen=True, eq=False)
class Found:
    """A sound of a run: its file, opened, and the samples from ``first`` to before ``stop`` that it is."""

    source: Source
    file: Any  # a soundfile.SoundFile
    first: int
    stop: int
    whole: bool

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float((self.stop - self.first) / self.file.samplerate)


def need_sounds(export: Export) -> None:
    """Raise InputError where the items are no sounds."""
    if export.run.items.sounds is None:
        raise InputError(
            f"The format '{export.writer.name}' needs items with sounds. The run has none.",
            remedy="Give the items a column 'audio' in the mining.",
        )


@contextmanager
def found(export: Export, things: Collection, row: int) -> Iterator[Found | None]:
    """The sound of a thing, open; None, and counted with the reason, where there is none that can be used.

    So is a sound that turns out to be broken while it is read.
    """
    name, sounds = str(things.ids[row].as_py()), things.sounds
    sound = None if sounds is None else sounds[row]
    if sound is None:
        export.skips.add("no_sound", name)
        yield None
        return
    clip = sound if isinstance(sound, Clip) else Clip(sound)
    named = name if isinstance(clip.sound, bytes) else f"{name} ({clip.sound!s})"
    if not isinstance(clip.sound, bytes) and not within(things, row, "audio"):
        export.skips.add("outside_its_root", named)
        yield None
        return
    given = False
    try:
        with opened(clip.sound) as file:
            first, stop = extent(clip, file)
            given = True
            yield Found(clip.sound, file, first, stop, whole=(first, stop) == (0, file.frames))
    except BrokenSound as error:
        export.skips.add(error.reason, named)
        if not given:
            yield None


def cut(one: Found) -> NDArray[Any]:
    """The samples of a sound as they are written, shape ``(n, channels)``, at the rate of the file.

    16 bits, or 32 where the file has 24 or more, or floats where it has floats. Of 16 and 24 bits none is changed.

    Raises BrokenSound where there is less than the header says.
    """
    parts = np.concatenate(list(blocks(one.source, one.file, one.first, one.stop)))
    kind = np.dtype(_SAMPLES.get(one.file.subtype, "int16"))
    if kind.kind == "f":
        return parts
    full = 2.0 ** (8 * kind.itemsize - 1)
    return np.clip(np.rint(parts.astype(np.float64) * full), -full, full - 1).astype(kind)


def put_sound(export: Export, things: Collection, row: int, place: Place) -> Path | None:
    """Put a sound at a place that is free for its name, cut out where it is a part of a file.

    None, and counted, where there is none to put.
    """
    name = str(things.ids[row].as_py())
    made: Path | None = None
    with found(export, things, row) as one:
        if one is not None:
            made = _whole(export, one, name, place) if one.whole else _part(one, name, place)
    return made


def _whole(export: Export, one: Found, name: str, place: Place) -> Path:
    if isinstance(one.source, bytes):
        form = str(one.file.format)
        file = place(f"{name}{_SUFFIXES.get(form, f'.{form.lower()}')}")
        file.write_bytes(one.source)
        return file
    source = Path(one.source).absolute()
    file = place(source.name)
    carry(export, source, file)
    return file


def _part(one: Found, name: str, place: Place) -> Path:
    samples, rate = cut(one), one.file.samplerate
    stem = name if isinstance(one.source, bytes) else Path(one.source).stem
    file = place(f"{stem}_{one.first / rate:.3f}-{one.stop / rate:.3f}.wav")
    write_wav(file, samples, rate)
    return file


def write_wav(place: Path, samples: NDArray[Any], rate: int) -> None:
    """Write samples as WAV, the same bytes for the same samples; libsndfile would note the time with floats."""
    try:
        from scipy.io import wavfile
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="audio") from None
    wavfile.write(place, rate, samples)
