"""Every negative between two distances, for each positive: counted first, then listed, or some of them drawn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online.miners._base import Batch, Block, Indices, Miner, joined
from hardneg.online.miners._positives import Order, listed, ordered

__all__ = ["Window"]


@dataclass(frozen=True)
class Window(Miner):
    """All triplets whose negative lies in a window of distances that depends on the positive.

    There may be ``B^3`` of them, so they are counted before any is listed. Where there are more than ``budget``, so
    many are drawn without replacement, each as likely as any other.
    """

    draws: ClassVar[bool] = True

    budget: int | None = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.budget is None or self.budget >= 1, "budget", "at least 1", self.budget)

    @abstractmethod
    def bounds(self, to_positive: Tensor) -> tuple[Tensor, Tensor]:
        """A negative is chosen if ``low < d(a, n) <= high``; both never fall as the distance to the positive rises."""

    def mine(self, batch: Batch) -> Indices:
        """Count, choose which, and list them in order of anchors, positives and distances."""
        if self.budget is None:
            return super().mine(batch)
        many = torch.stack([self._places(block)[0].sum() for block in batch.blocks(self.chunk_mib)]).tolist()
        if sum(many) <= self.budget:
            return super().mine(batch)
        chosen = _some(sum(many), self.budget, batch.seed)
        parts, before = [], 0
        for block, here in zip(batch.blocks(self.chunk_mib), many, strict=True):
            first, last = torch.searchsorted(
                chosen, torch.tensor([before, before + here], device=chosen.device)
            ).tolist()
            parts.append(self._listed(block, chosen[first:last] - before))
            before += here
        return joined(parts)

    def choose(self, block: Block) -> Indices:
        """All triplets of a block."""
        return self._listed(block, None)

    def count(self, block: Block) -> tuple[Tensor, Tensor]:
        """All triplets counted, whatever the budget: the dense form does not list them."""
        order, inf = ordered(block), torch.inf
        low, high = _between(order, *self.bounds(block.distances))
        positives = torch.where(block.positive, high - low, 0)
        near = torch.where(block.positive, block.distances, inf).sort(dim=1).values
        lows, highs = self.bounds(near)  # they rise too, so the positives whose window holds a negative stand together
        many, far = block.positive.sum(1, keepdim=True), block.distances.contiguous()
        above, below = torch.searchsorted(lows, far), torch.searchsorted(highs, far)
        negatives = torch.where(block.negative, (torch.minimum(above, many) - torch.minimum(below, many)), 0)
        return positives.to(far.dtype), negatives.to(far.dtype)

    def _places(self, block: Block) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """How many negatives each positive has, shape ``(b, K)``; the first one's place; both sides' columns."""
        columns, there = listed(block.positive)
        order = ordered(block)
        low, high = _between(order, *self.bounds(block.distances.gather(1, columns)))
        return torch.where(there, high - low, 0), low, columns, order.columns

    def _listed(self, block: Block, chosen: Tensor | None) -> Indices:
        """The triplets of a block; of these numbers, counted from its first, where some are chosen."""
        many, low, p, n = self._places(block)
        width = many.shape[1]
        many, low, p = many.flatten(), low.flatten(), p.flatten()
        ends = many.cumsum(0)
        if chosen is None:
            pair = torch.repeat_interleave(torch.arange(len(many), device=many.device), many)
            chosen = torch.arange(len(pair), device=many.device)
        else:
            pair = torch.searchsorted(ends, chosen, right=True)
        rows = pair // width if width else pair
        place = low[pair] + chosen - (ends - many)[pair]
        return rows + block.start, p[pair], n[rows, place]


def _between(order: Order, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the first negative above ``low``, and of the first above ``high``."""
    found = [torch.searchsorted(order.distances, one.contiguous(), right=True) for one in (low, high)]
    first, last = (torch.minimum(one, order.many) for one in found)
    return first, torch.maximum(first, last)


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
