"""The batches of all processes as one, in the order of their ranks, with the gradients that one process would have.

**Scaling.** Backwards, the gradients that all processes have for a row are added up and go to the process it came from.
``DistributedDataParallel`` then takes the mean over the processes, and what comes out is the gradient of one process on
the joined batch, where

- every process computes the same loss of all rows: nothing is to be scaled;
- every process computes a mean over its own anchors against all rows: multiply it by :attr:`Joined.share`, which
  is 1 where all batches are equally large.

A gather that carries no gradients back to other processes would need the loss multiplied by their number instead.

Batches may be of any size, also empty, but every process must take part in the forward and in the backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from hardneg.errors import InputError

__all__ = ["Joined", "device_of_group", "from_first", "gather", "place"]


def place() -> tuple[int, int]:
    """The number of this process and how many there are: ``(0, 1)`` where ``torch.distributed`` does not run.

    >>> place()
    (0, 1)
    """
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


@dataclass(frozen=True, eq=False)
class Joined:
    """What all processes gathered, the rows of process 0 first.

    Args:
        embeddings: shape ``(N, d)``, of the N rows of all processes; gradients flow back through them.
        labels: their labels, shape ``(N, ...)``; None where none were given.
        ids: likewise.
        counts: how many rows each process brought.
        rank: the number of this process.
    """

    embeddings: torch.Tensor
    labels: torch.Tensor | None
    ids: torch.Tensor | None
    counts: tuple[int, ...]
    rank: int

    @property
    def own(self) -> slice:
        """Where the rows of this process stand."""
        start = sum(self.counts[: self.rank])
        return slice(start, start + self.counts[self.rank])

    @property
    def share(self) -> float:
        """What to multiply a mean over this process's own anchors by: processes x own rows / all rows."""
        return len(self.counts) * self.counts[self.rank] / max(1, sum(self.counts))


def gather(embeddings: torch.Tensor, labels: torch.Tensor | None = None, ids: torch.Tensor | None = None) -> Joined:
    """The embeddings, labels and ids of all processes in the order of their ranks.

    Without ``torch.distributed`` it is what came in.

    Args:
        embeddings: shape ``(n, d)``; ``n`` may differ from process to process, ``d`` may not.
        labels: one for each row, shape ``(n, ...)``, in all processes or in none.
        ids: likewise, shape ``(n,)``.

    Raises InputError, in every process, for embeddings that differ in width or labels that do not fit.

    >>> joined = gather(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
    >>> joined.counts, joined.own, joined.share
    ((3,), slice(0, 3, None), 1.0)
    """
    rank, world = place()
    given = [one for one in (labels, ids) if one is not None]
    fits = embeddings.ndim == 2 and all(len(one) == len(embeddings) for one in given)
    if world == 1:
        _check(fits, embeddings, given)
        return Joined(embeddings, labels, ids, (len(embeddings),), 0)
    # One small exchange first: a process that raised alone would leave the others waiting.
    facts = [int(fits), len(embeddings), embeddings.shape[-1], int(labels is not None), int(ids is not None)]
    mine = torch.tensor(facts, device=embeddings.device)
    seen = torch.empty(world, len(facts), dtype=mine.dtype, device=mine.device)
    distributed.all_gather(list(seen.unbind()), mine)
    table: list[list[int]] = seen.tolist()
    _check(fits, embeddings, given)
    if not all(row[0] for row in table) or len({tuple(row[2:]) for row in table}) > 1:
        told = "; ".join(f"process {at}: width {row[2]}, labels {row[3]}, ids {row[4]}" for at, row in enumerate(table))
        raise InputError(
            f"The processes brought batches that do not go together ({told}).",
            remedy="Give all of them embeddings of one width, and labels and ids to all or to none.",
        )
    counts = tuple(row[1] for row in table)
    return Joined(
        _AllRows.apply(embeddings, counts, rank),
        None if labels is None else _all_rows(labels, counts),
        None if ids is None else _all_rows(ids, counts),
        counts,
        rank,
    )


def from_first(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor of process 0, in every process; all bring one of the same shape and type, which is written over."""
    if place()[1] > 1:
        distributed.broadcast(tensor, 0)
    return tensor


def device_of_group() -> str:
    """Where tensors must be that the processes exchange: NCCL moves none of the CPU."""
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"


def _check(fits: bool, embeddings: torch.Tensor, given: list[torch.Tensor]) -> None:
    if not fits:
        shapes = ", ".join(str(tuple(one.shape)) for one in given)
        raise InputError(
            f"The embeddings must have shape (n, d), and labels and ids n rows. "
            f"Got {tuple(embeddings.shape)} and {shapes or 'no labels'}."
        )


def _all_rows(rows: torch.Tensor, counts: tuple[int, ...]) -> torch.Tensor:
    """All rows. Every process sends as many as the longest has; what is only there to fill up is cut off again."""
    most = max(counts)
    sent = rows.new_zeros((most, *rows.shape[1:]))
    sent[: len(rows)] = rows.detach()
    parts = [torch.empty_like(sent) for _ in counts]
    distributed.all_gather(parts, sent)
    return torch.cat([part[:count] for part, count in zip(parts, counts, strict=True)])


class _AllRows(torch.autograd.Function):  # type: ignore[misc]
    """All rows, and back to each process the sum of what all processes have for its own."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, counts: tuple[int, ...], rank: int) -> torch.Tensor:
        ctx.start, ctx.count = sum(counts[:rank]), counts[rank]
        return _all_rows(rows, counts)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(gradient)
        return gradient[ctx.start : ctx.start + ctx.count], None, None
