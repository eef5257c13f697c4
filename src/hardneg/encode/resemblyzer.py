"""Resemblyzer's voice encoder, with weights that come inside its package: who speaks, without a download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.carried import carried
from hardneg.encode._hearing import TorchSounds, at_least
from hardneg.encode._mel import mel_power
from hardneg.encode._models import Precision
from hardneg.encode._network import Network, torch_library
from hardneg.errors import OptionError

__all__ = ["Resemblyzer", "beginnings"]

_RATE, _SIZE, _HOP, _BANDS = 16_000, 400, 160, 40
_FRAMES, _STEP = 160, 77  # windows of 1.6 s, 1.3 a second
_COVERED = 0.75  # a last window with less sound than this is left out
_WIDTH, _LAYERS = 256, 3
_BESIDES = "Then run: pip install --no-deps Resemblyzer (only the weights in it are used)."


@dataclass(frozen=True)
class Resemblyzer(TorchSounds):
    """A voice as 256 numbers of length 1: three LSTM layers trained to tell speakers apart (GE2E, Wan et al. 2018).

    The same as ``VoiceEncoder.embed_utterance`` of the package Resemblyzer 0.1.4 on 16,000 samples a second: the mean
    over windows of 1.6 s. Neither its change of volume nor its cutting of silences is done; the network hears how
    loud a sound is, so record alike or bring volumes together.

    On 600 spoken digits of 6 speakers (Free Spoken Digit Dataset) the nearest sound has the same speaker for 0.99,
    among the other nine digits for 0.96, and the same digit for 0.87, among the other five speakers for 0.26. So it
    hears the voice, not the word: for speakers take this.

    Raises MissingExtraError without torch or the package.

    >>> str(Resemblyzer())
    'resemblyzer'
    """

    name: ClassVar[str] = "resemblyzer"
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"

    def _load(self) -> Network:
        torch = torch_library("speech")
        module = torch.nn.ModuleDict(
            {
                "lstm": torch.nn.LSTM(_BANDS, _WIDTH, _LAYERS, batch_first=True),
                "linear": torch.nn.Linear(_WIDTH, _WIDTH),
            }
        )
        module.load_state_dict(_weights(set(module.state_dict())))
        facts = ["mel of librosa", _SIZE, _HOP, _FRAMES, _STEP, _COVERED]
        return Network(module, _windows, lambda batch: _voices(module, batch), facts, _RATE)


def _weights(names: set[str]) -> dict[str, Any]:
    torch, file = torch_library("speech"), carried("resemblyzer", "pretrained.pt", "speech", _BESIDES)
    found = torch.load(file, map_location="cpu", weights_only=True)["model_state"]
    if not names <= set(found):
        raise OptionError("The package Resemblyzer holds other weights than 0.1.4. Run: pip install Resemblyzer==0.1.4")
    return {name: found[name] for name in names}


def _windows(samples: NDArray[np.float32]) -> Any:
    """The mel power of each window, shape ``(windows, 160, 40)``. Its logarithm is not taken."""
    first = beginnings(len(samples))
    padded = at_least(samples, (first[-1] + _FRAMES) * _HOP)
    power = mel_power(padded, _RATE, _SIZE, _HOP, _BANDS).astype(np.float32)
    return torch_library("speech").from_numpy(np.stack([power[at : at + _FRAMES] for at in first]))


def beginnings(samples: int) -> list[int]:
    """The first frame of each window over so many samples, as ``VoiceEncoder.compute_partial_slices`` has them.

    >>> beginnings(5000), beginnings(60_000)
    ([0], [0, 77, 154, 231])
    """
    frames = (samples + _HOP) // _HOP  # of samples + 1, rounded up
    first = list(range(0, max(1, frames - _FRAMES + _STEP + 1), _STEP))
    covered = (samples - first[-1] * _HOP) / (_FRAMES * _HOP)
    return first[:-1] if covered < _COVERED and len(first) > 1 else first


def _voices(module: Any, batch: Any) -> Any:
    """From ``(n, windows, 160, 40)`` to the direction of the mean over the windows, each of length 1."""
    functional = torch_library("speech").nn.functional
    _, (hidden, _) = module["lstm"](batch.flatten(0, 1))
    voices = functional.normalize(functional.relu(module["linear"](hidden[-1])))
    return functional.normalize(voices.reshape(*batch.shape[:2], -1).mean(1))
