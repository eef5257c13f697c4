"""Pictures of people for tests: one real face (NASA's astronaut, from scikit-image), stretched into several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# How much wider than it is each one's face is made: enough for SFace to tell them apart.
ASPECTS = {"ann": 0.65, "bea": 1.0, "cem": 1.5}


def astronaut() -> Image.Image:
    """A picture of 512 x 512 with one face, 90 pixels wide."""
    data = pytest.importorskip("skimage.data")
    return Image.fromarray(data.astronaut())


def picture(aspect: float = 1.0, turned: float = 0.0, light: float = 1.0) -> Image.Image:
    """The face alone with a little around it, stretched, turned by some degrees, lighter or darker."""
    face = astronaut().crop((120, 0, 340, 220))
    wide = face.resize((round(220 * aspect**0.5), round(220 / aspect**0.5)), Image.Resampling.BICUBIC)
    return wide.rotate(turned, Image.Resampling.BICUBIC).point(lambda level: min(255, round(level * light)))


def noise(seed: int = 0, size: tuple[int, int] = (120, 160)) -> Image.Image:
    """Nothing but grain."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


def people(folder: Path, each: int = 4, aspects: Mapping[str, float] = ASPECTS) -> Path:
    """``folder/<name>/<number>.png``, a few pictures of each."""
    draw = np.random.default_rng(0)
    for name, aspect in aspects.items():
        (folder / name).mkdir(parents=True)
        for number in range(each):
            picture(aspect, draw.uniform(-10, 10), draw.uniform(0.7, 1.2)).save(folder / name / f"{number}.png")
    return folder
