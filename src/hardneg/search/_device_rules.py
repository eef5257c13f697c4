"""Constraints on a device (PyTorch): what may not be returned gets a product of minus infinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.ragged import IntArray, Ragged
from hardneg.search._base import Constraints, Unlike

__all__ = ["Rules"]

Tensor = Any
_OUT = float("-inf")


@dataclass(frozen=True, eq=False)
class Rules:
    """The constraints, with what concerns the items on the device."""

    constraints: Constraints
    device: Any
    barred: tuple[IntArray, Tensor]
    codes: list[_Numbers | _Lists]

    @classmethod
    def of(cls, constraints: Constraints, device: Any) -> Rules:
        """Send the items' side to the device."""
        barred = np.flatnonzero(constraints.barred)
        codes = [_Numbers.of(one, device) or _Lists.of(one, device) for one in constraints.unlike]
        return cls(constraints, device, (barred, _send(barred, device)), codes)

    def __call__(self, rows: IntArray) -> _Rule:
        """The rules for some anchors."""
        excluded = self.constraints.excluded.take(rows)
        order = np.argsort(excluded.values, kind="stable")
        items = excluded.values[order]
        pairs = items, _send(excluded.rows()[order], self.device), _send(items, self.device)
        return _Rule(self, pairs, [one.anchors(rows) for one in self.codes])


@dataclass(frozen=True, eq=False)
class _Rule:
    rules: Rules
    excluded: tuple[IntArray, Tensor, Tensor]
    codes: list[Any]

    def __call__(self, products: Tensor, start: int) -> None:
        """Rule out in the products of the anchors with the items from ``start`` on, in place."""
        stop = start + products.shape[1]
        barred, there = self.rules.barred
        if (here := _between(barred, start, stop)).stop > here.start:
            products.index_fill_(1, there[here] - start, _OUT)
        items, at, columns = self.excluded
        if (here := _between(items, start, stop)).stop > here.start:
            products[at[here], columns[here] - start] = _OUT
        for one, mine in zip(self.rules.codes, self.codes, strict=True):
            one.rule_out(products, mine, start, stop)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """One code for each side: every anchor's is compared with every item's."""

    mine: IntArray
    theirs: Tensor

    @classmethod
    def of(cls, codes: Unlike, device: Any) -> _Numbers | None:
        if isinstance(codes.anchors, Ragged) or isinstance(codes.items, Ragged):
            return None
        return cls(codes.anchors, _send(codes.items, device))

    def anchors(self, rows: IntArray) -> Tensor:
        mine = self.mine[rows]
        return _send(np.where(mine < 0, -2, mine), self.theirs.device)  # -2, so that no code is unlike no code

    def rule_out(self, products: Tensor, mine: Tensor, start: int, stop: int) -> None:
        products.masked_fill_(mine[:, None] == self.theirs[start:stop], _OUT)


@dataclass(frozen=True, eq=False)
class _Lists:
    """Several codes: for each code of an anchor, the items of a block that have it stand side by side in ``keys``.

    A key is ``place of the code x number of items + item``.
    """

    names: IntArray
    mine: Ragged
    keys: Tensor
    items: int

    @classmethod
    def of(cls, codes: Unlike, device: Any) -> _Lists:
        mine, theirs = codes.lists()
        names, place = np.unique(theirs.values, return_inverse=True)
        keys = np.sort(place.astype(np.int64) * len(theirs) + theirs.rows())
        return cls(names, mine, _send(keys, device), len(theirs))

    def anchors(self, rows: IntArray) -> tuple[Tensor, Tensor]:
        mine = self.mine.take(rows)
        known = np.isin(mine.values, self.names)
        base = np.searchsorted(self.names, mine.values[known]) * self.items
        return _send(mine.rows()[known], self.keys.device), _send(base, self.keys.device)

    def rule_out(self, products: Tensor, mine: tuple[Tensor, Tensor], start: int, stop: int) -> None:
        import torch

        at, base = mine
        first = torch.searchsorted(self.keys, base + start)
        counts = torch.searchsorted(self.keys, base + stop) - first
        shift = torch.repeat_interleave(first - (torch.cumsum(counts, 0) - counts), counts)
        found = self.keys[torch.arange(len(shift), device=shift.device) + shift]
        columns = found - torch.repeat_interleave(base, counts) - start
        products[torch.repeat_interleave(at, counts), columns] = _OUT


def _between(rising: IntArray, start: int, stop: int) -> slice:
    first, last = np.searchsorted(rising, (start, stop))
    return slice(int(first), int(last))


def _send(values: IntArray, device: Any) -> Tensor:
    import torch

    return torch.from_numpy(np.array(values, np.int64)).to(device)
