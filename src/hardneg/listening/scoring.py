"""A detector's scores along a recording of any length, part by part, so that a stopped process loses one part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from hardneg.listening.detectors import Detector, Scored
from hardneg.listening.hearing import Hearing
from hardneg.listening.place import Place
from hardneg.listening.recordings import Recording
from hardneg.sounds import Wave, windows

__all__ = ["PART", "score"]

PART = 4096  # windows; at ten a second about seven minutes
_FULL = 1 - 2**-15  # the largest value of 16-bit samples


def score(
    place: Place, name: str, recording: Recording, detector: Detector, hearing: Hearing, report: Callable[[float], None]
) -> Mapping[str, Any]:
    """Put the scores of a recording into the place, under ``name``; what is there already is not made again.

    Gives what the account needs: ``rows``, how many windows there are, and ``clipped``, in how many of them what the
    detector hears reaches full scale. ``report`` is told the seconds that are done.
    """
    if (noted := place.about(name)) is not None:
        return noted
    parts: list[Mapping[str, Any]] = []
    while not parts or parts[-1]["rows"] == PART:
        number = len(parts)
        part = f"{name}.{number:05d}"
        parts.append(place.about(part) or place.add(part, **_scored(recording, detector, hearing, number * PART)))
        report((number * PART + parts[-1]["rows"]) * hearing.hop)
    names = [f"{name}.{number:05d}" for number in range(len(parts))]
    # A few bytes a window: an hour at ten windows a second is 144 kB for each keyword.
    whole = np.concatenate([place.read(one) for one in names])
    noted = place.add(name, whole, clipped=sum(one["clipped"] for one in parts))
    for one in names:
        place.drop(one)
    return noted


def _scored(recording: Recording, detector: Detector, hearing: Hearing, first: int) -> dict[str, Any]:
    """The scores of one part of the windows, and in how many there is clipping."""
    found: list[Scored] = [np.zeros((0, len(detector.keywords)), np.float32)]
    clipped = 0
    heard = _windows(recording, detector, hearing, first)
    while block := list(islice(heard, detector.batch_size)):
        batch, at = np.stack(block), (first + sum(map(len, found))) * hearing.hop
        clipped += int((np.abs(batch).max(axis=1) >= _FULL).sum())
        found.append(detector.scores(batch, f" from {at:g} s of '{recording.name}'"))
    return {"scores": np.concatenate(found), "clipped": clipped}


def _windows(recording: Recording, detector: Detector, hearing: Hearing, first: int) -> Iterator[Wave]:
    """The windows of a part, all of one length: what ends with the sound is followed by silence."""
    samples = round(hearing.window * detector.rate)
    heard = windows(str(recording.path), hearing.window, hearing.hop, detector.rate, skip=first)
    for _, _, wave in islice(heard, PART):
        yield wave[:samples] if len(wave) >= samples else np.pad(wave, (0, samples - len(wave)))
