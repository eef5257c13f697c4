"""Intervals that hold what they say; McNemar and Holm as statsmodels has them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from hardneg.bootstrap import interval, redrawn
from hardneg.impact.compare import Side, difference, drawn_seeds, holm, mcnemar, t_quantile


def test_holm_as_statsmodels() -> None:
    rng = np.random.default_rng(0)
    for size in range(1, 8):
        p = (rng.random(size) ** 3).tolist()
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_holm_leaves_out_what_is_not_known() -> None:
    found = holm([0.01, math.nan, 0.04])
    assert found[0] == pytest.approx(0.02)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)


def test_mcnemar_as_statsmodels() -> None:
    for one in range(12):
        for other in range(12):
            expected = reference_mcnemar([[50, one], [other, 50]], exact=True).pvalue if one + other else 1.0
            assert mcnemar(one, other) == pytest.approx(expected)


def test_student_as_scipy() -> None:
    for freedom in (1, 2, 4, 9, 30):
        for share in (0.6, 0.9, 0.975, 0.995):
            assert t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-6)


@cache
def drawn_weights(subjects: int) -> NDArray[np.float64]:
    return np.stack([redrawn(subjects, draw, 5) for draw in range(400)]).astype(np.float64)


def world(
    rng: np.random.Generator, gain: float, *, subjects: int = 60, seeds: int = 5, noise: float
) -> tuple[Side, Side, int]:
    """Two arms on the same subjects and seeds: effects of subject, seed, and both."""
    easy = rng.normal(size=subjects)
    luck = noise * rng.normal(size=(2, seeds))
    each = easy[None, None] + luck[:, :, None] + 0.5 * rng.normal(size=(2, seeds, subjects))
    each[0] += gain + 0.2 * rng.normal(size=subjects)[None]  # some subjects gain more
    drawn = each.mean(axis=1) @ drawn_weights(subjects).T / subjects
    mine, theirs = (Side(each[at].mean(axis=1), drawn[at]) for at in (0, 1))
    return mine, theirs, subjects


@pytest.mark.parametrize(("noise", "subjects"), [(0.0, 60), (0.1, 60), (0.5, 60), (0.1, 8)])
def test_an_interval_holds_the_truth_as_often_as_it_says(noise: float, subjects: int) -> None:
    """With noise of seeds alone, of subjects alone, and both; 300 worlds, so 0.95 - 3 x 0.0126."""
    rng, held = np.random.default_rng(7), 0
    for number in range(300):
        found = difference(*world(rng, 0.3, subjects=subjects, noise=noise), seed=number)
        held += found.low <= 0.3 <= found.high
    assert held / 300 >= 0.912


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_null_is_seldom_taken_for_a_gain(noise: float) -> None:
    rng, false = np.random.default_rng(11), 0
    for number in range(300):
        false += difference(*world(rng, 0.0, subjects=60, seeds=5, noise=noise), seed=number).p < 0.05
    assert false / 300 <= 0.088


def test_what_is_called_smallest_is_mostly_seen() -> None:
    """A difference of that size is found about four times of five."""
    rng = np.random.default_rng(3)
    size = np.mean([difference(*world(rng, 0.0, subjects=80, seeds=5, noise=0.05), seed=s).smallest for s in range(30)])
    seen = [difference(*world(rng, float(size), subjects=80, seeds=5, noise=0.05), seed=s).p < 0.05 for s in range(150)]
    assert 0.68 <= np.mean(seen) <= 0.95


def test_one_seed_adds_no_width_and_no_draws_no_figure() -> None:
    assert drawn_seeds(np.array([0.3]), 5).tolist() == [0.0] * 5
    assert all(math.isnan(one) for one in interval(np.array([np.nan])))


def test_two_of_the_same_differ_by_nothing() -> None:
    side = Side(np.array([0.5, 0.6]), np.linspace(0.4, 0.7, 50))
    found = difference(side, side, 20)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_of_one_subject_nothing_follows() -> None:
    found = difference(*world(np.random.default_rng(0), 1.0, subjects=1, noise=0.1))
    assert found.value > 0
    assert all(math.isnan(one) for one in (found.low, found.high, found.p, found.smallest))
