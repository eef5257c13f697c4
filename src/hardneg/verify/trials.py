"""Trials from labelled vectors, splits that keep people apart, and a check that they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged

__all__ = ["Leak", "Trials", "all_trials", "leaks", "sampled_trials", "split_apart"]


@dataclass(frozen=True, eq=False)
class Trials:
    """Pairs of rows to compare, each once, ``left[i] < right[i]``; ``target`` where both are of one identity."""

    left: IntArray
    right: IntArray
    target: BoolArray

    def __len__(self) -> int:
        return len(self.left)

    def across(self, sessions: IntArray) -> Trials:
        """Without the target trials of one session, which are too easy: the same light, the same microphone.

        ``sessions`` is one whole number for each row, -1 where it is not known.

        >>> all_trials(np.array([0, 0, 0])).across(np.array([1, 1, 2])).right.tolist()
        [2, 2]
        """
        same = (sessions[self.left] == sessions[self.right]) & (sessions[self.left] >= 0)
        return self.some(~(self.target & same))

    def some(self, which: BoolArray) -> Trials:
        """Those of a mask, in their order."""
        return Trials(self.left[which], self.right[which], self.target[which])


def all_trials(codes: IntArray) -> Trials:
    """Every pair of rows that have an identity: ``n * (n - 1) / 2`` trials, by left row, then right.

    ``codes`` is one whole number for each row, shape ``(n,)``, -1 for none.

    >>> pairs = all_trials(np.array([4, -1, 4, 7]))
    >>> pairs.left.tolist(), pairs.right.tolist(), pairs.target.tolist()
    ([0, 0, 2], [2, 3, 3], [True, False, False])
    """
    rows = np.flatnonzero(codes >= 0)
    first, second = np.triu_indices(len(rows), k=1)
    left, right = rows[first], rows[second]
    return Trials(left, right, codes[left] == codes[right])


def sampled_trials(codes: IntArray, *, targets: int, impostors: int, seed: int = 0) -> Trials:
    """So many trials of each kind, drawn evenly among all there are, none twice; all where there are no more.

    The memory grows with the trials asked for, not with those there are. Targets come first; each kind stands by left
    row, then right.

    Raises OptionError for a number below 0.

    >>> drawn = sampled_trials(np.repeat(np.arange(100), 5), targets=30, impostors=60)
    >>> len(drawn), int(drawn.target.sum())
    (90, 30)
    """
    require(targets >= 0, "targets", "at least 0", targets)
    require(impostors >= 0, "impostors", "at least 0", impostors)
    rows = np.flatnonzero(codes >= 0)
    kinds = _Kinds.of(codes[rows])
    left, right = zip(*(kinds.drawn(kind, n, seed) for kind, n in ((True, targets), (False, impostors))), strict=True)
    first, second = rows[np.concatenate(left)], rows[np.concatenate(right)]
    return Trials(first, second, codes[first] == codes[second])


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Rows sorted by identity: row ``order[i]`` is in a run of ``size[i]`` that begins at ``start[i]``."""

    order: IntArray
    start: IntArray
    size: IntArray

    @classmethod
    def of(cls, codes: IntArray) -> _Kinds:
        order = np.argsort(codes, kind="stable")
        _, start, place, size = np.unique(codes[order], return_index=True, return_inverse=True, return_counts=True)
        return cls(order, start[place], size[place])

    def drawn(self, target: bool, count: int, seed: int) -> tuple[IntArray, IntArray]:
        """``count`` different pairs of one kind. Each is there twice, once from each end, so all are as likely."""
        ends = np.cumsum(self.size - 1 if target else len(self.order) - self.size)
        there = int(ends[-1]) // 2 if len(ends) else 0
        if 2 * count >= there:  # few more than wanted: list them all and leave some out
            keys = np.unique(self._keys(np.arange(2 * there), ends, target))
            keep = np.argsort(random.uniform(seed, np.array([int(target)]), keys), kind="stable")[:count]
            return self._pairs(np.sort(keys[keep]))
        keys, asked = np.zeros(0, np.int64), 0
        while len(keys) < count:
            batch = np.arange(asked, asked + count)
            asked += count
            at = (random.uniform(seed, np.array([int(target)]), batch) * (2 * there)).astype(np.int64)
            fresh = np.concatenate([keys, self._keys(at, ends, target)])
            keys = fresh[np.sort(np.unique(fresh, return_index=True)[1])]
        return self._pairs(np.sort(keys[:count]))

    def _keys(self, at: IntArray, ends: IntArray, target: bool) -> IntArray:
        """The pair at each place of the list of all: by row, its partners in order, as one number."""
        row = np.searchsorted(ends, at, side="right")
        partner = at - np.append(0, ends)[row]
        start, size = self.start[row], self.size[row]
        if target:
            other = start + partner + (start + partner >= row)
        else:
            other = np.where(partner < start, partner, partner + size)
        one, two = self.order[row], self.order[other]
        return np.asarray(np.minimum(one, two) * len(self.order) + np.maximum(one, two), np.int64)

    def _pairs(self, keys: IntArray) -> tuple[IntArray, IntArray]:
        return keys // max(1, len(self.order)), keys % max(1, len(self.order))


