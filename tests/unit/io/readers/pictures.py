"""Small pictures for tests: each number gives another one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def image(number: int, mode: str = "RGB", size: int = 12) -> Image.Image:
    """A picture of noise, always the same for one number."""
    pixels = np.random.default_rng(number).integers(0, 256, (size, size, 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(number: int, form: str = "png") -> bytes:
    """The bytes of such a picture."""
    saved = io.BytesIO()
    image(number).save(saved, form)
    return saved.getvalue()


def picture(path: Path, number: int, form: str = "png", mode: str = "RGB") -> Path:
    """Such a picture as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image(number, mode).save(path, form)
    return path


def pets(folder: Path, *splits: str, each: int = 3) -> Path:
    """A folder of cats and dogs, of different pictures."""
    number = 0
    for split in splits or ("",):
        for name in ("cat", "dog"):
            for at in range(each):
                picture(folder / split / name / f"{at}.png", number)
                number += 1
    return folder
