"""Words said by a synthesiser, as files with a table of labelled sounds beside them."""

from __future__ import annotations

import csv
import io
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hardneg.errors import OptionError, RunError
from hardneg.notation import require
from hardneg.progress import Progress, Silent
from hardneg.storage import place, storage_errors
from hardneg.words import espeak
from hardneg.words.lexicon import plain

__all__ = ["TABLE", "Recordings", "Voices", "speak"]

TABLE = "words.csv"
_COLUMNS = ("audio", "label", "split", "synthetic", "voice", "speed", "pitch")


@dataclass(frozen=True)
class Voices:
    """The voices that say each word, each at every speed (words a minute) and pitch (0 to 99)."""

    names: tuple[str, ...] = ("en-us", "en-us+f2", "en-us+m3", "en-gb", "en-gb-scotland")
    speeds: tuple[int, ...] = (140, 175, 210)
    pitches: tuple[int, ...] = (50,)

    def __post_init__(self) -> None:
        require(bool(self.names and self.speeds and self.pitches), "voices", "at least one", "none")
        for speed in self.speeds:
            require(80 <= speed <= 450, "speeds", "in [80, 450]", speed)
        for pitch in self.pitches:
            require(0 <= pitch <= 99, "pitches", "in [0, 99]", pitch)

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        return iter([(name, speed, pitch) for name in self.names for speed in self.speeds for pitch in self.pitches])


@dataclass(frozen=True)
class Recordings:
    """The table of what was said, how many sounds it names, and the words that were left out in some voice."""

    table: Path
    sounds: int
    left_out: tuple[str, ...]


def speak(
    words: Sequence[str], folder: Path, voices: Voices | None = None, *, unlike: Sequence[str] = (),
    overwrite: bool = False, progress: Progress | None = None,
) -> Recordings:  # fmt: skip
    """Have espeak-ng say each word in each voice.

    There is a folder for each word, and in it a file for each voice, speed and pitch (16 bits, 22,050 samples a
    second). ``words.csv`` names them with ``audio`` (relative to ``folder``), ``label`` (the word), ``split`` (train)
    and ``synthetic`` (true): they may be mined for training, and the readers refuse a synthetic row in a split for
    evaluation. The table is written last; without it the work was stopped, and the same call does it again.

    Args:
        words: what to say; two that differ in case or signs only are one.
        folder: where to; it is made.
        voices: who says it and how.
        unlike: keywords; a word that a voice pronounces as one of these is left out for this voice.
        overwrite: replace the table that is there, and the files of the same names.
        progress: where to show how far it is.

    Raises:
        MissingExtraError: without espeak-ng.
        OptionError: for a voice that it does not have, or words that are none.
        RunError: where there is a table already, unless ``overwrite``.
    """
    voices, progress, table = voices or Voices(), progress or Silent(), folder / TABLE
    names = list(dict.fromkeys(name for word in words if (name := plain(word))))
    if not names:
        raise OptionError("There is no word to say. Give at least one.")
    if table.exists() and not overwrite:
        raise RunError(f"'{table}' exists already. Choose another folder, or replace it with --overwrite.")
    left_out = {(name, voice) for voice in voices.names for name in _alike(names, unlike, voice)}
    plan = [(name, *how) for name in names for how in voices if (name, how[0]) not in left_out]
    rows: list[tuple[object, ...]] = []
    with progress.stage("speak", len(plan), "sounds") as report:
        for name, voice, speed, pitch in plan:
            file = f"{name.replace(' ', '_')}/{voice}-{speed}-{pitch}.wav"
            _write(folder / file, name, voice, speed, pitch)
            rows.append((file, name, "train", "true", voice, speed, pitch))
            report(len(rows), len(plan))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
    with place(table) as out:
        out.write(text.getvalue().encode())
    missing = {name for name, _ in left_out}
    return Recordings(table, len(rows), tuple(name for name in names if name in missing))


def _alike(names: Sequence[str], keywords: Sequence[str], voice: str) -> list[str]:
    """The words that a voice pronounces as one of the keywords, or not at all."""
    taken = {"", *espeak.pronounced(keywords, voice)}
    return [name for name, sounds in zip(names, espeak.pronounced(names, voice), strict=True) if sounds in taken]


def _write(path: Path, text: str, voice: str, speed: int, pitch: int) -> None:
    samples = espeak.said(text, voice, speed, pitch)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with place(path) as out, wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(espeak.RATE)
        sound.writeframes(samples.astype("<i2").tobytes())
