"""Small sounds, different in pitch, length, rate, channels and file format."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["saved", "sounds", "tone"]


def sounds() -> list[bytes]:
    """Six sound files as bytes, the first one twice."""
    draw = np.random.default_rng(0)
    first = saved(tone(220, 0.7))
    rising = np.sin(2 * np.pi * np.cumsum(np.linspace(100, 2000, 12_000)) / 16_000)
    others = [
        saved(tone(440, 0.5, 8000), 8000),
        saved(draw.uniform(-0.5, 0.5, (9000, 2)), 22_050),  # two channels
        saved(rising, form="flac"),
        saved(np.concatenate([tone(330, 1.1), np.zeros(16_000), tone(550, 0.9)]), subtype="FLOAT"),
    ]
    return [first, *others, first]


def tone(pitch: float, seconds: float, rate: int = 16_000) -> NDArray[np.float64]:
    """A sine of half the full scale, shape ``(seconds * rate,)``."""
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def saved(samples: NDArray[Any], rate: int = 16_000, form: str = "wav", subtype: str | None = None) -> bytes:
    """Samples of shape ``(n[, channels])`` as the bytes of a sound file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()
