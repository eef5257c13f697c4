"""Histograms of oriented gradients: where edges are and which way they run (Dalal and Triggs, CVPR 2005)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hog"]

_BINS = 9  # of 20 degrees; an edge and the same edge with dark and light exchanged are alike
_CLIP = 0.2
_SMALL = 1e-5


def hog(pixels: NDArray[np.float64], cell: int) -> NDArray[np.float64]:
    """HOG of shape ``((n - 1) * (n - 1) * 36,)`` for ``n = size / cell`` cells a side.

    As in the paper: the channel with the strongest gradient speaks for a pixel, its strength is a vote for one of 9
    directions in its cell, blocks of 2 x 2 cells overlap, and each is normalised, cut at 0.2 and normalised again
    (L2-Hys). Equals ``skimage.feature.hog(pixels, 9, (cell, cell), (2, 2), "L2-Hys", channel_axis=-1)``.

    Args:
        pixels: shape ``(size, size, channels)``; ``size`` is a multiple of ``cell``.
        cell: pixels a side of a cell.

    >>> hog(np.eye(16)[:, :, None], 4).shape
    (324,)
    """
    votes = _votes(*_gradient(pixels), cell)
    corners = [
        votes[down : down + len(votes) - 1, right : right + len(votes) - 1] for down in (0, 1) for right in (0, 1)
    ]
    blocks = np.stack(corners, axis=2).reshape(len(votes) - 1, len(votes) - 1, -1)
    return _unit(np.minimum(_unit(blocks), _CLIP)).ravel()


def _gradient(pixels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences down and to the right, of the channel where they are largest; 0 at the border."""
    down, right = np.zeros_like(pixels), np.zeros_like(pixels)
    down[1:-1] = pixels[2:] - pixels[:-2]
    right[:, 1:-1] = pixels[:, 2:] - pixels[:, :-2]
    strongest = np.hypot(down, right).argmax(axis=-1, keepdims=True)
    return np.take_along_axis(down, strongest, -1)[..., 0], np.take_along_axis(right, strongest, -1)[..., 0]


def _votes(down: NDArray[np.float64], right: NDArray[np.float64], cell: int) -> NDArray[np.float64]:
    """Mean strength by cell and direction, shape ``(n, n, 9)``."""
    n = len(down) // cell
    degrees = np.rad2deg(np.arctan2(down, right)) % 180
    direction = (degrees // (180 / _BINS)).astype(np.int64) % _BINS
    at = np.arange(n * cell) // cell
    place = (at[:, None] * n + at[None, :]) * _BINS + direction
    strength = np.hypot(down, right)
    return np.bincount(place.ravel(), strength.ravel(), n * n * _BINS).reshape(n, n, _BINS) / cell**2


def _unit(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    return blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + _SMALL**2)  # type: ignore[no-any-return]
