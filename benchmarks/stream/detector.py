"""A small keyword detector: openWakeWord's speech embedding and a network with one hidden layer on it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.stream.data import RATE, Stream

__all__ = ["HOP", "WINDOW", "Network", "features", "train", "windows_at"]

WINDOW, HOP = 0.79, 0.2
Array = NDArray[np.float32]


@cache
def _models() -> tuple[Any, Any]:
    import onnxruntime

    folder = Path(str(find_spec("openwakeword").submodule_search_locations[0])) / "resources" / "models"  # type: ignore
    names = ("melspectrogram.onnx", "embedding_model.onnx")
    return tuple(onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"]) for name in names)  # type: ignore


def features(windows: Array) -> Array:
    """The speech embedding of each window, shape ``(n, 96)``; its 76 frames fill a window."""
    mel, embedding = _models()
    found = [np.zeros((0, 96), np.float32)]
    for at in range(0, len(windows), 64):
        frames = mel.run(None, {"input": np.rint(windows[at : at + 64] * 32_767)})[0].reshape(-1, 76, 32, 1) / 10 + 2
        found.append(embedding.run(None, {"input_1": frames})[0].reshape(-1, 96))
    return np.concatenate(found)


def windows_at(stream: Stream, starts: NDArray[np.float64]) -> Array:
    """Windows that begin at these seconds, shape ``(n, samples)``."""
    first = np.rint(np.clip(starts, 0, len(stream.samples) / RATE - WINDOW) * RATE).astype(np.int64)
    return stream.samples[first[:, None] + np.arange(round(WINDOW * RATE))]


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network; as a function it takes windows and gives the log-odds of the keyword."""

    model: Any
    mean: Array
    scale: Array

    def of(self, found: Array) -> Array:
        """Log-odds from features."""
        logs = self.model.predict_log_proba((found - self.mean) / self.scale)
        return np.asarray((logs[:, 1] - logs[:, 0]).clip(-50, 50), np.float32)

    def __call__(self, windows: Array) -> Array:
        """Log-odds from windows."""
        return self.of(features(windows))


def train(positive: Array, negative: Array, seed: int) -> Network:
    """A network on the features of windows with the keyword and without."""
    from sklearn.neural_network import MLPClassifier

    found = np.concatenate([positive, negative])
    labels = np.repeat([1, 0], [len(positive), len(negative)])
    mean, scale = found.mean(axis=0), found.std(axis=0) + 1e-3
    model = MLPClassifier((48,), alpha=1e-2, batch_size=128, max_iter=40, random_state=seed, n_iter_no_change=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is stopped before it has converged, on purpose
        model.fit((found - mean) / scale, labels)
    return Network(model, mean, scale)
