"""A model in training as an encoder: what it says now, never what it said before."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hardneg.encode import EmbeddingCache, Function, ImageFunction, Modality, SoundFunction
from hardneg.encode._called import CalledEncoder
from hardneg.encode._identity import fingerprint, model_parts
from hardneg.encode._keys import Keys
from hardneg.encode._shards import Shards, matches
from hardneg.similarity import FloatArray

__all__ = ["LatestVectors", "Live", "evaluating"]

Encode = Callable[[Any, list[Any], str], Any]

_STEPS: dict[Modality, Any] = {"text": Function, "image": ImageFunction, "audio": SoundFunction}


def sentences(model: Any, texts: list[str], role: str) -> Any:
    """Vectors of texts by a sentence-transformers model, with its own prompts for queries and documents."""
    encode = model.encode_query if role == "anchor" else model.encode_document
    return encode(texts, convert_to_tensor=True, show_progress_bar=False)


class Live:
    """A model that is being trained, and how it encodes.

    It is called in evaluation mode and without gradients; afterwards each of its modules is in the mode it was in.

    Args:
        model: the bare model, not wrapped for several processes; one of sentence-transformers needs nothing else.
        encode: called with the model, a list of texts (or images, or sounds) and ``anchor`` or ``item``; gives one row
            a text: a tensor or an array.
        modality: what it reads: text, image or audio.
        batch_size: how many it is given at once.

    >>> net = nn.Linear(1, 2)
    >>> live = Live(net, lambda model, texts, role: model(torch.tensor([[float(len(one))] for one in texts])))
    >>> live.encoder().encode(["a", "bcd"], "item").shape, net.training
    ((2, 2), True)
    """

    def __init__(
        self, model: nn.Module, encode: Encode = sentences, *, modality: Modality = "text", batch_size: int = 128
    ) -> None:  # fmt: skip
        self.model, self._encode, self.modality, self.batch_size = model, encode, modality, batch_size

    def version(self) -> str:
        """A hash of the weights and the structure: another one after each step that changed anything."""
        return fingerprint(*model_parts(self.model))

    def encoder(self) -> CalledEncoder:
        """The model as it is now, as an encoder of hardneg. Encode before the next step changes it."""

        def call(inputs: list[Any], role: str) -> NDArray[np.generic]:
            with evaluating(self.model):
                found = self._encode(self.model, inputs, role)
            if isinstance(found, torch.Tensor):
                return np.asarray(found.detach().float().cpu().numpy())
            return np.asarray(found)

        encoder: CalledEncoder = _STEPS[self.modality](call=call, version=self.version(), batch_size=self.batch_size)
        return encoder

    def copied(self, device: torch.device | str) -> Live:
        """The same on another device, which the training does not change."""
        model = copy.deepcopy(self.model).to(device)
        return Live(model, self._encode, modality=self.modality, batch_size=self.batch_size)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients; afterwards each module is in the mode it was in."""
    modes = [(one, one.training) for one in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for one, mode in modes:
            one.training = mode


@dataclass(frozen=True)
class LatestVectors(EmbeddingCache):
    """Vectors of one set of weights, in memory: while these stay, only what is new is encoded.

    With other weights all that was held is out of date, and gone.
    """

    folder: Path = Path()
    held: dict[str, _Rows] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)

    def of(self, version: str) -> LatestVectors:
        """The cache, emptied if its vectors are of other weights."""
        if self.versions != [version]:
            self.held.clear()
            self.versions[:] = [version]
        return self

    def shards(self, key: str) -> Shards | None:
        """What is held of an encoder and a role."""
        return self.held.setdefault(key, _Rows())


class _Rows(Shards):
    """Rows in memory, found as those on disk are."""

    def __init__(self) -> None:
        self._keys: Keys = np.zeros((0, 2), np.uint64)
        self._values: FloatArray = np.zeros((0, 0), np.float32)

    def read(self, keys: Keys) -> tuple[Any, NDArray[np.bool_]]:
        """See :meth:`Shards.read`."""
        rows, places = matches(keys, np.argsort(keys[:, 0], kind="stable"), self._keys)
        values = np.zeros((len(keys), self._values.shape[1] if len(rows) else 0), np.float32)
        found = np.zeros(len(keys), bool)
        values[rows], found[rows] = self._values[places], True
        return values, found

    def write(self, keys: Keys, values: FloatArray) -> None:
        """Hold more rows."""
        before = self._values if len(self._keys) else values[:0]
        self._keys, self._values = np.concatenate([self._keys, keys]), np.concatenate([before, values])
