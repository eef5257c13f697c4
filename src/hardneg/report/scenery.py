"""Pictures with boxes in them, made small for a page: the whole of each once, and the part that is looked at."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import MissingExtraError
from hardneg.images import BrokenImage, Crop, rgb
from hardneg.mediafiles import Source
from hardneg.parallel import each
from hardneg.ragged import IntArray
from hardneg.report.pictures import Thumb, problem, thumb_of

__all__ = ["Scenery", "View"]

_CROP = 112  # pixels of a part
_SAMPLE = 12  # pictures that are looked at to guess how large all are
_MARGIN = 1.04  # of a plane that stands for a picture whose size nobody knows


@dataclass(frozen=True)
class View:
    """A picture made small, and how large it is itself, which is what boxes are given in."""

    thumb: Thumb
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Scenery:
    """The pictures that boxes are in.

    Args:
        images: a row for each, with a ``path`` where the picture is at hand.
        sizes: their widths and heights, where they are known.
    """

    images: Collection
    sizes: Sequence[tuple[float, float] | None]

    def views(self, rows: IntArray, pixels: int, extents: NDArray[np.float64]) -> list[View]:
        """Each picture with no side longer than ``pixels``.

        ``extents``, shape ``(n, 2)``, says how far its boxes reach: so large is the plane where there is no picture.
        """
        return each(lambda at: self._view(int(rows[at]), pixels, extents[at]), range(len(rows)))

    def crops(self, rows: IntArray, boxes: NDArray[np.float64]) -> list[Thumb]:
        """The part of its picture that is in each box."""
        return each(lambda at: self._crop(int(rows[at]), tuple(boxes[at].tolist())), range(len(rows)))

    def about_bytes(self, rows: IntArray, boxes: NDArray[np.float64], pixels: int) -> tuple[float, float]:
        """Roughly how much room a picture and a part take, guessed from a few."""
        some = np.unique(np.linspace(0, max(len(rows) - 1, 0), min(len(rows), _SAMPLE)).round().astype(np.int64))
        if not len(some):
            return 0.0, 0.0
        views = self.views(rows[some], pixels, np.ones((len(some), 2)))
        parts = self.crops(rows[some], boxes[some])
        return float(np.mean([len(one.thumb.data) for one in views])), float(np.mean([len(one.data) for one in parts]))

    def _view(self, row: int, pixels: int, extent: NDArray[np.float64]) -> View:
        width, height = self.sizes[row] or (extent * _MARGIN).tolist()
        picture = self._picture(row)
        if picture is None:
            return View(problem("no_picture"), width, height)
        try:
            image = rgb(picture)
        except BrokenImage as error:
            return View(problem(error.reason), width, height)
        except MissingExtraError:
            return View(problem("no_pillow"), width, height)
        width, height = image.size
        image.thumbnail((pixels, pixels))
        saved = io.BytesIO()
        image.save(saved, "jpeg", quality=72, optimize=True)
        return View(Thumb(b64encode(saved.getvalue()).decode()), width, height)

    def _crop(self, row: int, box: tuple[float, float, float, float]) -> Thumb:
        picture = self._picture(row)
        return thumb_of(None if picture is None else Crop(picture, box), _CROP)

    def _picture(self, row: int) -> Source | None:
        """The whole picture, None where it is not at hand."""
        picture = None if self.images.pictures is None else self.images.pictures[row]
        return None if isinstance(picture, Crop) else picture
