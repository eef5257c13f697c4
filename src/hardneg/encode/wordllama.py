"""WordLlama: static token vectors that come inside a package. No torch, no download, a few thousand texts a second."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from hardneg.encode._base import Encoder, Role
from hardneg.encode._identity import fingerprint, tokenizer_rules
from hardneg.notation import require
from hardneg.similarity import FloatArray

__all__ = ["WordLlama"]

_DIMS = (64, 128, 256)


@dataclass(frozen=True)
class WordLlama(Encoder):
    """The mean of a text's token vectors (github.com/dleemiller/WordLlama, MIT), ``dim`` numbers a text.

    Smaller ``dim`` takes the leading numbers of the 256. A text without a token, such as the empty one, gives a
    zero vector. A vector never depends on the texts encoded with it, to the last bit.

    Raises OptionError for another ``dim``.

    >>> WordLlama().encode(["a red fox", ""], "item").shape
    (2, 256)
    >>> str(WordLlama(dim=64))
    'wordllama(dim=64)'
    """

    name: ClassVar[str] = "wordllama"
    dim: int = 256

    def __post_init__(self) -> None:
        require(self.dim in _DIMS, "dim", f"one of {', '.join(map(str, _DIMS))}", self.dim)

    @cached_property
    def _model(self) -> Any:
        with _root_logger_kept():
            import wordllama
        model = wordllama.WordLlama.load(
            cache_dir=Path(wordllama.__file__).parent,
            dim=max(_DIMS),
            trunc_dim=None if self.dim == max(_DIMS) else self.dim,
            disable_download=True,
        )
        model.tokenizer.no_padding()
        return model

    @cached_property
    def identity(self) -> str:
        """A hash of the token vectors and the tokenizer's rules."""
        return fingerprint("wordllama", self._model.embedding, tokenizer_rules(self._model.tokenizer))

    def key(self, role: Role) -> str:  # noqa: ARG002
        """The identity alone: anchors and items are encoded alike."""
        return self.identity

    def encode(self, texts: Sequence[str], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(texts), dim)``, float32; the mean is taken in float64, text by text."""
        tokens = self._model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        table = self._model.embedding
        vectors = np.zeros((len(tokens), self.dim), np.float32)
        for row, encoding in enumerate(tokens):
            # The package clips ids that its table lacks; so do we, to give the same vectors.
            if ids := encoding.ids:
                vectors[row] = table.take(ids, axis=0, mode="clip").mean(axis=0, dtype=np.float64)
        return vectors


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Importing wordllama sets up the root logger for the whole program; put it back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
