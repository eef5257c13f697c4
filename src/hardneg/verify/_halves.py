"""Names cut in two where they fall apart best, many of the same size at once.

All that is asked of the examples are their products with one another, so a name of ``m`` examples is a matrix of
``m * m`` products here, however long its vectors are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg.verify.identities import within_names

__all__ = ["halved", "halves_alike", "products"]

Floats = NDArray[np.float64]

_STEPS = 20


def products(unit: Floats) -> Floats:
    """The products of the examples of each name with one another: ``(b, m, d)`` gives ``(b, m, m)``."""
    return np.asarray(unit @ unit.transpose(0, 2, 1), np.float64)


def halved(alike: Floats) -> NDArray[np.int8]:
    """Cut names in two parts of at least 2 examples: shape ``(b, m)`` of 0 and 1, the first example in part 0.

    Spherical 2-means (Dhillon & Modha 2001, Machine Learning 42) from a cut across the direction of most variance, so
    there is nothing to draw.

    Args:
        alike: the products of examples of length 1, shape ``(b, m, m)``.

    >>> halved(np.array([[[1.0, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]]])).tolist()
    [[0, 1, 0, 1]]
    """
    side = _leaning(_main_direction(alike))
    moving = np.arange(len(alike))
    for _ in range(_STEPS):
        ours = alike if len(moving) == len(alike) else alike[moving]
        parts = np.stack([1 - side[moving], side[moving]], axis=2).astype(np.float64)
        toward = ours @ parts  # each example with the sum of each part
        lengths = np.sqrt(np.maximum((parts * toward).sum(axis=1), 0))
        nearer = toward / np.maximum(lengths, 1e-12)[:, None, :]
        after = _leaning(nearer[:, :, 1] - nearer[:, :, 0])
        changed = (after != side[moving]).any(axis=1)
        side[moving] = after
        moving = moving[changed]
        if not len(moving):
            break
    return np.where(side[:, :1] == 1, 1 - side, side)


def _main_direction(alike: Floats) -> Floats:
    """How far each example lies along the direction of most variance, up to a factor, shape ``(b, m)``."""
    centred = alike - alike.mean(axis=1, keepdims=True) - alike.mean(axis=2, keepdims=True)
    centred += alike.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.linalg.eigh(centred)[1][:, :, -1], np.float64)


def _leaning(lean: Floats) -> NDArray[np.int8]:
    """Who leans to the second part, but at least 2 in each."""
    size = lean.shape[1]
    count = np.clip((lean > 0).sum(axis=1), 2, size - 2)
    order = np.argsort(lean, axis=1, kind="stable")
    side = np.empty(lean.shape, np.int8)
    np.put_along_axis(side, order, (np.arange(size) >= size - count[:, None]).astype(np.int8), axis=1)
    return side


def halves_alike(alike: Floats, side: NDArray[np.int8], average: float) -> Floats:
    """The likeness of the parts of each name, as :class:`hardneg.verify.identities.Identities` has it, shape ``(b,)``.

    Args:
        alike: as for :func:`halved`.
        side: the part of each example, shape ``(b, m)``.
        average: the mean cosine within all names, to which that of a small part is shrunk.
    """
    parts = np.stack([1 - side, side], axis=2).astype(np.float64)
    sums = parts.transpose(0, 2, 1) @ alike @ parts
    counts = parts.sum(axis=1)
    own = (np.diagonal(sums, axis1=1, axis2=2) - counts) / 2
    within = within_names(own, counts * (counts - 1) / 2, average)
    return np.asarray(sums[:, 0, 1] / counts.prod(axis=1) / np.sqrt(within.prod(axis=1)), np.float64)
