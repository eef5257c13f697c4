"""What colours an image has, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hsv_histogram", "lab", "lab_moments"]

_HSV_BINS = (8, 3, 3)
# sRGB to XYZ for the white point D65, divided by that white (IEC 61966-2-1).
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])  # fmt: skip


def lab(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIE L*a*b* (1976) of sRGB pixels, shape ``(..., 3)``: how light, green to red, blue to yellow.

    >>> lab(np.array([255, 0, 0], np.uint8)).round(2).tolist()
    [53.24, 80.09, 67.2]
    """
    light = _LINEAR[pixels]
    # Written out: a matrix product may round differently from one machine, or one size, to the next.
    x, y, z = (sum(light[..., one] * row[one] for one in range(3)) for row in _TO_XYZ)
    x, y, z = (np.where(one > 216 / 24389, np.cbrt(one), (24389 / 27 * one + 16) / 116) for one in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _linear() -> NDArray[np.float64]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


_LINEAR = _linear()


def lab_moments(pixels: NDArray[np.uint8], grid: int) -> NDArray[np.float64]:
    """Mean and standard deviation of L*, a*, b* in each of ``grid * grid`` tiles (colour moments).

    Lightness counts from middle grey. Scaled to about -1 to 1; shape ``(grid * grid * 6,)``.
    """
    side = len(pixels) // grid
    tiles = lab(pixels).reshape(grid, side, grid, side, 3).transpose(0, 2, 1, 3, 4).reshape(grid**2, -1, 3)
    mean = tiles.mean(axis=1) / 50 - [1, 0, 0]
    return np.concatenate([mean, tiles.std(axis=1) / 25], axis=1).ravel()


def hsv_histogram(hsv: NDArray[np.uint8], grid: int) -> NDArray[np.float64]:
    """Square roots of the counts of 8 hues x 3 saturations x 3 values in each of ``grid * grid`` tiles.

    Roots make the product of two histograms their Bhattacharyya coefficient. Shape ``(grid * grid * 72,)``.

    >>> hsv_histogram(np.zeros((4, 4, 3), np.uint8), 2).nonzero()[0].tolist()
    [0, 72, 144, 216]
    """
    of, kinds = _HSV_BINS, int(np.prod(_HSV_BINS))
    hue, saturation, value = (hsv[..., one].astype(np.int64) * of[one] // 256 for one in range(3))
    tile = np.arange(len(hsv)) * grid // len(hsv)
    place = (tile[:, None] * grid + tile[None, :]) * kinds + (hue * of[1] + saturation) * of[2] + value
    return np.sqrt(np.bincount(place.ravel(), minlength=grid**2 * kinds))
