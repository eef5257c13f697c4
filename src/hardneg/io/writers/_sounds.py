"""The sounds of a run for formats that hold them: found, opened with care, cut out and written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, MissingExtraError
from hardneg.io.writers._class_folders import within
from hardneg.io.writers._export import Export
from hardneg.mediafiles import Source
from hardneg.soundfiles import BrokenSound, blocks, opened
from hardneg.sounds import Clip, extent

__all__ = ["Found", "cut", "found", "need_sounds", "write_wav"]

# How a clip is written; of files with other samples 16 bits are.
_SAMPLES = {"PCM_24": "int32", "PCM_32": "int32", "FLOAT": "float32", "DOUBLE": "float32"}


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
def found(export: Export, row: int) -> Iterator[Found | None]:
    """The sound of an item, open; None, and counted with the reason, where there is none that can be used.

    So is a sound that turns out to be broken while it is read.
    """
    items = export.run.items
    name, sounds = str(items.ids[row].as_py()), items.sounds
    sound = None if sounds is None else sounds[row]
    if sound is None:
        export.skips.add("no_sound", name)
        yield None
        return
    clip = sound if isinstance(sound, Clip) else Clip(sound)
    named = name if isinstance(clip.sound, bytes) else f"{name} ({clip.sound!s})"
    if not isinstance(clip.sound, bytes) and not within(items, row, "audio"):
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


def write_wav(place: Path, samples: NDArray[Any], rate: int) -> None:
    """Write samples as WAV, the same bytes for the same samples; libsndfile would note the time with floats."""
    try:
        from scipy.io import wavfile
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="audio") from None
    wavfile.write(place, rate, samples)