def split_apart(groups: Sequence[IntArray], *, share: float, seed: int = 0) -> BoolArray:
    """Choose about ``share`` of the rows for one side so that no group is on both, shape ``(n,)``.

    Rows that share a value in any of the groups (a speaker, a session) stay together, and so do those that others join:
    two speakers of one session are one lot. Whole lots go to the side in an order drawn by ``seed`` as long as it does
    not get more than its share.

    Args:
        groups: one array each, shape ``(n,)``, of whole numbers, -1 for none.
        share: of the rows, above 0 and under 1.
        seed: draws the order.

    Raises InputError where all rows hang together, so that no split is possible.

    >>> split_apart([np.array([0, 0, 1, 1, 2, 2])], share=0.4, seed=1).tolist()
    [False, False, False, False, True, True]
    """
    require(0 < share < 1, "share", "above 0 and under 1", share)
    lots = _lots(groups)
    sizes = np.bincount(lots)
    if len(sizes) < 2:
        raise InputError(
            "All rows hang together by their groups, so they cannot be split.",
            remedy="Split by fewer groups, such as the identity alone.",
        )
    chosen, room = np.zeros(len(sizes), bool), share * len(lots)
    for lot in np.argsort(random.uniform(seed, np.arange(len(sizes))), kind="stable").tolist():
        if sizes[lot] <= room:
            chosen[lot], room = True, room - sizes[lot]
    if not chosen.any():  # every lot is larger than the share
        chosen[np.argmin(sizes)] = True
    return np.asarray(chosen[lots])


def _lots(groups: Sequence[IntArray]) -> IntArray:
    """The number of the lot of each row, by first appearance."""
    rows, values, width = [], [], 0
    for codes in groups:
        known = np.flatnonzero(codes >= 0)
        found, place = np.unique(codes[known], return_inverse=True)
        rows.append(known)
        values.append(place + width)
        width += len(found)
    return Ragged.from_pairs(np.concatenate(rows), np.concatenate(values), len(groups[0])).connected(width)


@dataclass(frozen=True)
class Leak:
    """A value of a group that is on both sides, with the number of rows it has on each."""

    group: str
    value: str
    left: int
    right: int


def leaks(left: NDArray[Any], right: NDArray[Any], groups: Mapping[str, NDArray[Any]]) -> tuple[Leak, ...]:
    """Who or what is on both sides of a split, by group, then value; nothing where the sides are kept apart.

    Args:
        left: the rows of one side, as row numbers or as a mask.
        right: those of the other.
        groups: by name, such as ``identity`` and ``session``, one value for each row; -1, None and empty text are none.

    >>> found = leaks(np.array([0, 1]), np.array([2, 3]), {"speaker": np.array(["ann", "bob", "bob", "eve"])})
    >>> [(one.group, one.value, one.left, one.right) for one in found]
    [('speaker', 'bob', 1, 1)]
    """
    out = []
    for name, column in groups.items():
        texts = np.array(["" if one is None or one == -1 else str(one) for one in np.asarray(column).tolist()])
        sides = [dict(zip(*np.unique(texts[side], return_counts=True), strict=True)) for side in (left, right)]
        both = sorted(str(value) for value in sides[0].keys() & sides[1].keys() if value)
        out += [Leak(name, value, int(sides[0][value]), int(sides[1][value])) for value in both]
    return tuple(out)
