"""What a page has of a sound: a few seconds of it, drawn and, where there is room, to be played."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from hardneg.errors import MissingExtraError
from hardneg.report.numbers import compact
from hardneg.soundfiles import opened
from hardneg.sounds import Clip, Sound, Wave, extent, wave

__all__ = ["LONGEST", "Excerpt", "audio_type", "excerpt_of", "playable", "samples_of"]

LONGEST = 3.0  # seconds of a sound that are shown and played
_RATES = (8000, 11_025, 12_000)  # kept; other sounds are brought to 16,000
_RATE = 16_000
_QUALITY = 0.9  # of MP3 with a variable bit rate, from 0 (best) to 1: about 3 kilobytes a second of speech
_POINTS = 60  # of a track of scores


@dataclass(frozen=True)
class Excerpt:
    """A part of a sound, at most ``LONGEST`` seconds.

    ``seconds`` is how long the sound is, ``start`` and ``end`` are where the part begins and ends in it; ``clip`` is
    the part itself and ``rate`` that of its samples here. ``track`` holds scores at equal steps over the part, and
    ``event`` where in it an event is, both ends between 0 and 1; None without.
    """

    clip: Clip
    rate: int
    seconds: float
    start: float
    end: float
    track: list[float | None] | None = None
    event: tuple[float, float] | None = None


def excerpt_of(sound: Sound, about: Mapping[str, object]) -> Excerpt:
    """Choose the part of a sound: all of a short one, else what is around its event, or around its middle.

    ``about`` may have ``scores`` (what a detector said, one every ``step`` seconds from ``scores_start``, or from the
    beginning of the sound), and ``event_start`` and ``event_end``; all times are in seconds of the file.

    Raises BrokenSound, MissingExtraError.
    """
    whole = sound if isinstance(sound, Clip) else Clip(sound)
    with opened(whole.sound) as file:
        first, stop = extent(whole, file)
        rate = int(file.samplerate)
    begins, seconds = first / rate, (stop - first) / rate
    event = _event(about, begins, seconds)
    middle = seconds / 2 if event is None else sum(event) / 2
    length = min(seconds, LONGEST)
    start = min(max(0.0, middle - length / 2), seconds - length)
    ends = (first + round((start + length) * rate)) / rate
    part = Clip(whole.sound, (first + round(start * rate)) / rate, min(ends, stop / rate))
    inside = None if event is None else (_share(event[0] - start, length), _share(event[1] - start, length))
    track = _track(about, begins, start, length)
    return Excerpt(part, rate if rate in _RATES else _RATE, seconds, start, start + length, track, inside)


def samples_of(excerpt: Excerpt) -> Wave:
    """The samples of the part. Raises BrokenSound where they cannot be decoded."""
    return wave(excerpt.clip, excerpt.rate)


def playable(excerpt: Excerpt) -> str:
    """The part as a compact sound file in base64, of the type that ``audio_type`` says; the same for the same part."""
    import soundfile

    file = io.BytesIO()
    how = {"MP3": ("MPEG_LAYER_III", {"bitrate_mode": "VARIABLE", "compression_level": _QUALITY}), "WAV": ("ULAW", {})}
    form = "MP3" if audio_type() == "audio/mpeg" else "WAV"
    subtype, options = how[form]
    with soundfile.SoundFile(file, "w", excerpt.rate, 1, subtype, format=form, **options) as out:
        out.write(np.clip(samples_of(excerpt), -1, 1))
    return b64encode(file.getvalue()).decode()


@cache
def audio_type() -> str:
    """What sounds are in a page: MP3, which every browser plays; WAV (8 bits, mu-law) where it cannot be written."""
    try:
        import soundfile
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="audio") from None
    return "audio/mpeg" if "MP3" in soundfile.available_formats() else "audio/wav"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _share(part: float, whole: float) -> float:
    return float(f"{min(1.0, max(0.0, part / whole)):.4g}")


def _event(about: Mapping[str, object], begins: float, seconds: float) -> tuple[float, float] | None:
    """Where an event is, in seconds of the sound; None without one, or where it lies outside."""
    start, end = (_number(about.get(name)) - begins for name in ("event_start", "event_end"))
    return (max(0.0, start), min(seconds, end)) if start < seconds and end > 0 and start < end else None


def _track(about: Mapping[str, object], begins: float, start: float, length: float) -> list[float | None] | None:
    """The scores over the part at equal steps, the highest of those that fall together; None where there are none."""
    scores, step = about.get("scores"), _number(about.get("step"))
    if not isinstance(scores, list) or not 0 < step < math.inf:
        return None
    values = np.array([_number(one) for one in scores], np.float64)
    since = _number(about.get("scores_start"))
    offset = 0.0 if math.isnan(since) else since - begins
    at = (offset + np.arange(len(values)) * step - start) / length
    inside = (at >= 0) & (at <= 1) & np.isfinite(values)
    if not inside.any():
        return None
    points = min(_POINTS, max(2, round(length / step)))
    slot = np.minimum((at[inside] * points + 1e-6).astype(int), points - 1)  # what rounding put just before its place
    highest = np.full(points, -np.inf)
    np.maximum.at(highest, slot, values[inside])
    return [compact(one) for one in highest.tolist()]
