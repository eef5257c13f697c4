"""The positives of each anchor as columns, and the negatives in order."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from hardneg.online.miners._base import Block

__all__ = ["Columns", "Order", "every", "listed", "ordered"]


class Columns(NamedTuple):
    """Columns of references, and which of them are meant; both of shape ``(b, K)``."""

    columns: Tensor
    there: Tensor


class Order(NamedTuple):
    """An anchor's negatives, nearest first, then inf.

    ``distances`` and their ``columns`` have shape ``(b, M)``, ``many`` (how many there are) shape ``(b, 1)``.
    """

    distances: Tensor
    columns: Tensor
    many: Tensor


def listed(mask: Tensor) -> Columns:
    """The columns of each row that are True, rising, filled up to the longest row.

    >>> listed(torch.tensor([[True, False, True], [False, True, False]]))
    Columns(columns=tensor([[0, 2], [1, 0]]), there=tensor([[ True, True], [ True, False]]))
    """
    rows, columns = torch.nonzero(mask, as_tuple=True)
    many = torch.bincount(rows, minlength=len(mask))
    longest = int(many.max()) if len(rows) else 0
    place = torch.arange(len(rows), device=mask.device) - (many.cumsum(0) - many)[rows]
    out = torch.zeros(len(mask), longest, dtype=torch.int64, device=mask.device)
    out[rows, place] = columns
    return Columns(out, torch.arange(longest, device=mask.device) < many[:, None])


def every(mask: Tensor) -> Columns:
    """The same with a shape that is known beforehand: all columns, and which of them are True."""
    return Columns(torch.arange(mask.shape[1], device=mask.device).expand(mask.shape), mask)


def ordered(block: Block) -> Order:
    """The negatives of each anchor by distance; of equal ones the first reference stands first."""
    found, columns = torch.sort(block.to_negatives, dim=1, stable=True)
    return Order(found, columns, block.negative.sum(1, keepdim=True))
