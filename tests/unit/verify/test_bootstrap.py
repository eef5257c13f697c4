"""Intervals over identities hold the truth as often as they say; those over trials do not."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError
from hardneg.verify.bootstrap import identity_interval, identity_weights
from hardneg.verify.errors_at import at_far, eer
from hardneg.verify.rates import Rates, rates_of
from hardneg.verify.trials import all_trials


def _world(seed: int, people: int = 40, shots: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trials of people of whom some are harder than others: the trials of one person hang together."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), shots)
    trials = all_trials(who)
    left, right = who[trials.left], who[trials.right]
    goat, lamb = draw.normal(0, 1, people), draw.normal(0, 0.5, people)
    scores = np.where(trials.target, 2 + goat[left], lamb[left] + lamb[right]) + draw.normal(0, 0.5, len(left))
    return scores, left, right


def _miss(curve: Rates) -> float:
    """The share of targets below 1.5."""
    return float(curve.false_reject[np.flatnonzero(curve.thresholds >= 1.5)[-1]])


def test_the_interval_holds_the_truth() -> None:
    scores, left, right = _world(0, people=600)
    target = left == right
    truth = eer(rates_of(scores, target)), float((scores[target] < 1.5).mean())
    held, over_trials = np.zeros(2), 0
    for seed in range(1, 31):
        scores, left, right = _world(seed)
        for place, statistic in enumerate((eer, _miss)):
            interval = identity_interval(statistic, scores, left, right, draws=120, seed=seed)
            held[place] += interval.low <= truth[place] <= interval.high
        miss = (scores[left == right] < 1.5).mean()
        over_trials += abs(miss - truth[1]) <= 1.96 * np.sqrt(miss * (1 - miss) / (left == right).sum())
    assert (held >= 25).all()  # of 30; 95% is promised, 28.5 expected
    assert over_trials < held[1]


def test_draws_depend_on_the_seed_alone() -> None:
    scores, left, right = _world(3, people=10)
    one, two = (identity_interval(eer, scores, left, right, draws=30, seed=4) for _ in range(2))
    assert one == two
    shuffled = np.random.default_rng(0).permutation(len(scores))
    assert identity_interval(eer, scores[shuffled], left[shuffled], right[shuffled], draws=30, seed=4) == one
    assert identity_interval(eer, scores, left, right, draws=30, seed=5) != one


def test_weights_are_the_trials_of_the_people_drawn() -> None:
    trials = all_trials(np.array([0, 0, 1, 1, 2]))
    who = np.array([0, 0, 1, 1, 2])
    left, right = who[trials.left], who[trials.right]
    for draw in range(20):
        weights = identity_weights(3, left, right, draw)
        targets = {int(code): weights[(left == code) & (right == code)] for code in (0, 1)}
        times = np.array([*(one[0] for one in targets.values()), 0])
        times[2] = 3 - times.sum()
        expected = np.where(left == right, times[left], times[left] * times[right])
        np.testing.assert_array_equal(weights, expected)


def test_draws_that_give_no_figure_are_counted() -> None:
    scores, left, right = _world(1, people=3, shots=2)
    found = identity_interval(lambda curve: at_far(curve, 0.09).tar, scores, left, right, draws=50)
    assert 0 < found.draws < 50
    nothing = identity_interval(lambda curve: at_far(curve, 1e-4).tar, scores, left, right, draws=5)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    assert nothing.draws == 0


def test_one_identity_gives_no_interval() -> None:
    with pytest.raises(InputError, match="at least 2"):
        identity_interval(eer, np.ones(3), np.zeros(3, int), np.zeros(3, int))
