"""The optimiser of the probes: Adam, with a rate that falls to nought along a half cosine."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hardneg.similarity import FloatArray

__all__ = ["Adam"]

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8


@dataclass
class Adam:
    """Changes weights in place, a gradient at a time (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).

    Args:
        weights: what is learnt, any shape.
        rate: the rate of the first step; it falls to 0 along a half cosine (Loshchilov & Hutter 2017,
            arXiv:1608.03983) at the last.
        steps: how many steps there will be.

    >>> learnt = np.array([3.0], np.float32)
    >>> adam = Adam(learnt, rate=0.5, steps=200)
    >>> for _ in range(200):
    ...     adam.step(2 * learnt)
    >>> abs(float(learnt[0])) < 0.01
    True
    """

    weights: FloatArray
    rate: float
    steps: int
    done: int = 0
    first: FloatArray = field(init=False)
    second: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = np.zeros_like(self.weights), np.zeros_like(self.weights)

    def step(self, gradient: FloatArray) -> None:
        """Take the next step down the gradient, which has the shape of the weights."""
        rate = self.rate * 0.5 * (1 + np.cos(np.pi * self.done / self.steps))
        self.done += 1
        self.first += (1 - _FIRST) * (gradient - self.first)
        self.second += (1 - _SECOND) * (gradient * gradient - self.second)
        mean, size = self.first / (1 - _FIRST**self.done), self.second / (1 - _SECOND**self.done)
        self.weights -= np.float32(rate) * mean / (np.sqrt(size) + np.float32(_TINY))
