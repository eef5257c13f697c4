"""Any Python function as an encoder, so also any model behind an API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.encode._base import Encoder, Role
from hardneg.encode._callables import Called, as_array, wants_role
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.similarity import FloatArray

__all__ = ["Function"]


@dataclass(frozen=True)
class Function(Called, Encoder):
    """Calls ``function(texts)``, or ``function(texts, role=...)`` if it has a parameter of that name.

    The function gets a list of at most ``batch_size`` texts and returns one row of numbers for each: lists, an
    array or a tensor. Name it as ``module:function`` or ``file.py:function``, or give it as ``call``.

    What a function computes cannot be read from outside, so its vectors are cached only under a ``version``, which
    you change whenever the function or the model behind it changes. With a version, a run that was stopped goes on
    after the last batch that it kept.

    >>> lengths = Function(call=lambda texts: [[len(text), 1] for text in texts])
    >>> lengths.encode(["a", "abc"], "item").tolist()
    [[1.0, 1.0], [3.0, 1.0]]
    """

    @property
    def identity(self) -> str:
        """A hash of the target and the version; empty without a version."""
        return fingerprint("function", self.target, self.version) if self.version else ""

    def key(self, role: Role) -> str:
        """The identity, with the role for a function that asks for it."""
        return f"{self.identity}:{role}" if self.identity and wants_role(self._function) else self.identity

    def encode(self, texts: Sequence[str], role: Role) -> FloatArray:
        """Vectors of shape ``(len(texts), d)``, float32.

        Raises InputError where the function does not return one row for each text.
        """
        batches = [list(texts[at : at + self.batch_size]) for at in range(0, len(texts), self.batch_size)]
        return np.concatenate([self._batch(batch, role) for batch in batches]) if batches else np.empty((0, 0), "f4")

    def _batch(self, texts: list[str], role: Role) -> FloatArray:
        who = f"The function '{self.target}'"
        given = {"role": role} if wants_role(self._function) else {}
        rows = as_array(self._function(texts, **given), who)
        if rows.ndim != 2 or len(rows) != len(texts):
            raise InputError(
                f"{who} must return {len(texts)} rows of numbers for {len(texts)} texts. Got {rows.shape}."
            )
        return np.asarray(rows, np.float32)
