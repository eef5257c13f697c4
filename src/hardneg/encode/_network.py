"""What encoders by a torch network share: loaded once, moved to its device, known by its weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, get_args

from hardneg.encode._base import NOUNS, MediaEncoder
from hardneg.encode._identity import fingerprint, tensor_parts
from hardneg.encode._models import Precision
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.notation import require
from hardneg.similarity import FloatArray

__all__ = ["Network", "TorchEncoder", "as_rows", "best_device", "module_parts", "torch_library"]


@dataclass(frozen=True)
class Network:
    """A network ready for use.

    Attributes:
        module: The ``torch.nn.Module``, whose weights the identity hashes.
        prepare: From one input, decoded, to a tensor.
        forward: From a batch of these, all of one shape, to vectors of shape ``(batch, d)``.
        facts: All else that decides a vector: the preparation, the pooling.
        scale: How finely inputs are decoded: of images the shorter side that ``prepare`` resizes to, of sounds the
            samples a second.
    """

    module: Any
    prepare: Callable[[Any], Any]
    forward: Callable[[Any], Any]
    facts: object
    scale: int


class TorchEncoder(MediaEncoder):
    """An encoder around a network. Subclasses are frozen dataclasses with these three options, and ``_load``."""

    extra: ClassVar[str]

    batch_size: int
    precision: Precision
    device: str | None

    def __post_init__(self) -> None:
        require(self.batch_size > 0, "batch_size", "a whole number above 0", self.batch_size)
        precisions = get_args(Precision)
        require(self.precision in precisions, "precision", f"one of {', '.join(precisions)}", self.precision)

    @abstractmethod
    def _load(self) -> Network:
        """The network, loaded; called once."""

    @cached_property
    def _network(self) -> Network:
        torch, network = torch_library(self.extra), self._load()
        try:
            network.module.to(best_device(self.device), getattr(torch, self.precision)).eval()
        except (RuntimeError, AssertionError) as error:  # torch raises either for a device that is not there
            raise OptionError(f"The 'device' must be one that this machine has. Got {self.device}: {error}") from None
        return network

    @cached_property
    def identity(self) -> str:
        """A hash of weights, structure, preparation, pooling and precision; never of a path."""
        network = self._network
        return fingerprint(self.name, self.precision, network.facts, network.scale, *module_parts(network.module))

    @property
    def chunk(self) -> int:
        """Eight batches: little is lost when stopped."""
        return 8 * self.batch_size

    def _through(self, tensors: Sequence[Any]) -> FloatArray:
        """The vectors of a batch of prepared inputs, shape ``(len(tensors), d)``."""
        torch, network = torch_library(self.extra), self._network
        weight = next(network.module.parameters())
        with torch.inference_mode():
            vectors = network.forward(torch.stack(list(tensors)).to(weight.device, weight.dtype))
        return as_rows(vectors, len(tensors), f"The model of '{self.name}'", NOUNS[self.modality])


def as_rows(vectors: Any, count: int, who: str, kind: str) -> FloatArray:
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
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
