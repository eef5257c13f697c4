"""Small sounds for tests: each number gives another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.io.reading import Reading
from hardneg.testing._sounds import saved


def noise(number: int, seconds: float = 0.5, rate: int = 16_000, channels: int = 1) -> NDArray[np.float64]:
    """Noise of half the full scale, always the same for one number."""
    shape = round(seconds * rate) if channels == 1 else (round(seconds * rate), channels)
    return np.random.default_rng(number).uniform(-0.5, 0.5, shape)


def sound(
    path: Path, number: int, seconds: float = 0.5, rate: int = 16_000, *, channels: int = 1, form: str = "wav",
    subtype: str | None = None,
) -> Path:  # fmt: skip
    """Such a sound as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved(noise(number, seconds, rate, channels), rate, form, subtype))
    return path


def words(folder: Path, *splits: str, each: int = 3) -> Path:
    """A folder of the words yes and no, of different sounds."""
    number = 0
    for split in splits or ("",):
        for name in ("no", "yes"):
            for at in range(each):
                sound(folder / split / name / f"{at}.wav", number)
                number += 1
    return folder


def column(reading: Reading, name: str) -> list[object]:
    """A column of the items."""
    found: list[object] = reading.positives.items.table.column(name).to_pylist()
    return found


def noted(reading: Reading) -> dict[str, int]:
    """What is in use but odd, counted."""
    return {note.reason: note.count for note in reading.notes}
