"""Random numbers by counter on any device: what is drawn for a pair does not depend on the chunk it is in."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["draw", "new_seed", "uniform"]

_STEPS = 40  # weights are whole numbers of 2^-40 of the largest: sums are exact, so the order of adding is no matter


def new_seed(generator: torch.Generator | None, device: torch.device) -> Tensor:
    """One number from the generator; of None from PyTorch's own, which ``torch.manual_seed`` sets."""
    where = generator.device if generator is not None else None
    return torch.randint(2**62, (), generator=generator, device=where).to(device)


def uniform(seed: Tensor, stream: int, rows: Tensor, columns: Tensor) -> Tensor:
    """Numbers in (0, 1), float64, the same as :func:`hardneg.random.uniform` with these counters (SplitMix64).

    >>> from hardneg import random
    >>> import numpy as np
    >>> mine = uniform(torch.tensor(3), 1, torch.tensor(4), torch.tensor(5))
    >>> float(mine) == random.uniform(3, np.array(1), np.array(4), np.array(5)).item()
    True
    """
    state = _mix(_mix(seed + _GOLDEN) ^ _signed((stream + _GOLDEN) * _SPREAD % 2**64))
    for counter in (rows, columns):
        state = _mix(state ^ ((counter + _GOLDEN) * _SPREAD))
    return _shifted(state, 12).double() * 2.0**-52 + 2.0**-53


def draw(log_weights: Tensor, at: Tensor) -> Tensor:
    """For each number in (0, 1) a column drawn with these weights, -1 where all are 0; with replacement.

    Weights below 2^-40 of a row's largest count as 0.

    Args:
        log_weights: -inf for never, shape ``(b, M)``.
        at: shape ``(b, K)``.

    >>> draw(torch.tensor([[0.0, -torch.inf, 0.0]]), torch.tensor([[0.4, 0.6]], dtype=torch.float64)).tolist()
    [[0, 2]]
    """
    highest = log_weights.max(1, keepdim=True).values
    some = highest > -torch.inf
    weights = torch.exp((log_weights - torch.where(some, highest, 0)).double())
    ends = (weights * 2.0**_STEPS).long().cumsum(1)
    total = ends[:, -1:]
    places = torch.minimum((at * total).long(), total - 1)
    return torch.where(some, torch.searchsorted(ends, places, right=True), -1)


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


_GOLDEN, _SPREAD = _signed(0x9E3779B97F4A7C15), _signed(0xD6E8FEB86659FD93)


def _mix(x: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (Steele 2014); products wrap around."""
    x = (x ^ _shifted(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, by: int) -> Tensor:
    """A shift to the right that brings in zeros."""
    return (x >> by) & ((1 << (64 - by)) - 1)
