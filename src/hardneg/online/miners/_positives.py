"""The positives of each anchor as columns, and the negatives in order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hardneg.online.miners._base import Block

__all__ = ["Columns", "Order", "by_distance", "every", "listed", "ordered"]


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
    far, many = block.to_negatives, block.negative.sum(1, keepdim=True)
    if _by_numpy(far):
        keys = np.sort(_packed(far).numpy(), axis=1)
        found = torch.from_numpy(keys)
        return Order(_unpacked(found), found & _COLUMN, many)
    found, columns = torch.sort(far, dim=1, stable=True)
    return Order(found, columns, many)


def by_distance(block: Block) -> Tensor:
    """The distances to each anchor's negatives alone, rising, then inf, shape ``(b, M)``."""
    far = block.to_negatives
    return torch.from_numpy(np.sort(far.numpy(), axis=1)) if _by_numpy(far) else far.sort(dim=1).values


# NumPy sorts numbers several times as fast as PyTorch does on a processor, but has no fast stable sort: so a distance
# and its column are put into one number, the distance in front.
_COLUMN = 2**32 - 1


def _by_numpy(values: Tensor) -> bool:
    return values.device.type == "cpu" and values.dtype == torch.float32 and not torch.compiler.is_compiling()


def _packed(values: Tensor) -> Tensor:
    bits = (values + 0.0).view(torch.int32)  # 0 of one sign only
    rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    return (rising.long() << 32) | torch.arange(values.shape[1])


def _unpacked(keys: Tensor) -> Tensor:
    rising = (keys >> 32).int()
    return torch.where(rising < 0, rising ^ 0x7FFFFFFF, rising).view(torch.float32)
