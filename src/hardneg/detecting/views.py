"""Other views of a picture: mirrored, smaller or larger. What a detector finds in them is turned back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import OptionError

__all__ = ["View", "views_of"]

FLIP = "flip"


@dataclass(frozen=True)
class View:
    """A picture mirrored left to right, or brought to ``scale`` times its size.

    >>> View(flip=True).back(np.array([[0.0, 0, 4, 2]]), (4, 2), (10, 5)).tolist()
    [[6.0, 0.0, 10.0, 2.0]]
    >>> View(scale=0.5).back(np.array([[0.0, 0, 4, 2]]), (5, 2), (10, 5)).tolist()
    [[0.0, 0.0, 8.0, 5.0]]
    """

    flip: bool = False
    scale: float = 1.0

    @property
    def name(self) -> str:
        """As a user writes it."""
        return FLIP if self.flip else f"{self.scale:g}"

    def of(self, picture: Any) -> Any:
        """The view of a PIL image."""
        from PIL import Image

        if self.flip:
            return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        size = [max(1, round(side * self.scale)) for side in picture.size]
        return picture.resize(size, Image.Resampling.BILINEAR)

    def back(self, ends: NDArray[np.float64], seen: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float64]:
        """Left, top, right and bottom in the picture, of those found in its view.

        Args:
            ends: shape ``(n, 4)``.
            seen: width and height of the view.
            size: width and height of the picture.
        """
        if self.flip:
            return np.stack([size[0] - ends[:, 2], ends[:, 1], size[0] - ends[:, 0], ends[:, 3]], axis=1)
        return np.asarray(ends * np.array([size[0] / seen[0], size[1] / seen[1]] * 2))


def views_of(text: str | Sequence[str]) -> tuple[View, ...]:
    """The views named: ``flip``, and numbers, of which 0.5 is half the width and the height.

    Raises OptionError for another word, for 1, and for a view named twice.

    >>> [one.name for one in views_of("flip,0.5,1.5")]
    ['flip', '0.5', '1.5']
    """
    words = text.split(",") if isinstance(text, str) else list(text)
    found = tuple(_view(one.strip()) for one in words if one.strip())
    if len(set(found)) < len(found):
        raise OptionError(f"Each of the 'views' must be named once. Got {', '.join(words)}.")
    return found


def _view(word: str) -> View:
    if word == FLIP:
        return View(flip=True)
    try:
        scale = float(word)
    except ValueError:
        scale = 0.0
    if not 0.1 <= scale <= 10 or scale == 1:
        raise OptionError(f"The 'views' must be 'flip' or a scale from 0.1 to 10 other than 1. Got '{word}'.")
    return View(scale=scale)
