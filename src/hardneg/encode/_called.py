"""What encoders by a function of the user's share: the batches, the role, the form of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hardneg.encode._base import NOUNS, Encoder, Role
from hardneg.encode._callables import Called, as_array, wants_role
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.similarity import FloatArray

__all__ = ["CalledEncoder"]


class CalledEncoder(Called, Encoder):
    """Calls ``function(inputs)``, or ``function(inputs, role=...)`` if it has a parameter of that name."""

    @property
    def identity(self) -> str:
        """A hash of the target, the version and all else that decides a vector; empty without a version."""
        if not self.version:
            return ""
        return fingerprint(self.name.replace("_", " "), self.target, self.version, *self._facts())

    def key(self, role: Role) -> str:
        """The identity, with the role for a function that asks for it."""
        return f"{self.identity}:{role}" if self.identity and wants_role(self._function) else self.identity

    def encode(self, inputs: Sequence[Any], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32.

        Raises InputError where the function does not return one row for each input.
        """
        batches = [list(inputs[at : at + self.batch_size]) for at in range(0, len(inputs), self.batch_size)]
        return np.concatenate([self._batch(batch, role) for batch in batches]) if batches else np.empty((0, 0), "f4")

    def _facts(self) -> list[object]:
        """What besides the function and its version decides a vector."""
        return []

    def _decoded(self, inputs: list[Any]) -> list[Any]:
        """What the function gets."""
        return inputs

    def _answer(self, decoded: list[Any], role: Role) -> Any:
        return self._function(decoded, **({"role": role} if wants_role(self._function) else {}))

    def _batch(self, inputs: list[Any], role: Role) -> FloatArray:
        who, kind = f"The function '{self.target}'", NOUNS[self.modality]
        rows = as_array(self._answer(self._decoded(inputs), role), who)
        if rows.ndim != 2 or len(rows) != len(inputs):
            raise InputError(
                f"{who} must return {len(inputs)} rows of numbers for {len(inputs)} {kind}s. Got {rows.shape}."
            )
        return np.asarray(rows, np.float32)
