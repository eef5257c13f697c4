"""Negatives that nobody has: mixtures of hard ones, made where the embedding has become easy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hardneg.notation import require
from hardneg.online._draws import new_seed, uniform

__all__ = ["MoCHi"]


@dataclass(frozen=True)
class MoCHi:
    """Mixtures of an anchor's hardest negatives with one another, and with the anchor itself.

    Two of each anchor's ``hardest`` negatives, ``x1`` and ``x2``, are drawn for each mixture ``a x1 + (1 - a) x2`` with
    ``a`` in (0, 1), and one for each mixture with the anchor, ``b q + (1 - b) x1`` with ``b`` in (0, 0.5), so that the
    negative outweighs the anchor. All have length 1. Kalantidis, Sariyildiz, Pion, Weinzaepfel & Larlus 2020, arXiv
    2010.01028, equations 4 and 5. They start late: hard mixtures of an embedding that knows nothing yet hurt.

    Args:
        hardest: how many negatives are mixed.
        mixed: how many mixtures of two negatives an anchor gets.
        with_anchor: how many mixtures with itself.
        start: the first epoch, from 0, that has any.
        generator: what is drawn depends on it alone; PyTorch's own if not given.

    >>> mix = MoCHi(hardest=2, mixed=3, with_anchor=1, start=1)
    >>> x = torch.eye(4)
    >>> mix(x[:2], x, ~torch.eye(2, 4, dtype=torch.bool), epoch=1).shape, mix(x[:2], x, epoch=0).shape
    (torch.Size([2, 4, 4]), torch.Size([2, 0, 4]))
    """

    hardest: int = 1024
    mixed: int = 1024
    with_anchor: int = 128
    start: int = 10
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        require(self.hardest >= 1, "hardest", "at least 1", self.hardest)
        require(self.mixed >= 0, "mixed", "at least 0", self.mixed)
        require(self.with_anchor >= 0, "with_anchor", "at least 0", self.with_anchor)
        require(self.start >= 0, "start", "at least 0", self.start)

    def __call__(self, anchors: Tensor, negatives: Tensor, allowed: Tensor | None = None, *, epoch: int) -> Tensor:
        """The mixtures of each anchor, without gradient, shape ``(B, mixed + with_anchor, D)``.

        Before ``start`` there are none, so of shape ``(B, 0, D)``. Mixtures of an anchor without a negative are 0.

        Args:
            anchors: shape ``(B, D)``.
            negatives: what is mixed, shape ``(M, D)``; a batch's references or a memory.
            allowed: which are negatives of which anchor, bool, shape ``(B, M)``; all if not given.
            epoch: from 0.
        """
        many = self.mixed + self.with_anchor
        with torch.no_grad():
            if epoch < self.start or many == 0 or 0 in (len(anchors), len(negatives)):
                return anchors.new_zeros(len(anchors), 0, anchors.shape[1])
            q, x = (torch.nn.functional.normalize(one.detach(), dim=1) for one in (anchors, negatives))
            score = q @ x.T
            score = score if allowed is None else torch.where(allowed, score, -torch.inf)
            best, columns = torch.sort(score, dim=1, descending=True, stable=True)
            some = (best[:, : self.hardest] > -torch.inf).sum(1, keepdim=True)
            seed = new_seed(self.generator, q.device)
            rows, places = torch.arange(len(q), device=q.device)[:, None], torch.arange(many, device=q.device)
            first, second, share = (uniform(seed, stream, rows, places) for stream in range(3))
            left, right = (x[columns.gather(1, _place(one, some))] for one in (first, second))
            other = torch.cat([right[:, : self.mixed], q[:, None].expand(-1, self.with_anchor, -1)], 1)
            of_anchor = torch.arange(many, device=q.device) >= self.mixed
            weight = torch.where(of_anchor, share / 2, share).to(q.dtype)[:, :, None]
            out = torch.nn.functional.normalize(weight * other + (1 - weight) * left, dim=2)
            return torch.where((some > 0)[:, :, None], out, 0.0)


def _place(at: Tensor, many: Tensor) -> Tensor:
    """A place below ``many`` for each number in (0, 1)."""
    return torch.minimum((at * many).long(), (many - 1).clamp(min=0))
