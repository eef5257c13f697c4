"""The head of the probe for classification: softmax regression on frozen vectors, a batch at a time."""

from __future__ import annotations

import numpy as np

from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["gradient", "logits"]


def logits(vectors: FloatArray, layer: FloatArray) -> FloatArray:
    """``x W + b``, shape ``(n, classes)``; the last row of the layer is ``b``."""
    return np.asarray(vectors @ layer[:-1] + layer[-1], np.float32)


def gradient(vectors: FloatArray, codes: IntArray, layer: FloatArray, decay: float) -> FloatArray:
    """The gradient of the mean cross-entropy plus ``decay / 2`` times the squared weights (not those of ``b``)."""
    found = logits(vectors, layer)
    share = np.exp(found - found.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    share[np.arange(len(codes)), codes] -= 1
    share /= np.float32(len(codes))
    out = np.concatenate([vectors.T @ share, share.sum(axis=0, keepdims=True)])
    out[:-1] += np.float32(decay) * layer[:-1]
    return np.asarray(out, np.float32)
