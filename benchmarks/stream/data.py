"""Streams composed of spoken words and noise: every word's place is known, no speaker is in two of them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.texts import data_folder
from hardneg.sounds import wave

__all__ = ["PARTS", "RATE", "Stream", "Word", "composed", "saved", "speakers_apart", "words"]

RATE = 16_000
PARTS = ("train", "mine", "test")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LOUDNESS = 0.06  # of a word, as the root of its mean square
_LEVELS = (60, 20, 10, 5)  # dB of words above the noise
_STRETCH = 20  # seconds with one kind and level of noise
Wave = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Word:
    """A spoken word."""

    name: str
    speaker: str
    samples: Wave


@dataclass(frozen=True, eq=False)
class Stream:
    """A recording, with the words in it and where each begins and ends, in samples."""

    samples: Wave
    names: tuple[str, ...]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    def of(self, keyword: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """When a word begins and ends, in seconds."""
        rows = np.array([name == keyword for name in self.names], bool)
        return self.begin[rows] / RATE, self.end[rows] / RATE


def words() -> list[Word]:
    """The spoken digits of six speakers, and the words of Speech Commands, as loud as one another."""
    found = []
    for folder, name in (("speech_fsdd", "digit"), ("speech_commands_mini", "word")):
        with zipfile.ZipFile(data_folder() / folder / "wav.zip") as archive:
            inside = {Path(one).name: one for one in archive.namelist() if one.endswith(".wav")}
            by_path = {one: one for one in archive.namelist()}
            with (data_folder() / folder / "index.csv").open() as file:
                for row in csv.DictReader(file):
                    entry = by_path.get(row["path"]) or inside[Path(row["path"]).name]
                    samples = wave(archive.read(entry), RATE)
                    said = _DIGITS[int(row[name])] if name == "digit" else row[name]
                    found.append(Word(said, f"{folder}/{row['speaker']}", _even(samples)))
    return found


def _even(samples: Wave) -> Wave:
    loud = np.sqrt(np.mean(samples**2, dtype=np.float64))
    return (samples * (_LOUDNESS / max(loud, 1e-6))).clip(-1, 1).astype(np.float32)


def speakers_apart(spoken: Sequence[Word], rng: np.random.Generator) -> dict[str, list[Word]]:
    """The words of a third of the speakers of each set for each part."""
    out: dict[str, list[Word]] = {part: [] for part in PARTS}
    for folder in sorted({word.speaker.partition("/")[0] for word in spoken}):
        speakers = sorted({word.speaker for word in spoken if word.speaker.startswith(folder)})
        part_of = {speakers[at]: PARTS[place % 3] for place, at in enumerate(rng.permutation(len(speakers)))}
        for word in spoken:
            if word.speaker in part_of:
                out[part_of[word.speaker]].append(word)
    return out


def composed(spoken: Sequence[Word], minutes: float, keyword: str, count: int, rng: np.random.Generator) -> Stream:
    """A stream with ``count`` keywords among other words, one about every 1.3 seconds, in noise that changes."""
    samples = np.zeros(round(minutes * 60 * RATE), np.float32)
    others = [word for word in spoken if word.name != keyword]
    own = [word for word in spoken if word.name == keyword]
    chosen: list[Word] = []
    at, begin = RATE // 2, []
    while True:
        word = others[rng.integers(len(others))]
        if at + 2 * RATE > len(samples):
            break
        chosen.append(word)
        begin.append(at)
        at += max(RATE // 2, len(word.samples)) + round(rng.uniform(0.2, 1.2) * RATE)
    for row in rng.permutation(len(chosen))[:count]:  # in the place of another word
        chosen[row] = own[rng.integers(len(own))]
    ends = []
    for word, start, stop in zip(chosen, begin, [*begin[1:], len(samples)], strict=True):
        part = word.samples[: stop - start]
        samples[start : start + len(part)] += part
        ends.append(start + len(part))
    samples += _noise(len(samples), others, rng)
    names = tuple(word.name for word in chosen)
    return Stream(samples.clip(-1, 1), names, np.array(begin, np.int64), np.array(ends, np.int64))


def _noise(length: int, spoken: Sequence[Word], rng: np.random.Generator) -> Wave:
    """Hiss, rumble or babble at one of several levels, another every twenty seconds."""
    out = np.zeros(length, np.float32)
    for start in range(0, length, _STRETCH * RATE):
        size = min(_STRETCH * RATE, length - start)
        kind = rng.integers(3)
        hiss = rng.normal(size=size).astype(np.float32)
        if kind == 1:
            hiss = np.convolve(hiss, np.ones(64, np.float32) / 8, mode="same")
        elif kind == 2:
            hiss = sum(_murmur(size, spoken, rng) for _ in range(6))  # type: ignore[assignment]
        loud = np.sqrt(np.mean(hiss**2)) + 1e-9
        out[start : start + size] = hiss * (_LOUDNESS * 10 ** (-rng.choice(_LEVELS) / 20) / loud)
    return out


def _murmur(size: int, spoken: Sequence[Word], rng: np.random.Generator) -> Wave:
    """One voice after another, backwards, so that nothing in it is a word."""
    parts, total = [], 0
    while total < size:
        parts.append(spoken[rng.integers(len(spoken))].samples[::-1])
        total += len(parts[-1])
    return np.concatenate(parts)[:size]


def saved(stream: Stream, path: Path) -> Path:
    """The stream as a file of 16 bits."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    soundfile.write(content, stream.samples, RATE, format="wav", subtype="PCM_16")
    path.write_bytes(content.getvalue())
    return path
