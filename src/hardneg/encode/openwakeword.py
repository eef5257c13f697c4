"""The speech embedding of openWakeWord, with models that come inside its package: how it sounds, without a download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hardneg.carried import carried
from hardneg.encode._base import Role, SoundEncoder
from hardneg.encode._identity import fingerprint
from hardneg.errors import MissingExtraError
from hardneg.parallel import each
from hardneg.similarity import FloatArray
from hardneg.sounds import Sound, wave

__all__ = ["OpenWakeWord"]

_RATE, _HOP, _BANDS, _DIMS = 16_000, 160, 32, 96
_FRAMES, _STEP = 76, 8  # windows of 0.775 s, one every 80 ms
_SHORTEST = (_FRAMES + 3) * _HOP  # the models make 3 frames fewer than there are hops
_AROUND = 4800  # silence on either side, 0.3 s
_WINDOWS = 256  # through the network at a time


@dataclass(frozen=True)
class OpenWakeWord(SoundEncoder):
    """Google's speech embedding (Lin et al. 2020), trained to tell keywords apart: 192 numbers.

    The models of the package openwakeword 0.4.0 (mel spectrogram, embedding) run in onnxruntime on windows of 0.775 s,
    one every 80 ms; the vector is the mean of their 96 numbers and the standard deviation. Each sound is put between
    silences of 0.3 s at least: with all of the silence after it, words are told apart far worse.

    On 600 spoken digits of 6 speakers (Free Spoken Digit Dataset) the nearest sound is the same digit for 0.98, among
    the other five speakers for 0.94, and the same speaker for 0.85, among the other digits for 0.27. So it hears the
    word, not the voice: for keywords take this.

    Raises MissingExtraError without onnxruntime or the package.

    >>> str(OpenWakeWord())
    'openwakeword'
    """

    name: ClassVar[str] = "openwakeword"

    @property
    def identity(self) -> str:
        """A hash of both models and of what is done around them (its version)."""
        return fingerprint("openwakeword", 1, *(path.read_bytes() for path in _files()))

    @cached_property
    def _sessions(self) -> list[Any]:
        library = _onnxruntime()
        options = library.SessionOptions()
        # Sounds run beside one another; threads within one would only get in their way.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return [library.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]) for path in _files()]

    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), 192)``, float32, on several threads."""
        if not len(inputs):
            return np.zeros((0, 2 * _DIMS), np.float32)
        _ = self._sessions  # loaded once, before the threads begin
        return np.stack(each(self._one, inputs))

    def _one(self, sound: Sound) -> NDArray[np.float32]:
        mel, embedding = self._sessions
        # The values of 16-bit numbers, which the models were made for.
        samples = np.rint(np.clip(_within_silence(wave(sound, _RATE)), -1, 1) * 32_767)
        # The scale that the embedding was trained with (openwakeword.utils).
        frames = mel.run(None, {"input": samples[None]})[0].reshape(-1, _BANDS) / 10 + 2
        windows = np.lib.stride_tricks.sliding_window_view(frames, _FRAMES, axis=0)[::_STEP].transpose(0, 2, 1)
        parts = [windows[at : at + _WINDOWS, ..., None] for at in range(0, len(windows), _WINDOWS)]
        found = [embedding.run(None, {"input_1": np.ascontiguousarray(part)})[0].reshape(-1, _DIMS) for part in parts]
        told = np.concatenate(found).astype(np.float64)
        return np.concatenate([told.mean(axis=0), told.std(axis=0)]).astype(np.float32)


def _within_silence(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """As the models met words in training: with silence before and after, at least one window in all."""
    return np.pad(samples, max(_AROUND, -(-(_SHORTEST - len(samples)) // 2)))


def _files() -> list[Path]:
    names = ("melspectrogram.onnx", "embedding_model.onnx")
    return [carried("openwakeword", f"resources/models/{name}", "speech") for name in names]


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="speech") from None
    return onnxruntime
