"""From an image to the numbers that networks of ImageNet expect, with Pillow alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "Prepare"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Prepare:
    """Resize the shorter side, keep the middle, count from the mean in standard deviations.

    >>> from PIL import Image
    >>> Prepare(size=8, resize=10).array(Image.new("RGB", (40, 20))).shape
    (3, 8, 8)
    """

    size: int = 224
    resize: int = 256
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"

    def array(self, image: Image) -> NDArray[np.float32]:
        """The image as float32 of shape ``(3, size, size)``."""
        from PIL.Image import Resampling

        # The shorter side exactly, the longer rounded down, as torchvision's Resize does.
        short = min(image.size)
        width, height = (max(self.size, self.resize * side // short) for side in image.size)
        resized = image.resize((width, height), Resampling[self.interpolation.upper()])
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        middle = resized.crop((left, top, left + self.size, top + self.size))
        mean, deviation = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (np.asarray(middle, np.float32) / np.float32(255) - mean) / deviation
        return np.ascontiguousarray(values.transpose(2, 0, 1))

    def __call__(self, image: Image) -> Any:
        """The same as a torch tensor."""
        import torch

        return torch.from_numpy(self.array(image))

    @property
    def facts(self) -> dict[str, object]:
        """What goes into an encoder's identity."""
        return asdict(self)
