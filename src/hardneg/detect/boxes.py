"""Boxes in images: what is there, what a detector found, and how far two of them overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.ragged import BoolArray, IntArray, expand

__all__ = ["Boxes", "Detections", "Overlaps", "Truth", "overlap", "overlaps"]

_PAIRS = 250_000  # looked at together, so that memory does not grow with the number of images


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes, one a row.

    Args:
        image: the number of the image that each is in, from 0, shape ``(n,)``.
        category: the number of its category, from 0, shape ``(n,)``.
        box: left, top, width and height in pixels, shape ``(n, 4)``, as COCO has them.

    Raises InputError for shapes that do not fit, numbers below 0 and boxes that are not finite or have a negative side.
    A box without an area overlaps nothing.
    """

    image: IntArray
    category: IntArray
    box: NDArray[np.float64]

    def __post_init__(self) -> None:
        rows = len(self.image)
        if self.category.shape != (rows,) or self.box.shape != (rows, 4):
            raise InputError(
                f"There must be a category and a box of 4 numbers for each of {rows} images. Got shapes "
                f"{self.category.shape} and {self.box.shape}."
            )
        if rows and min(int(self.image.min()), int(self.category.min())) < 0:
            raise InputError("The numbers of images and categories begin with 0. Got one below it.")
        broken = ~np.isfinite(self.box).all(axis=1) | (self.box[:, 2:] < 0).any(axis=1)
        if broken.any():
            first = int(np.flatnonzero(broken)[0])
            raise InputError(
                f"{int(broken.sum())} boxes are not finite or have a negative side (first: row {first}, "
                f"{self.box[first].tolist()}).",
                remedy="A box is left, top, width and height.",
            )

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: IntArray) -> Self:
        """Some of the rows, with all that is known of them.

        >>> Boxes(np.array([0, 1]), np.array([2, 3]), np.zeros((2, 4))).take(np.array([1])).category.tolist()
        [3]
        """
        return type(self)(*(getattr(self, one.name)[rows] for one in fields(self)))

    @property
    def area(self) -> NDArray[np.float64]:
        """Width times height, shape ``(n,)``."""
        return np.asarray(self.box[:, 2] * self.box[:, 3])


@dataclass(frozen=True, eq=False)
class Truth(Boxes):
    """What is there.

    Args:
        image: as in :class:`Boxes`, and so is what follows.
        category: the number of its category.
        box: left, top, width and height.
        crowd: boxes of many things at once, shape ``(n,)``; what lies in one is of it. None if not given.
        ignored: boxes that count neither for nor against a detector (difficult, out of interest), shape ``(n,)``. A
            crowd counts for nothing either. None if not given.
    """

    crowd: BoolArray = field(default_factory=lambda: np.zeros(0, bool))
    ignored: BoolArray = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("crowd", "ignored"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self), bool))
            if getattr(self, name).shape != (len(self),):
                raise InputError(f"The '{name}' must be one for each of {len(self)} boxes.")

    @property
    def uncounted(self) -> BoolArray:
        """Crowds and ignored boxes, shape ``(n,)``."""
        return np.asarray(self.crowd | self.ignored)


@dataclass(frozen=True, eq=False)
class Detections(Boxes):
    """What a detector found, and how sure it was.

    Args:
        image: as in :class:`Boxes`, and so is what follows.
        category: the number of its category.
        box: left, top, width and height.
        score: higher is surer, shape ``(n,)``.

    Raises InputError as :class:`Boxes`, and for a score that is NaN.
    """

    score: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score.shape != (len(self),):
            raise InputError(f"There must be a score for each of {len(self)} detections. Got {self.score.shape}.")
        if (missing := np.isnan(self.score)).any():
            first = int(np.flatnonzero(missing)[0])
            raise InputError(f"{int(missing.sum())} detections have no score (first: row {first}).")


def check_numbers(numbers: IntArray, count: int, what: str, kind: str) -> None:
    """Raise InputError for numbers that reach ``count``.

    >>> check_numbers(np.array([0, 3]), 3, "boxes are in image", "images")
    Traceback (most recent call last):
    hardneg.errors.InputError: Some boxes are in image 3, and there are 3 images, counted from 0.
    """
    if len(numbers) and int(numbers.max()) >= count:
        raise InputError(f"Some {what} {int(numbers.max())}, and there are {count} {kind}, counted from 0.")


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pairs of boxes in one image that overlap: rows of the left, rows of the right, and how far."""

    left: IntArray
    right: IntArray
    share: NDArray[np.float64]

    def only(self, which: BoolArray | IntArray) -> Overlaps:
        """Some of the pairs, by a mask or by their places."""
        return Overlaps(self.left[which], self.right[which], self.share[which])


def overlap(
    left: NDArray[np.float64], right: NDArray[np.float64], within: BoolArray | bool = False
) -> NDArray[np.float64]:
    """Intersection over union of boxes with boxes, row by row; over the area of the left where ``within`` says so.

    The sum is that of pycocotools, in the same order, so that a threshold means the same to both.

    >>> overlap(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 2, 2]])).round(3).tolist()
    [0.333]
    """
    near = np.minimum(left[:, :2] + left[:, 2:], right[:, :2] + right[:, 2:]) - np.maximum(left[:, :2], right[:, :2])
    near = np.maximum(near, 0)
    shared = near[:, 0] * near[:, 1]
    mine = left[:, 2] * left[:, 3]
    whole = np.where(within, mine, mine + right[:, 2] * right[:, 3] - shared)
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=shared > 0))


def overlaps(left: Boxes, right: Boxes, least: float, within: BoolArray | None = None) -> Iterator[Overlaps]:
    """All pairs in one image that overlap by at least ``least`` (above 0), in pieces of whole images.

    Pairs come by left row within an image, then by right row. Of the right boxes marked in ``within``, shape
    ``(len(right),)``, the share is that of the left box's area; so pycocotools treats crowds.

    >>> one = Boxes(np.array([0, 1]), np.zeros(2, int), np.array([[0.0, 0, 2, 2], [0, 0, 2, 2]]))
    >>> [pairs.right.tolist() for pairs in overlaps(one, one, 0.5)]
    [[0, 1]]
    """
    images = 1 + max((int(one.image.max()) for one in (left, right) if len(one)), default=-1)
    mine, theirs = (np.argsort(one.image, kind="stable") for one in (left, right))
    counts = [np.bincount(one.image, minlength=images) for one in (left, right)]
    begins = [np.cumsum(count) - count for count in counts]
    ends = np.cumsum(counts[0] * counts[1])
    first = 0
    while first < images:
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _PAIRS, "right")))
        rows = np.arange(begins[0][first], begins[0][last - 1] + counts[0][last - 1])
        image = left.image[mine[rows]]
        of = np.repeat(mine[rows], counts[1][image])
        other = theirs[expand(begins[1][image], counts[1][image])]
        share = overlap(left.box[of], right.box[other], False if within is None else within[other])
        keep = share >= least
        if keep.any():
            yield Overlaps(of[keep], other[keep], share[keep])
        first = last
