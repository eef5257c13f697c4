"""Small images, different in shape, colour and file format."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

__all__ = ["pictures", "saved"]


def pictures() -> list[bytes]:
    """Six image files as bytes, the first one twice."""
    down, right = np.mgrid[0:48, 0:64]
    rings = np.hypot(down - 20, right - 30) % 12 < 6
    stripes = (right + down // 2) % 16 < 8
    colours = np.stack([down * 5, right * 4 - 1, 250 - down * 3], axis=-1)
    grain = np.random.default_rng(0).integers(0, 256, (40, 30, 3))
    first = saved(np.where(rings[..., None], colours, 20), "png")
    others = [
        saved(np.where(stripes[..., None], [200, 40, 40], [20, 90, 200]), "jpeg"),
        saved(grain, "png"),
        saved(down * 5, "png"),  # grey
        saved(np.where(rings[..., None], [250, 220, 0, 255], [0, 0, 0, 0]), "png"),  # transparent
    ]
    return [first, *others, first]


def saved(pixels: NDArray[np.integer], form: str) -> bytes:
    """Pixels of shape ``(height, width[, channels])`` as the bytes of an image file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, form)
    return file.getvalue()
