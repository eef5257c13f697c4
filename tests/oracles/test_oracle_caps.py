"""Caps on items and on pairs of classes: against one proposal at a time, against plain loops, and stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.ragged import BoolArray, IntArray
from hardneg.samplers._allocate import allocate, settle
from hardneg.samplers._wishes import Wishes
from hardneg.table import Array, Rows


@dataclass
class Market:
    """A small market: rows by anchor, hardest first, with a class for each anchor and item, and everything's room."""

    rows: Rows
    wanted: Array
    n: IntArray
    kind: Array
    limits: Array
    pair: IntArray
    item_room: IntArray
    pair_room: IntArray

    @classmethod
    def drawn(cls, seed: int) -> Market:
        rng = np.random.default_rng(seed)
        anchors, items = int(rng.integers(1, 7)), int(rng.integers(1, 9))
        pairs = [(a, i) for a in range(anchors) for i in range(items) if rng.random() < 0.7]
        score = np.round(rng.random(len(pairs)), 1).astype(np.float32)  # with ties
        order = sorted(range(len(pairs)), key=lambda at: (pairs[at][0], -score[at], pairs[at][1]))
        anchor, item = (np.array([pairs[at][side] for at in order], np.int64) for side in (0, 1))
        score = score[order]
        wanted = score.astype(float) if rng.random() < 0.5 else np.round(rng.random(len(score)), 1)
        kind, limits = rng.integers(0, 2, len(score)), rng.integers(0, 4, 2)
        pair = rng.integers(0, 2, anchors)[anchor] * 3 + rng.integers(0, 3, items)[item]
        return cls(
            Rows(anchor, item, {"score": score}), wanted, rng.integers(0, 4, anchors), kind, limits, pair,
            rng.integers(0, 4, items), rng.integers(0, 5, 6),
        )  # fmt: skip

    def choose(self, *caps: str, quotas: bool = True) -> BoolArray:
        every = {"item": (self.rows.item, self.item_room), "pair": (self.pair, self.pair_room)}
        kinds = [(self.kind, self.limits)] if quotas else []
        return allocate(self.rows, self.wanted, self.n, kinds, [every[one] for one in caps])

    def wishes(self, anchor: int, closed: set[int], *, quotas: bool = True) -> list[int]:
        """The rows that an anchor asks for, where some are closed to it."""
        mine = [row for row in np.flatnonzero(self.rows.anchor == anchor).tolist() if row not in closed]
        left, kinds, found = int(self.n[anchor]), self.limits.copy(), []
        for row in sorted(mine, key=lambda row: (-self.wanted[row], row)):
            if left and (not quotas or kinds[self.kind[row]]):
                found.append(row)
                left, kinds[self.kind[row]] = left - 1, kinds[self.kind[row]] - 1
        return found


SEEDS = st.integers(0, 10**6)


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_a_cap_on_pairs_is_one_refusal_at_a_time(seed: int) -> None:
    """Gale and Shapley 1962: a pair of classes refuses its worst proposal until nobody is refused."""
    market = Market.drawn(seed)
    closed: set[int] = set()
    while True:
        asked = [row for anchor in range(len(market.n)) for row in market.wishes(anchor, closed)]
        over = {pair for pair in range(6) if sum(market.pair[row] == pair for row in asked) > market.pair_room[pair]}
        if not over:
            break
        mine = [row for row in asked if market.pair[row] == min(over)]
        closed.add(max(mine, key=lambda r: (-market.rows["score"][r], market.rows.anchor[r], -market.wanted[r], r)))
    assert np.flatnonzero(market.choose("pair")).tolist() == sorted(asked)


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_both_caps_are_wishes_granted_one_by_one(seed: int) -> None:
    market = Market.drawn(seed)
    rows, score = market.rows, market.rows["score"]
    n, items, pairs = market.n.copy(), market.item_room.copy(), market.pair_room.copy()
    kinds = np.tile(market.limits, (len(n), 1))
    found = []
    for row in sorted(range(len(rows)), key=lambda r: (-market.wanted[r], -score[r], rows.anchor[r], r)):
        a, i, p, k = rows.anchor[row], rows.item[row], market.pair[row], market.kind[row]
        if n[a] and items[i] and pairs[p] and kinds[a, k]:
            found.append(row)
            n[a], items[i], pairs[p], kinds[a, k] = n[a] - 1, items[i] - 1, pairs[p] - 1, kinds[a, k] - 1
    assert np.flatnonzero(market.choose("item", "pair")).tolist() == sorted(found)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from([("item",), ("pair",), ("item", "pair")]))
