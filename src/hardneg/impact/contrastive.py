"""The head of the probe for retrieval and verification: one linear layer on frozen vectors, taught by contrast.

    z(x)  = u / |u|  with  u = x + x A,  A = 0 at the beginning
    loss  = - log( e^(z_a z_p / t) / sum e^(z_a z / t) ),  z over the batch's positives and the anchor's own negatives

InfoNCE (van den Oord 2018, arXiv:1807.03748) with the positives of the others in the batch as negatives, but for those
that are the anchor's own, and with the negatives that an arm gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.ragged import BoolArray
from hardneg.similarity import FloatArray

__all__ = ["Batch", "loss_and_gradient", "projected"]


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step sees: vectors, and which anchors may not have which positives of the others as negatives.

    Args:
        anchors: shape ``(b, d)``.
        positives: shape ``(b, d)``.
        negatives: shape ``(b, n, d)``; ``n`` is 0 without mining.
        hidden: shape ``(b, b)``: the positives of the batch that are no negatives of the anchor; never its own one.
    """

    anchors: FloatArray
    positives: FloatArray
    negatives: FloatArray
    hidden: BoolArray


def projected(vectors: FloatArray, layer: FloatArray) -> FloatArray:
    """``u / |u|`` with ``u = x + x A``, shape ``(n, d)``; what has no length stays as it is.

    >>> projected(np.array([[3.0, 4.0]], np.float32), np.zeros((2, 2), np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    return _normalised(vectors + vectors @ layer)[0]


def loss_and_gradient(batch: Batch, layer: FloatArray, temperature: float) -> tuple[float, FloatArray]:
    """The mean loss of a batch, and its gradient by the layer, shape ``(d, d)``."""
    (b, d), n = batch.anchors.shape, batch.negatives.shape[1]
    every = np.concatenate([batch.anchors, batch.positives, batch.negatives.reshape(b * n, d)])
    z, length = _normalised(every + every @ layer)
    a, p, neg = z[:b], z[b : 2 * b], z[2 * b :].reshape(b, n, d)
    own = np.einsum("bd,bnd->bn", a, neg)
    logits = np.concatenate([np.where(batch.hidden, -np.inf, a @ p.T), own], axis=1) / np.float32(temperature)
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    right = share[np.arange(b), np.arange(b)].copy()
    share[np.arange(b), np.arange(b)] -= 1
    share /= np.float32(b * temperature)
    among, mine = share[:, :b], share[:, b:]
    by_z = np.concatenate(
        [
            among @ p + np.einsum("bn,bnd->bd", mine, neg),
            among.T @ a,
            (mine[:, :, None] * a[:, None, :]).reshape(b * n, d),
        ]
    )
    by_u = (by_z - z * np.einsum("ij,ij->i", z, by_z)[:, None]) / length
    return float(-np.log(np.maximum(right, 1e-30)).mean()), every.T @ by_u


def _normalised(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    length = np.where(length > 0, length, 1).astype(np.float32)
    return rows / length, length
