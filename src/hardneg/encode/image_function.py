"""Any Python function or torch module as an encoder of images, so also your own fine-tuned model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._called import CalledEncoder
from hardneg.encode._network import module_parts
from hardneg.encode._prepare import Prepare
from hardneg.images import rgb
from hardneg.notation import require
from hardneg.parallel import each

__all__ = ["ImageFunction"]


@dataclass(frozen=True)
class ImageFunction(CalledEncoder, ImageEncoder):
    """Calls ``function(images)``, or ``function(images, role=...)`` if it has a parameter of that name.

    The function gets a list of at most ``batch_size`` upright PIL images in RGB and returns one row of numbers for
    each: lists, an array or a tensor. Name it as ``module:function`` or ``file.py:function``, or give it as ``call``.

    A ``torch.nn.Module`` may stand in its place. It is called in evaluation mode, without gradients, where its
    weights are, with a float tensor of shape ``(batch, 3, size, size)``: the shorter side brought to ``size * 8 / 7``
    (256 for 224), the middle cut out, counted from the mean of ImageNet in its standard deviations. For any other
    preparation write a function.

    What a function computes cannot be read from outside, so its vectors are cached only under a ``version``, which
    you change whenever the function or the model behind it changes. Changed weights of a module are seen.

    >>> import io
    >>> from PIL import Image
    >>> saved = io.BytesIO()
    >>> Image.new("RGB", (40, 30)).save(saved, "png")
    >>> ImageFunction(call=lambda images: [image.size for image in images]).encode([saved.getvalue()], "item").tolist()
    [[40.0, 30.0]]
    """

    name = "image_function"
    size: int = 224

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.size > 0, "size", "a whole number above 0", self.size)

    def _facts(self) -> list[object]:
        return [self.size, *module_parts(self._function)] if _is_module(self._function) else []

    def _decoded(self, inputs: list[Any]) -> list[Any]:
        return each(rgb, inputs)

    def _answer(self, decoded: list[Any], role: Role) -> Any:
        if _is_module(self._function):
            return _through(self._function, decoded, self.size)
        return super()._answer(decoded, role)


def _is_module(function: Any) -> bool:
    torch = sys.modules.get("torch")  # nobody holds a module of a package that is not loaded
    return torch is not None and isinstance(function, torch.nn.Module)


def _through(module: Any, images: Sequence[Any], size: int) -> Any:
    import torch

    prepare, weight = Prepare(size, size * 8 // 7), next(module.parameters(), torch.zeros(1))
    training = module.training
    try:
        with torch.inference_mode():
            batch = torch.stack([prepare(image) for image in images]).to(weight.device, weight.dtype)
            return module.eval()(batch)
    finally:
        module.train(training)
