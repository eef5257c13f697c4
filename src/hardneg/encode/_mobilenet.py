"""MobileNetV2 (Sandler and others, CVPR 2018), its convolutions named as in the usual files of its weights."""

from __future__ import annotations

from typing import Any

from hardneg.encode._network import torch_library

__all__ = ["mobilenet_v2"]

# How much a block widens, how many numbers a pixel it gives, how many blocks, the step of the first (table 2).
_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_FIRST, _LAST = 32, 1280


def mobilenet_v2() -> Any:
    """The network up to its last pixels: from ``(n, 3, 224, 224)`` to ``(n, 1280, 7, 7)``. Weights are random."""
    nn = torch_library().nn
    layers, width = [_convolution(3, _FIRST, kernel=3, stride=2)], _FIRST
    for widen, given, times, stride in _BLOCKS:
        for number in range(times):
            layers.append(_block(width, given, stride if number == 0 else 1, widen))
            width = given
    layers.append(_convolution(width, _LAST, kernel=1))
    return nn.ModuleDict({"features": nn.Sequential(*layers)})


def _convolution(taken: int, given: int, kernel: int, stride: int = 1, groups: int = 1) -> Any:
    nn = torch_library().nn
    return nn.Sequential(
        nn.Conv2d(taken, given, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(given),
        nn.ReLU6(),
    )


def _block(taken: int, given: int, stride: int, widen: int) -> Any:
    """An inverted residual: widen, look at each channel by itself, narrow; added to what came in where shapes agree."""
    nn, wide = torch_library().nn, taken * widen
    parts = [_convolution(taken, wide, kernel=1)] if widen > 1 else []
    parts += [_convolution(wide, wide, kernel=3, stride=stride, groups=wide)]
    parts += [nn.Conv2d(wide, given, 1, bias=False), nn.BatchNorm2d(given)]
    adds = stride == 1 and taken == given

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        """Made here, because the base class is there only once torch is."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Sequential(*parts)

        def forward(self, pixels: Any) -> Any:
            return pixels + self.conv(pixels) if adds else self.conv(pixels)

    return Block()
