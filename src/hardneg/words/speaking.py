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

__all__ = ["TABLE", "Voices", "speak"]

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


def speak(
    words: Sequence[str], folder: Path, voices: Voices | None = None, *, overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Have espeak-ng say each word in each voice, and return the table of what was said.

    There is a folder for each word, and in it a file for each voice, speed and pitch (16 bits, 22,050 samples a
    second). ``words.csv`` names them with ``audio`` (relative to ``folder``), ``label`` (the word), ``split`` (train)
    and ``synthetic`` (true): they may be mined for training, and the readers refuse a synthetic row in a split for
    evaluation. The table is written last; without it the work was stopped, and the same call does it again.

    Raises:
        MissingExtraError: without espeak-ng.
        OptionError: for a voice that it does not have, or words that are none.
        RunError: where there is a table already, unless ``overwrite``.
    """
    voices, progress = voices or Voices(), progress or Silent()
    names = list(dict.fromkeys(name for word in words if (name := plain(word))))
    if not names:
        raise OptionError("There is no word to say. Give at least one.")
    if (folder / TABLE).exists() and not overwrite:
        raise RunError(f"'{folder / TABLE}' exists already. Choose another folder, or replace it with --overwrite.")
    for voice in voices.names:
        espeak.pronounced("a", voice)  # one that is not there is better known before the work than after
    rows, total = [], len(names) * len(list(voices))
    with progress.stage("speak", total, "sounds") as report:
        for name in names:
            for voice, speed, pitch in voices:
                file = f"{name.replace(' ', '_')}/{voice}-{speed}-{pitch}.wav"
                _write(folder / file, name, voice, speed, pitch)
                rows.append((file, name, "train", "true", voice, speed, pitch))
                report(len(rows), total)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *rows])
    with place(folder / TABLE) as out:
        out.write(text.getvalue().encode())
    return folder / TABLE


def _write(path: Path, text: str, voice: str, speed: int, pitch: int) -> None:
    samples = espeak.said(text, voice, speed, pitch)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with place(path) as out, wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(espeak.RATE)
        sound.writeframes(samples.astype("<i2").tobytes())
