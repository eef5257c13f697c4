"""Any Python function as an encoder of sounds, so also your own fine-tuned model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardneg.encode._base import SoundEncoder
from hardneg.encode._called import CalledEncoder
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.sounds import RATE, wave

__all__ = ["SoundFunction"]


@dataclass(frozen=True)
class SoundFunction(CalledEncoder, SoundEncoder):
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

    def _facts(self) -> list[object]:
        return [self.rate]

    def _decoded(self, inputs: list[Any]) -> list[Any]:
        return each(lambda one: wave(one, self.rate), inputs)
