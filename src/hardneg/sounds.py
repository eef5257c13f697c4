"""Sounds: files, bytes and clips of them, examined, and their samples as one channel. Broken ones are named."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import MissingExtraError, OptionError
from hardneg.mediafiles import Source, examine_each
from hardneg.ragged import IntArray
from hardneg.soundfiles import BrokenSound, blocks, opened, suffix_fits
from hardneg.soundfiles import digest as file_digest

__all__ = [
    "BrokenSound", "Clip", "Heard", "Sound", "digest", "examine", "examine_all", "examine_parts", "extent", "wave",
    "windows",
]  # fmt: skip

Wave: TypeAlias = NDArray[np.float32]

RATE = 16_000  # samples a second; what models of speech are trained on
LONGEST = 600.0  # seconds; 10 minutes are 38 MB of samples at this rate
_PIECES = 50  # silence is looked for in pieces of 1/50 s
_SILENT = 1e-3  # -60 dB of full scale
# The largest value of samples that cannot go higher. Of what is stored otherwise, 16 bits are assumed.
_FULL = {"PCM_S8": 127 / 128, "PCM_U8": 127 / 128, "PCM_24": 1 - 2**-23, "PCM_32": 1 - 2**-24}


@dataclass(frozen=True)
class Clip:
    """A part of a sound, from ``start`` to before ``end`` in seconds; none is the beginning, or the end.

    >>> Clip("call.wav", 1.5, 2.0).end
    2.0
    """

    sound: Source
    start: float | None = None
    end: float | None = None


Sound: TypeAlias = Clip | Source


@dataclass(frozen=True)
class Heard:
    """What a sound is.

    Attributes:
        seconds: How long.
        rate: Samples a second in the file.
        channels: How many are in the file.
        content: The 16 bytes that stand for it, as ``digest`` gives them.
        clipped: The share of samples at the largest value that can be stored; speech that was recorded too loud.
        silent: The share of pieces of 1/50 s that nowhere rise above -60 dB of full scale.
        suffix_fits: False where the suffix of its file names another format.
    """

    seconds: float
    rate: int
    channels: int
    content: bytes
    clipped: float
    silent: float
    suffix_fits: bool = True


def wave(sound: Sound, rate: int = RATE, *, longest: float = LONGEST) -> Wave:
    """The samples of a sound, shape ``(n,)``, float32: the mean of its channels, ``rate`` a second.

    Whole numbers are scaled to [-1, 1); numbers with a fraction stay as they are, and what is no number is silent.
    Of a clip only its part of the file is read. Another rate comes from polyphase filtering
    (``scipy.signal.resample_poly``, Kaiser window), with silence taken to be around.

    Raises BrokenSound, naming the file, for what is missing, empty, cut short, longer than ``longest`` seconds, no
    sound, or a clip that is not within its file; MissingExtraError without soundfile or scipy.

    >>> import io, soundfile
    >>> saved = io.BytesIO()
    >>> soundfile.write(saved, np.full((4000, 2), [0.5, 0.25]), 8000, format="wav")
    >>> wave(saved.getvalue(), 8000)[:2].tolist(), len(wave(Clip(saved.getvalue(), 0.25, 0.5)))
    ([0.375, 0.375], 4000)
    """
    if rate <= 0:
        raise OptionError(f"The 'rate' must be samples a second, above 0. Got {rate}.")
    source = _clip(sound).sound
    with opened(source) as file:
        first, stop = extent(_clip(sound), file, longest)
        return _resampled(_read(source, file, first, stop), file.samplerate, rate)


def windows(
    sound: Sound, seconds: float, hop: float | None = None, rate: int = RATE, *, block: float = 60.0, skip: int = 0
) -> Iterator[tuple[float, float, Wave]]:
    """Windows over a sound of any length: ``(start, end, samples)``, the times in seconds of the file.

    One begins every ``hop`` seconds (none: one after the other) until all is covered; the last ends with the sound
    and may be shorter. Each is what ``wave(Clip(sound, start, end), rate)`` gives, but the file is read ``block``
    seconds at a time, by position, so that memory does not grow with it. The size of a block changes nothing. The first
    ``skip`` windows are left out, and not read: the others are what they are without it.

    Raises OptionError for times that are not above 0, BrokenSound like ``wave``.

    >>> import io, soundfile
    >>> saved = io.BytesIO()
    >>> soundfile.write(saved, np.zeros(20_000), 8000, format="wav")
    >>> [(start, end, len(samples)) for start, end, samples in windows(saved.getvalue(), 1.0)]
    [(0.0, 1.0, 16000), (1.0, 2.0, 16000), (2.0, 2.5, 8000)]
    """
    for name, value in (
        ("seconds", seconds),
        ("hop", seconds if hop is None else hop),
        ("block", block),
        ("rate", rate),
    ):
        if not 0 < value < math.inf:
            raise OptionError(f"The '{name}' must be a number above 0. Got {value}.")
    if skip < 0:
        raise OptionError(f"The 'skip' must be at least 0. Got {skip}.")
    return _windows(_clip(sound), seconds, seconds if hop is None else hop, rate, block=block, skip=skip)


def _windows(
    clip: Clip, seconds: float, hop: float, rate: int, *, block: float, skip: int
) -> Iterator[tuple[float, float, Wave]]:
    with opened(clip.sound) as file:
        begin, close = extent(clip, file, math.inf)
        base, end = clip.start or 0.0, close / file.samplerate
        held, held_from = np.zeros(0, np.float32), begin
        number = skip
        while True:
            start = base + number * hop
            until = min(start + seconds, end)
            first, stop = round(start * file.samplerate), min(round(until * file.samplerate), close)
            if first >= stop:
                return
            if stop > held_from + len(held):
                read_to = min(close, max(stop, first + round(block * file.samplerate)))
                held, held_from = _read(clip.sound, file, first, read_to), first
            part = held[first - held_from : stop - held_from]
            yield start, until, _resampled(part, file.samplerate, rate)
            if stop >= close:
                return
            number += 1


def examine(sound: Sound, *, longest: float = math.inf) -> Heard:
    """Decode a sound, a block at a time, and say what it is.

    Raises BrokenSound like ``wave``; a web page with the suffix of a sound or a download that stopped half-way are
    found here, not in the middle of long work.
    """
    clip = _clip(sound)
    with opened(clip.sound) as file:
        first, stop = extent(clip, file, longest)
        return _heard(clip, file, (first, stop), _Pieces.of(clip.sound, file, first, stop), file_digest(clip.sound))


def examine_parts(
    source: Source, times: Sequence[tuple[float | None, float | None]], *, slack: float = 0.0
) -> list[tuple[Clip, Heard] | BrokenSound]:
    """What ``examine`` says of parts of one sound, which is decoded once, however many there are.

    Each part, from start to end in seconds, comes with the clip that it is, or is the error that says why it is none.
    An end up to ``slack`` seconds after that of the sound, as rounded times have it, is that of the sound. The shares
    of samples are those of the pieces of 1/50 s that a part has a sample in.

    Raises BrokenSound where the whole sound cannot be used.

    >>> import io, soundfile
    >>> saved = io.BytesIO()
    >>> soundfile.write(saved, np.zeros(8000), 8000, format="wav")
    >>> [(clip, heard)] = examine_parts(saved.getvalue(), [(0.5, 1.004)], slack=0.01)
    >>> clip.end, heard.seconds, heard.silent
    (1.0, 0.5, 1.0)
    """
    with opened(source) as file:
        found: list[tuple[Clip, tuple[int, int]] | BrokenSound] = []
        whole = file.frames / file.samplerate
        for start, end in times:
            clip = Clip(source, start, whole if end is not None and whole < end <= whole + slack else end)
            try:
                found.append((clip, extent(clip, file, math.inf)))
            except BrokenSound as error:
                found.append(error.bare())
        ranges = [one[1] for one in found if not isinstance(one, BrokenSound)]
        if not ranges:
            return [one for one in found if isinstance(one, BrokenSound)]
        pieces = _Pieces.of(source, file, min(first for first, _ in ranges), max(stop for _, stop in ranges))
        content = file_digest(source)
        return [
            one if isinstance(one, BrokenSound) else (one[0], _heard(one[0], file, one[1], pieces, content))
            for one in found
        ]


def examine_all(
    sounds: Sequence[Sound], threads: int | None = None, *, longest: float = math.inf
) -> list[Heard | BrokenSound]:
    """What ``examine`` says of each sound, in their order, on several threads; a broken one gives its error.

    Each thread holds one block of one sound at a time.

    >>> [found.reason for found in examine_all([b"", b"a web page"])]
    ['empty_file', 'not_audio']
    """
    return examine_each(sounds, lambda sound: examine(sound, longest=longest), BrokenSound, threads)


def digest(sound: Sound, content: bytes | None = None) -> bytes:
    """The 16 bytes that stand for a sound: the BLAKE2b of its file's bytes, and of a clip's times with them.

    ``content`` is that of the file, where it is known; many clips of one long file need it read once. Nothing is
    decoded. Raises BrokenSound for a file that is missing or empty.

    >>> digest(Clip(b"RIFF", 0.0)) == digest(b"RIFF"), digest(Clip(b"RIFF", 0.5)) == digest(b"RIFF")
    (True, False)
    """
    clip = _clip(sound)
    content = file_digest(clip.sound) if content is None else content
    if not clip.start and clip.end is None:
        return content
    times = struct.pack("<dd", clip.start or 0.0, math.inf if clip.end is None else clip.end)
    return hashlib.blake2b(content + times, digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of 1/50 s from sample ``first`` to before ``stop``.

    Up to each of them, shape ``(pieces + 1,)``: how many samples are clipped, and how many pieces silent.
    """

    first: int
    stop: int
    size: int
    clipped: IntArray
    silent: IntArray

    @classmethod
    def of(cls, source: Source, file: Any, first: int, stop: int) -> _Pieces:
        """Decode from ``first`` to before ``stop``, a block at a time."""
        full = _FULL.get(file.subtype, 1 - 2**-15)
        size = max(1, file.samplerate // _PIECES)
        clipped, silent = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
        # Whole pieces in every block, so that none is cut in two.
        for part in blocks(source, file, first, stop, size * 512 * file.channels):
            loud = np.abs(part)
            starts = range(0, len(loud), size)
            clipped.append(np.add.reduceat((loud >= full).sum(axis=1), starts))
            silent.append((np.maximum.reduceat(loud.max(axis=1), starts) < _SILENT).astype(np.int64))
        return cls(first, stop, size, np.cumsum(np.concatenate(clipped)), np.cumsum(np.concatenate(silent)))

    def shares(self, first: int, stop: int, channels: int) -> tuple[float, float]:
        """The share of samples that are clipped and of pieces that are silent, of those from ``first`` to ``stop``."""
        begin, end = (first - self.first) // self.size, -(-(stop - self.first) // self.size)
        samples = min((end - begin) * self.size, self.stop - self.first - begin * self.size) * channels
        clipped, silent = (int(one[end] - one[begin]) for one in (self.clipped, self.silent))
        return clipped / samples, silent / (end - begin)


def _heard(clip: Clip, file: Any, samples: tuple[int, int], pieces: _Pieces, content: bytes) -> Heard:
    first, stop = samples
    shares = pieces.shares(first, stop, file.channels)
    fits = suffix_fits(clip.sound, file.format)
    seconds = (stop - first) / file.samplerate
    return Heard(seconds, file.samplerate, file.channels, digest(clip, content), *shares, fits)


def _clip(sound: Sound) -> Clip:
    return sound if isinstance(sound, Clip) else Clip(sound)


def extent(clip: Clip, file: Any, longest: float = math.inf) -> tuple[int, int]:
    """The first sample of a clip and the one after its last, in its opened file.

    Raises BrokenSound for a clip that is not within its file, or longer than ``longest`` seconds.
    """
    rate, whole = file.samplerate, file.frames / file.samplerate
    start, end = clip.start or 0.0, whole if clip.end is None else clip.end
    asked = f"from {start:g} to {end:g} s, and the sound has {whole:g} s."
    if not (0 <= start < end < math.inf) or round(end * rate) > file.frames:
        remedy = "Times are in seconds, the end after the start, both within the sound."
        raise BrokenSound.of(clip.sound, "out_of_range", f"The clip is {asked} {remedy}")
    first, stop = round(start * rate), round(end * rate)
    if first >= stop:
        raise BrokenSound.of(clip.sound, "out_of_range", f"Not one sample is in the clip {asked}")
    if (stop - first) / rate > longest:
        long = f"It has {(stop - first) / rate:,.1f} seconds; at most {longest:g} are read at once."
        raise BrokenSound.of(clip.sound, "too_long", f"{long} Take clips of it, or windows over it.")
    return first, stop


def _read(source: Source, file: Any, first: int, stop: int) -> Wave:
    return np.concatenate([_mono(block) for block in blocks(source, file, first, stop)])


def _mono(block: Wave) -> Wave:
    """The mean of the channels, added in their order, so that the rounding never depends on the block."""
    total = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        total += block[:, channel]
    return total / np.float32(block.shape[1])


def _resampled(samples: Wave, before: int, after: int) -> Wave:
    if before == after:
        return samples.copy()
    try:
        from scipy.signal import resample_poly
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="audio") from None
    shared = math.gcd(before, after)
    return np.asarray(resample_poly(samples, after // shared, before // shared), np.float32)