def test_no_cap_is_exceeded(seed: int, caps: tuple[str, ...]) -> None:
    market = Market.drawn(seed)
    chosen = market.choose(*caps)
    rows = market.rows.take(chosen)
    assert (np.bincount(rows.anchor, minlength=len(market.n)) <= market.n).all()
    for anchor in range(len(market.n)):
        assert (np.bincount(market.kind[chosen][rows.anchor == anchor], minlength=2) <= market.limits).all()
    if "item" in caps:
        assert (np.bincount(rows.item, minlength=len(market.item_room)) <= market.item_room).all()
    if "pair" in caps:
        assert (np.bincount(market.pair[chosen], minlength=6) <= market.pair_room).all()


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from(["item", "pair"]))
def test_no_blocking_pair(seed: int, cap: str) -> None:
    """No row is left out that its anchor would rather have and that its item, or its pair, would rather serve."""
    market = Market.drawn(seed)
    chosen, rows = market.choose(cap, quotas=False), market.rows
    claim, room = (rows.item, market.item_room) if cap == "item" else (market.pair, market.pair_room)
    for row in np.flatnonzero(~chosen):
        mine = np.flatnonzero(chosen & (rows.anchor == rows.anchor[row]))
        wants = len(mine) < market.n[rows.anchor[row]] or (market.wanted[mine] < market.wanted[row]).any()
        theirs = np.flatnonzero(chosen & (claim == claim[row]))
        takes = len(theirs) < room[claim[row]] or (rows["score"][theirs] < rows["score"][row]).any()
        assert not (wants and market.n[rows.anchor[row]] and takes and room[claim[row]])


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.sampled_from([("item",), ("pair",), ("item", "pair")]), SEEDS)
def test_parts_do_not_matter(seed: int, caps: tuple[str, ...], cut: int) -> None:
    """The same choice whether anchors come in one part or in several, in any order."""
    market = Market.drawn(seed)
    whole = market.choose(*caps)
    every = {"item": (market.rows.item, market.item_room), "pair": (market.pair, market.pair_room)}
    of = np.random.default_rng(cut).integers(0, 3, len(market.n))[market.rows.anchor]
    masks = [of == one for one in (2, 0, 1)]
    parts = [
        Wishes.of(
            market.rows.take(m), market.wanted[m], [(market.kind[m], market.limits)], [every[c][0][m] for c in caps]
        )
        for m in masks
    ]
    settle(parts, market.n, [every[one][1] for one in caps])
    for mask, part in zip(masks, parts, strict=True):
        assert (part.chosen() == whole[mask]).all()


@pytest.mark.parametrize("seed", range(20))
def test_with_the_hardest_first_both_ways_agree_where_one_cap_binds(seed: int) -> None:
    """Under one order for all there is one stable choice, whichever way it is found."""
    market = Market.drawn(seed)
    score = market.rows["score"].astype(float)
    jitter = -1e-3 * np.arange(len(score))  # no ties, so that the order is one
    market.rows = market.rows.having(score=(score + jitter).astype(np.float32))
    market.wanted = market.rows["score"].astype(float)
    one = market.choose("item", quotas=False)
    market.pair_room = np.full(6, 10**6)
    assert (market.choose("item", "pair", quotas=False) == one).all()
