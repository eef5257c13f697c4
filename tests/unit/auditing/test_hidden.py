"""Hidden positives: beside a true mining for each, and the identity that the estimate rests on, over all labellings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.auditing.world import mined, numbers, scene, things

from hardneg.auditing.anew import mined_anew, named_elsewhere
from hardneg.auditing.hidden import Mined, completeness_of, hidden_bound, hidden_share
from hardneg.auditing.population import Population
from hardneg.ragged import Ragged
from hardneg.run import Run

SAMPLERS: list[str | list[str]] = ["top(n=6)", "tempered(n=6, temperature=0.05)", ["top(n=6)", "caps(per_item=2)"]]


def pairs(run: Run) -> set[tuple[int, int]]:
    table = run.negatives
    return set(zip(numbers(table["anchor"]).tolist(), numbers(table["item"]).tolist(), strict=True))


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_what_is_mined_anew_is_what_a_mining_without_the_positive_mines(sampler: str | list[str]) -> None:
    known = scene()[1]
    run = mined(known, sampler=sampler)
    anew = mined_anew(run)
    anchors, items = numbers(run.anchors.ids)[anew.anchor], numbers(run.items.ids)[anew.item]
    asked = np.flatnonzero(anew.weight > 0)
    same = []
    for row in asked[:: max(1, len(asked) // 25)]:
        without = known.copy()
        without[anchors[row], items[row]] = False
        same.append(((anchors[row], items[row]) in pairs(mined(without, sampler=sampler))) == anew.mined[row])
    # Five folds hide a positive of every anchor at once, so where anchors compete for items a few may differ.
    assert np.mean(same) >= (0.9 if isinstance(sampler, list) else 1.0)


def test_who_else_names_a_positive_beside_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        lists = [sorted(set(rng.integers(0, 12, rng.integers(0, 5)).tolist())) for _ in range(8)]
        wanted = [
            any(i in other and set(mine) & set(other) - {i} for at, other in enumerate(lists) if at != own)
            for own, mine in enumerate(lists)
            for i in mine
        ]
        assert named_elsewhere(Ragged.from_lists(lists), 12).tolist() == wanted


@pytest.mark.parametrize("completeness", [0.5, 0.3])
def test_over_all_labellings_hidden_and_unknown_are_mined_at_the_stated_odds(completeness: float) -> None:
    """The identity in hidden.py, worked out over every way to know some of the positives of one anchor."""
    truth = things()[1]
    anchor = int(np.flatnonzero(truth.sum(axis=1) >= 5)[0])
    own = np.flatnonzero(truth[anchor])[:5]
    false = hits = 0.0
    for known_ones in product((False, True), repeat=len(own)):
        some = np.array(known_ones)
        if not some.any():
            continue
        known: NDArray[np.bool_] = np.zeros_like(truth)
        known[anchor, own[some]] = True
        run = mined(known, filters=("known", "margin(relative=0.02, reference=mean)"), sampler="top(n=8)")
        odds = completeness ** some.sum() * (1 - completeness) ** (~some).sum()
        false += odds * sum((anchor, int(item)) in pairs(run) for item in own[~some])
        anew = mined_anew(run)
        hits += odds * float(anew.weight[anew.mined].sum())
    assert false > 0
    assert false == pytest.approx(hits * (1 - completeness) / completeness)


def test_the_share_at_the_true_completeness_and_the_bound_hold_the_truth() -> None:
    truth = things()[1]
    held = []
    for seed in range(12):
        known = truth & (np.random.default_rng(seed).random(truth.shape) < 0.5)
        run = mined(known)
        table = run.negatives
        true = float(truth[numbers(table["anchor"]), numbers(table["item"])].mean())
        anew = mined_anew(run)
        population = Population.of(run)
        share = hidden_share(anew, Mined.of(population), 0.5)
        found = completeness_of(population, anew)
        bound = hidden_bound(anew, Mined.of(population), found)
        assert found.low <= 0.5
        held.append((share.low <= true <= share.high) and true <= bound.high)
    assert sum(held) >= 11
