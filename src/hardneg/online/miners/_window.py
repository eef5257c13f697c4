"""Every negative between two distances, for each positive: counted first, then listed, or some of them drawn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online.miners._base import Batch, Block, Indices, Miner
from hardneg.online.miners._positives import by_distance, listed, ordered

__all__ = ["Window"]


@dataclass(frozen=True)
class Window(Miner):
    """All triplets whose negative lies in a window of distances that depends on the positive.

    There may be ``B^3`` of them, so they are counted before any is listed. Where there are more than ``budget``, so
    many are drawn without replacement, each as likely as any other.
    """

    draws: ClassVar[bool] = True

    _: KW_ONLY
    budget: int | None = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.budget is None or self.budget >= 1, "budget", "at least 1", self.budget)

    @abstractmethod
    def bounds(self, to_positive: Tensor) -> tuple[Tensor, Tensor]:
        """A negative is chosen if ``low < d(a, n) <= high``; both never fall as the distance to the positive rises."""

    def mine(self, batch: Batch) -> Indices:
        """Count, choose which, and list them in order of anchors, positives and distances."""
        mib = max(1, self.chunk_mib // 4)  # the rest is for the triplets of a block, which may be many
        many = [self._many(block) for block in batch.blocks(mib)]
        total = sum(many)
        chosen = _some(total, self.budget, batch.seed) if self.budget is not None and total > self.budget else None
        out = torch.empty(3, total if chosen is None else len(chosen), dtype=torch.int64, device=batch.left.device)
        before = filled = 0
        for block, here in zip(batch.blocks(mib), many, strict=True):
            part = None if chosen is None else _within(chosen, before, here)
            found = self._listed(block, part)
            for row, values in zip(out, found, strict=True):
                row[filled : filled + len(values)] = values
            before, filled = before + here, filled + len(found[0])
        anchors, positives, negatives = out
        return anchors, positives, negatives

    def choose(self, block: Block) -> Indices:
        """All triplets of a block."""
        return self._listed(block, None)

    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """All triplets counted, whatever the budget: the dense form does not list them."""
        bounds = self.bounds(block.distances)
        low, high = _between(by_distance(block), block.negative.sum(1, keepdim=True), *bounds)
        positives = torch.where(block.positive, high - low, 0)
        near = torch.where(block.positive, block.distances, torch.inf).sort(dim=1).values
        lows, highs = self.bounds(near)  # they rise too, so the positives whose window holds a negative stand together
        many, far = block.positive.sum(1, keepdim=True), block.distances.contiguous()
        above, below = torch.searchsorted(lows, far), torch.searchsorted(highs, far)
        negatives = torch.where(block.negative, (torch.minimum(above, many) - torch.minimum(below, many)), 0)
        return positives.to(far.dtype), negatives.to(far.dtype)

    def _many(self, block: Block) -> int:
        """How many triplets a block has."""
        columns, there = listed(block.positive)
        far, many = by_distance(block), block.negative.sum(1, keepdim=True)
        low, high = _between(far, many, *self.bounds(block.distances.gather(1, columns)))
        return int(((high - low) * there).sum())

    def _listed(self, block: Block, chosen: Tensor | None) -> Indices:
        """The triplets of a block; of these numbers, counted from its first, where some are chosen."""
        columns, there = listed(block.positive)
        order = ordered(block)
        low, high = _between(order.distances, order.many, *self.bounds(block.distances.gather(1, columns)))
        rows, place = torch.nonzero(there & (high > low), as_tuple=True)  # positive pairs with triplets
        low, many = low[rows, place], (high - low)[rows, place]
        before = many.cumsum(0) - many
        if chosen is None:
            pair = torch.repeat_interleave(torch.arange(len(many), device=many.device), many)
            chosen = torch.arange(len(pair), device=many.device)
        else:
            pair = torch.searchsorted(before, chosen, right=True) - 1
        first = rows * order.columns.shape[1] + low - before
        n = order.columns.flatten().index_select(0, chosen + first.index_select(0, pair))
        return (rows + block.start).index_select(0, pair), columns[rows, place].index_select(0, pair), n


def _between(far: Tensor, many: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the first negative above ``low``, and of the first above ``high``, among ``far``, which rises."""
    found = [torch.searchsorted(far, one.contiguous(), right=True) for one in (low, high)]
    first, last = (torch.minimum(one, many) for one in found)
    return first, torch.maximum(first, last)


def _within(chosen: Tensor, start: int, many: int) -> Tensor:
    """Those of some rising numbers that are among ``many`` from ``start`` on, counted from there."""
    ends = torch.tensor([start, start + many], device=chosen.device)
    first, last = torch.searchsorted(chosen, ends).tolist()
    return chosen[first:last] - start


def _some(total: int, many: int, seed: Tensor | None) -> Tensor:
    """``many`` different numbers below ``total``, rising, each set of them as likely as any other.

    Numbers are drawn until enough differ, which needs memory for them alone; of a small total all are shuffled.
    """
    assert seed is not None  # noqa: S101 - windows draw
    source = torch.Generator(seed.device).manual_seed(int(seed))
    if total <= 4 * many:
        return torch.randperm(total, generator=source, device=seed.device)[:many].sort().values
    found = torch.empty(0, dtype=torch.int64, device=seed.device)
    while len(found) < many:
        more = torch.randint(total, (many - len(found) + many // 4,), generator=source, device=seed.device)
        found = torch.unique(torch.cat([found, more]))
    spare = torch.randperm(len(found), generator=source, device=seed.device)[:many]
    return found[spare].sort().values
