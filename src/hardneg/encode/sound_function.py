"""Any Python function as an encoder of sounds, so also your own fine-tuned model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.encode._base import Role, SoundEncoder
from hardneg.encode._callables import Called, as_array, wants_role
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray
from hardneg.sounds import RATE, Sound, wave

__all__ = ["SoundFunction"]


@dataclass(frozen=True)
class SoundFunction(Called, SoundEncoder):
    """Calls ``function(waves)``, or ``function(waves, role=...)`` if it has a parameter of that name.

    The function gets a list of at most ``batch_size`` arrays of shape ``(samples,)``, float32, one channel of ``rate``
    samples a second, each as long as its sound, and returns one row of numbers for each: lists, an array or a tensor.
    Name it as ``module:function`` or ``file.py:function``, or give it as ``call``.

    What a function computes cannot be read from outside, so its vectors are cached only under a ``version``, which
    you change whenever the function or the model behind it changes.

    >>> from hardneg.testing._sounds import sounds
    >>> lengths = SoundFunction(call=lambda waves: [[len(wave), 1] for wave in waves])
    >>> lengths.encode(sounds()[:2], "item").tolist()
    [[11200.0, 1.0], [8000.0, 1.0]]
    """

    name = "sound_function"
    rate: int = RATE

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.rate > 0, "rate", "samples a second, above 0", self.rate)

    @property
    def identity(self) -> str:
        """A hash of the target, the version and the rate; empty without a version."""
        return fingerprint("sound function", self.target, self.version, self.rate) if self.version else ""

    def key(self, role: Role) -> str:
        """The identity, with the role for a function that asks for it."""
        return f"{self.identity}:{role}" if self.identity and wants_role(self._function) else self.identity

    @property
    def chunk(self) -> int:
        """One batch, so that an error costs one call at most."""
        return self.batch_size

    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32.

        Raises InputError where the function does not return one row for each sound.
        """
        batches = [inputs[at : at + self.batch_size] for at in range(0, len(inputs), self.batch_size)]
        return np.concatenate([self._batch(batch, role) for batch in batches]) if batches else np.empty((0, 0), "f4")

    def _batch(self, sounds: Sequence[Sound], role: Role) -> FloatArray:
        who, given = f"The function '{self.target}'", {"role": role} if wants_role(self._function) else {}
        rows = as_array(self._function(each(lambda one: wave(one, self.rate), sounds), **given), who)
        if rows.ndim != 2 or len(rows) != len(sounds):
            raise InputError(
                f"{who} must return {len(sounds)} rows of numbers for {len(sounds)} sounds. Got {rows.shape}."
            )
        return np.asarray(rows, np.float32)
