"""What encoders of images by a torch network share: pictures decoded on threads, a batch at a time through it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np

from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._identity import fingerprint, tensor_parts
from hardneg.encode._models import Precision
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.images import Picture, rgb
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray

__all__ = ["TorchImages", "Vision", "best_device", "module_parts", "torch_library"]


@dataclass(frozen=True)
class Vision:
    """A network ready for use.

    Attributes:
        module: The ``torch.nn.Module``, whose weights the identity hashes.
        prepare: From an upright RGB image to a tensor of shape ``(3, height, width)``.
        forward: From a batch of these to vectors of shape ``(batch, d)``.
        facts: All else that decides a vector: the preparation, the pooling.
        side: The shorter side that ``prepare`` resizes to; a large JPEG is decoded at no less than twice that.
    """

    module: Any
    prepare: Callable[[Any], Any]
    forward: Callable[[Any], Any]
    facts: object
    side: int


class TorchImages(ImageEncoder):
    """An encoder around a network. Subclasses are frozen dataclasses with these three options, and ``_load``."""

    batch_size: int
    precision: Precision
    device: str | None

    def __post_init__(self) -> None:
        require(self.batch_size > 0, "batch_size", "a whole number above 0", self.batch_size)
        precisions = get_args(Precision)
        require(self.precision in precisions, "precision", f"one of {', '.join(precisions)}", self.precision)

    @abstractmethod
    def _load(self) -> Vision:
        """The network, loaded; called once."""

    @cached_property
    def _vision(self) -> Vision:
        torch, vision = torch_library(), self._load()
        try:
            vision.module.to(best_device(self.device), getattr(torch, self.precision)).eval()
        except (RuntimeError, AssertionError) as error:  # torch raises either for a device that is not there
            raise OptionError(f"The 'device' must be one that this machine has. Got {self.device}: {error}") from None
        return vision

    @cached_property
    def identity(self) -> str:
        """A hash of weights, structure, preparation, pooling and precision; never of a path."""
        vision = self._vision
        return fingerprint(self.name, self.precision, vision.facts, vision.side, *module_parts(vision.module))

    @property
    def chunk(self) -> int:
        """Eight batches: little is lost when stopped."""
        return 8 * self.batch_size

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), d)``, float32."""
        batches = [inputs[at : at + self.batch_size] for at in range(0, len(inputs), self.batch_size)]
        return np.concatenate([self._batch(batch) for batch in batches]) if batches else np.zeros((0, 0), np.float32)

    def _batch(self, pictures: Sequence[Picture]) -> FloatArray:
        torch, vision = torch_library(), self._vision
        tensors = each(lambda picture: vision.prepare(rgb(picture, box=2 * vision.side)), pictures)
        weight = next(vision.module.parameters())
        with torch.inference_mode():
            vectors = vision.forward(torch.stack(tensors).to(weight.device, weight.dtype))
        return as_rows(vectors, len(pictures), f"The model of '{self.name}'")


def as_rows(vectors: Any, count: int, who: str, kind: str = "image") -> FloatArray:
    """A tensor of shape ``(count, d)``, or with sides of 1 after that, as float32."""
    found: FloatArray = vectors.detach().float().cpu().numpy()
    if found.ndim > 2 and found.shape[2:] == (1,) * (found.ndim - 2):
        found = found.reshape(found.shape[:2])
    if found.ndim != 2 or len(found) != count:
        raise InputError(f"{who} must give one vector for each of {count} {kind}s. Got shape {found.shape}.")
    return found


def module_parts(module: Any) -> list[object]:
    """The structure and the weights of a ``torch.nn.Module``, ready for fingerprint."""
    parts: list[object] = [type(module).__qualname__, repr(module)]
    for name, tensor in sorted(module.state_dict().items()):
        parts += [name, *tensor_parts(tensor)]
    return parts


def torch_library(extra: str = "vision") -> Any:
    """The package torch, imported on first use.

    Raises MissingExtraError where it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingExtraError("torch", extra=extra) from None
    return torch


def best_device(wanted: str | None) -> str:
    """The device asked for, else a graphics card where there is one."""
    if wanted is not None:
        return wanted
    torch = torch_library()
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
