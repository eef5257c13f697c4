"""Sampling frequencies against their formulas, and allocation against a plain loop of proposals and refusals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.ragged import IntArray
from hardneg.samplers import SAMPLERS, Chooser, Quotas, Tempered
from hardneg.samplers._allocate import allocate
from hardneg.table import Rows

SCORE = np.array([0.9, 0.7, 0.65, 0.4, 0.1], np.float32)
POSITIVE = 0.75
ROUNDS = 20_000


def first_choices(step: Chooser, n: int) -> IntArray:
    """Which rows are the first ``n`` for each of many anchors, shape (ROUNDS, n)."""
    k = len(SCORE)
    rows = Rows(
        np.repeat(np.arange(ROUNDS), k),
        np.tile(np.arange(k), ROUNDS),
        {
            "score": np.tile(SCORE, ROUNDS),
            "positive_score": np.full(ROUNDS * k, POSITIVE, np.float32),
            "anchor_key": np.repeat(np.arange(ROUNDS) * 7919, k),
            "item_key": np.tile(np.arange(k) * 104729, ROUNDS),
        },
    )
    return np.argsort(-step.prefer(rows, 5).reshape(ROUNDS, k), axis=1)[:, :n]


def softmax(temperature: float) -> Callable[[float], float]:
    return lambda score: float(np.exp(score / temperature))


def simans(a: float, b: float) -> Callable[[float], float]:
    """Zhou 2022, equation 5."""
    return lambda score: float(np.exp(-a * (score - POSITIVE - b) ** 2))


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("tempered(temperature=0.2)", softmax(0.2)),
        ("tempered(temperature=100)", softmax(100)),
        ("tempered(form=simans, a=20)", simans(20, -0.1)),
        ("tempered(form=simans, a=5, b=0.1)", simans(5, 0.1)),
        ("uniform", lambda score: 1.0),
        ("band(within=3)", lambda score: float(score > 0.5)),
    ],
)
def test_pairs_are_drawn_without_replacement_by_weight(text: str, weight: Callable[[float], float]) -> None:
    """The chance of drawing i and then j is w_i / W * w_j / (W - w_i)."""
    weights = [weight(float(score)) for score in SCORE]
    total = sum(weights)
    drawn = first_choices(SAMPLERS.make(text), 2)  # type: ignore[arg-type]
    for i, j in permutations(range(len(SCORE)), 2):
        chance = weights[i] / total * weights[j] / (total - weights[i])
        found = ((drawn[:, 0] == i) & (drawn[:, 1] == j)).mean()
        assert abs(found - chance) < 5 * np.sqrt(chance * (1 - chance) / ROUNDS) + 1e-9, (i, j)


def test_a_cold_softmax_is_top_and_a_large_a_is_the_nearest_to_the_peak() -> None:
    assert (first_choices(Tempered(temperature=1e-4), 5) == np.arange(5)).all()
    assert (first_choices(Tempered(form="simans", a=1e6, b=-0.1), 2) == [2, 1]).all()


def proposals(
    preference: list[tuple[int, int, float, float, int]], n: int, limits: list[int], room: dict[int, int]
) -> set[tuple[int, int]]:
    """Gale and Shapley 1962, one proposal at a time: the last anchor that is still short proposes next.

    ``preference`` holds (anchor, item, how much wanted, score, kind).
    """
    refused: set[tuple[int, int]] = set()

    def wishes(anchor: int) -> list[tuple[int, int, float, float, int]]:
        left, counts = n, dict(enumerate(limits))
        found = []
        mine = [one for one in preference if one[0] == anchor and (one[0], one[1]) not in refused]
        for one in sorted(mine, key=lambda one: -one[2]):
            if left and counts[one[4]]:
                found.append(one)
                left, counts[one[4]] = left - 1, counts[one[4]] - 1
        return found

    anchors = sorted({one[0] for one in preference}, reverse=True)
    while True:
        held: dict[int, list[tuple[float, int]]] = {}
        for anchor in anchors:
            for _, item, _, score, _ in wishes(anchor):
                held.setdefault(item, []).append((-score, anchor))
        over = next((item for item, who in held.items() if len(who) > room[item]), None)
        if over is None:
            return {(anchor, item) for item, who in held.items() for _, anchor in who}
        worst = max(held[over])  # one refusal at a time: the lowest score, then the later anchor
        refused.add((worst[1], over))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6))
def test_allocation_equals_one_proposal_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchors, items, n = int(rng.integers(1, 6)), int(rng.integers(1, 8)), int(rng.integers(1, 4))
    pairs = [(a, i) for a in range(anchors) for i in range(items) if rng.random() < 0.7]
    score = np.round(rng.random(len(pairs)), 1).astype(np.float32)  # with ties
    wanted = rng.permutation(len(pairs)).astype(float)
    kind = rng.integers(0, 2, len(pairs))
    limits = rng.integers(0, n + 1, 2)
    room = rng.integers(0, 4, items)
    anchor, item = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    rows = Rows(anchor, item, {"score": score})
    mask = allocate(rows, wanted, np.full(anchors, n), [(kind, limits)], [(rows.item, room)])
    found = set(zip(rows.anchor[mask].tolist(), rows.item[mask].tolist(), strict=True))
    told = [(a, i, float(w), float(s), int(k)) for (a, i), w, s, k in zip(pairs, wanted, score, kind, strict=True)]
    assert found == proposals(told, n, limits.tolist(), dict(enumerate(room.tolist())))


@given(st.integers(1, 64))
def test_shares_by_largest_remainder(n: int) -> None:
    shares = {"easy": 0.2, "semi_hard": 0.3, "hard": 0.5}
    counts = dict(zip(shares, Quotas(easy=0.2, semi_hard=0.3, hard=0.5).counts(n), strict=True))
    exact = {name: n * share for name, share in shares.items()}
    assert sum(counts.values()) == n
    for low in shares:
        for high in shares:  # nobody was rounded up before one with a larger remainder
            if counts[low] < exact[low] - 1e-9 and counts[high] > exact[high] + 1e-9:
                assert exact[low] % 1 <= exact[high] % 1 + 1e-9
