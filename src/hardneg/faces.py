"""Faces in a picture: where they are, each turned upright and cut out in the same way, and as numbers.

The networks are YuNet (Wu et al. 2023), which finds faces and five points of each, and SFace (Zhong et al. 2021), which
knows a face again; OpenCV runs both. A network of OpenCV serves one thread at a time, so there is a copy for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LEAST_SCORE", "SIDE", "Cutout", "Face", "FaceModels", "longest_sides"]

Cutout: TypeAlias = NDArray[np.uint8]
"""A face cut out: shape ``(112, 112, 3)``, red, green and blue."""

SIDE = 112
LEAST_SCORE = 0.8  # 0 finds in 400 photographs of flowers, where 0.6 finds 10 faces; none of 400 faces (ORL) is missed

# A face is found while it is about 15 to 300 pixels wide. A large picture is looked at in two sizes that together leave
# no gap; what is in both is one face.
_FAR, _NEAR = 320, 1280
_OVERLAP = 0.3  # boxes that share more than this (intersection over union) are of one face
_MOST = 5000  # boxes before that
_SHORTEST = 64  # a side that the detector is given


@dataclass(frozen=True)
class Face:
    """A face in an upright picture, in pixels. The box may go beyond the picture's edges.

    Attributes:
        left: Of the box.
        top: Of the box.
        width: Of the box.
        height: Of the box.
        score: How sure the detector is, from 0 to 1.
        landmarks: The right eye (the person's own), the left eye, the tip of the nose, the right and the left corner
            of the mouth, each as x and y.
    """

    left: float
    top: float
    width: float
    height: float
    score: float
    landmarks: tuple[tuple[float, float], ...]

    @property
    def size(self) -> float:
        """The shorter side of the box.

        >>> Face(0, 0, 40, 50, 0.9, ((0, 0),) * 5).size
        40
        """
        return min(self.width, self.height)


def longest_sides(longest: int) -> list[int]:
    """How long the longest side of a picture is made to look for faces in it; never longer than it is.

    >>> longest_sides(250), longest_sides(900), longest_sides(4000)
    ([250], [320, 900], [320, 1280])
    """
    return [longest] if longest <= _FAR else [_FAR, min(longest, _NEAR)]


class FaceModels:
    """The two networks from their ONNX files, as many copies as there are threads that ask.

    Answers do not depend on the number of threads, nor on what was asked before.

    Raises OptionError, when it is first used, for a file that is missing or no such network; MissingExtraError without
    OpenCV.
    """

    def __init__(self, detector: Path, recogniser: Path, *, least_score: float = LEAST_SCORE) -> None:
        _opencv()
        self._detectors = _Copies(lambda: _detector(detector, least_score))
        self._recognisers = _Copies(lambda: _recogniser(recogniser))

    def find(self, image: Image) -> list[Face]:
        """The faces in an upright RGB picture, the largest first."""
        size = max(image.size)
        with self._detectors.borrowed() as detector:
            seen = [_looked(detector, image, side) for side in longest_sides(size)]
        rows = seen[0] if len(seen) == 1 else _merged(np.concatenate(seen))
        return sorted(map(_face, rows), key=lambda one: (-one.width * one.height, -one.score, one.left, one.top))

    def crop(self, image: Image, face: Face) -> Cutout:
        """A face of an upright RGB picture, cut out so that its landmarks lie where the recogniser expects them.

        A face of more than twice the size of the crop is first made smaller by a whole factor, so that no pixel of it
        is passed over. What lies beyond the edges of the picture is black.
        """
        factor = max(1, int(face.size // SIDE))
        row = np.array([[0, 0, 0, 0, *np.ravel(face.landmarks), face.score]], np.float32)
        row[:, 4:14] = _scaled(row[:, 4:14], 1 / factor)
        pixels = _bgr(image.reduce(factor) if factor > 1 else image)
        with self._recognisers.borrowed() as recogniser:
            found = recogniser.alignCrop(pixels, row)
        return np.ascontiguousarray(found[:, :, ::-1])

    def vector(self, crop: Cutout) -> NDArray[np.float32]:
        """What the recogniser makes of a crop: 128 numbers, compared by their direction."""
        with self._recognisers.borrowed() as recogniser:
            return np.array(recogniser.feature(np.ascontiguousarray(crop[:, :, ::-1])), np.float32).reshape(-1)


# --- finding ----------------------------------------------------------------------------------------------------------


def _looked(detector: Any, image: Image, side: int) -> NDArray[np.float32]:
    """What a detector sees of a picture whose longest side is made ``side``: rows of 15, in pixels of the picture.

    Left, top, width, height, five landmarks, the score.
    """
    factor = side / max(image.size)
    width, height = (max(1, round(factor * one)) for one in image.size)
    small = image if factor == 1 else image.resize((width, height), 2, reducing_gap=3)  # bilinear
    pixels = _padded(_bgr(small))
    detector.setInputSize(pixels.shape[1::-1])
    _, found = detector.detect(pixels)
    if found is None:
        return np.zeros((0, 15), np.float32)
    rows = np.array(found, np.float32)
    rows[:, :4] /= factor
    rows[:, 4:14] = _scaled(rows[:, 4:14], 1 / factor)
    return rows


def _scaled(points: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Where points are in a picture made larger: pixels are squares, and numbered by their middles."""
    return points if factor == 1 else (points + np.float32(0.5)) * np.float32(factor) - np.float32(0.5)


def _merged(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """One row for each face: of those that overlap the surest."""
    if len(rows) < 2:
        return rows
    kept = _opencv().dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), 0.0, _OVERLAP)
    return rows[np.asarray(kept, np.int64).reshape(-1)]


