"""Any Python function or torch module as an encoder of images, so also your own fine-tuned model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._callables import Called, as_array, wants_role
from hardneg.encode._identity import fingerprint
from hardneg.encode._prepare import Prepare
from hardneg.encode._vision import module_parts
from hardneg.errors import InputError
from hardneg.images import Picture, rgb
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray

__all__ = ["ImageFunction"]


@dataclass(frozen=True)
class ImageFunction(Called, ImageEncoder):
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

    @property
    def identity(self) -> str:
        """A hash of the target and the version, with the weights of a module; empty without a version."""
        if not self.version:
            return ""
        weights = [self.size, *module_parts(self._function)] if _is_module(self._function) else []
        return fingerprint("image function", self.target, self.version, *weights)

    def key(self, role: Role) -> str:
        """The identity, with the role for a function that asks for it."""
        return f"{self.identity}:{role}" if self.identity and wants_role(self._function) else self.identity

    @property
    def chunk(self) -> int:
        """One batch, so that an error costs one call at most."""
        return self.batch_size

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32.

        Raises InputError where the function does not return one row for each image.
        """
        batches = [inputs[at : at + self.batch_size] for at in range(0, len(inputs), self.batch_size)]
        return np.concatenate([self._batch(batch, role) for batch in batches]) if batches else np.empty((0, 0), "f4")

    def _batch(self, pictures: Sequence[Picture], role: Role) -> FloatArray:
        who, given = f"The function '{self.target}'", {}
        images: Any = each(rgb, pictures)
        if _is_module(self._function):
            rows = as_array(_through(self._function, images, self.size), who)
        else:
            given = {"role": role} if wants_role(self._function) else {}
            rows = as_array(self._function(images, **given), who)
        if rows.ndim != 2 or len(rows) != len(pictures):
            raise InputError(
                f"{who} must return {len(pictures)} rows of numbers for {len(pictures)} images. Got {rows.shape}."
            )
        return np.asarray(rows, np.float32)


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
