"""Any picture that is open -> upright red, green and blue, 8 bits each; whatever the file kept its colours as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["orientation", "size_upright", "to_rgb", "upright"]

_WHITE = (255, 255, 255, 255)
_SIDEWAYS = 5  # from this EXIF orientation on, rows and columns change places


def orientation(image: Image) -> int:
    """The EXIF orientation, 1 to 8; 1, which is upright, where there is none or it cannot be read."""
    try:
        found = image.getexif().get(0x0112, 1)
    except Exception:  # what cameras and editors leave behind breaks in many ways; the picture itself is sound
        return 1
    return found if found in range(1, 9) else 1


def upright(image: Image, turned: int) -> Image:
    """The picture as it should be seen, given its EXIF orientation (Exif 2.3, tag 0x0112)."""
    from PIL.Image import Transpose

    ways = [
        None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
    ]  # fmt: skip
    way = ways[turned - 1]
    return image if way is None else image.transpose(way)


def size_upright(size: tuple[int, int], turned: int) -> tuple[int, int]:
    """Width and height as seen.

    >>> size_upright((640, 480), 6)
    (480, 640)
    """
    return (size[1], size[0]) if turned >= _SIDEWAYS else size


def to_rgb(image: Image) -> Image:
    """The colours as RGB, transparent parts on white, more than 8 bits scaled down.

    Whole numbers of up to 16 bits keep their full range (65535 is white). Numbers with a fraction are read as 0 to 1
    where all lie there, as 0 to 255 where all lie there, else from their smallest to their largest.

    >>> from PIL import Image
    >>> to_rgb(Image.new("LA", (1, 1), (0, 51))).getpixel((0, 0))
    (204, 204, 204)
    """
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image), image.mode)).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _WHITE), seen).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(values: NDArray[np.generic], mode: str) -> NDArray[np.uint8]:
    """Numbers of more than 8 bits as 8; what is no number is black."""
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    elif low >= 0:
        limits = (1.0, 255.0) if mode == "F" else (255.0, 65535.0)
        high = next((limit for limit in limits if high <= limit), high)
        low = 0.0 if high in limits else low
    scaled = (numbers - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(scaled).astype(np.uint8)


def _from_lab(image: Image) -> Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")  # type: ignore[return-value]