def _face(row: NDArray[np.float32]) -> Face:
    left, top, width, height, *points, score = row.tolist()
    return Face(left, top, width, height, score, tuple(zip(points[::2], points[1::2], strict=True)))


def _bgr(image: Image) -> Cutout:
    """The pixels in OpenCV's order of colours."""
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def _padded(pixels: Cutout) -> Cutout:
    """With black at the right and below where a side is short.

    The detector pads to multiples of 32 in the same way, but on a side of 32 reads memory that nobody wrote, and then
    finds faces at random.
    """
    short = [(0, max(0, _SHORTEST - side)) for side in pixels.shape[:2]]
    return np.pad(pixels, (*short, (0, 0))) if any(more for _, more in short) else pixels


# --- networks ---------------------------------------------------------------------------------------------------------


class _Copies:
    """Copies of a network: one that is free is lent, one more is made where none is."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._free: SimpleQueue[Any] = SimpleQueue()

    @contextmanager
    def borrowed(self) -> Iterator[Any]:
        try:
            network = self._free.get_nowait()
        except Empty:
            network = self._make()
        try:
            yield network
        finally:
            self._free.put(network)


def _detector(file: Path, least_score: float) -> Any:
    library = _opencv()
    blank = np.zeros((64, 64, 3), np.uint8)
    try:
        found = library.FaceDetectorYN.create(str(file), "", (64, 64), least_score, _OVERLAP, _MOST)
        found.detect(blank)
    except library.error as error:
        raise _foreign("detector", file, "YuNet", error) from None
    return found


def _recogniser(file: Path) -> Any:
    library = _opencv()
    try:
        found = library.FaceRecognizerSF.create(str(file), "")
        found.feature(np.zeros((SIDE, SIDE, 3), np.uint8))
    except library.error as error:
        raise _foreign("recogniser", file, "SFace", error) from None
    return found


def _foreign(role: str, file: Path, network: str, error: Exception) -> OptionError:
    said = str(getattr(error, "err", "") or error).strip().splitlines()
    why = said[0].lstrip("> ") if said else "no reason given"
    return OptionError(f"The '{role}' must be an ONNX file of {network} that OpenCV can run. Got {file}: {why}")


def _opencv() -> Any:
    try:
        import cv2
    except ModuleNotFoundError:
        raise MissingExtraError("opencv-python-headless", extra="faces") from None
    return cv2
