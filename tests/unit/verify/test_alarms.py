"""Exact intervals hold the truth at least as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import OptionError
from hardneg.verify.alarms import rate_per_hour, rate_ratio


@pytest.mark.parametrize("mean", [0.3, 2.0, 12.0])
def test_the_interval_of_a_rate_holds_the_truth(mean: float) -> None:
    counts, times = np.unique(np.random.default_rng(0).poisson(mean, 4000), return_counts=True)
    intervals = [rate_per_hour(int(count), 10) for count in counts]
    held = sum(n for n, one in zip(times, intervals, strict=True) if one.low <= mean / 10 <= one.high)
    assert held / 4000 >= 0.945


def test_the_interval_of_a_ratio_holds_the_truth() -> None:
    draw = np.random.default_rng(1)
    counts = np.stack([draw.poisson(8, 2000), draw.poisson(5, 2000)], axis=1)
    pairs, times = np.unique(counts, axis=0, return_counts=True)
    truth = (8 / 3) / (5 / 7)
    intervals = [rate_ratio(int(one), 3, int(two), 7) for one, two in pairs]
    held = sum(n for n, one in zip(times, intervals, strict=True) if one.low <= truth <= one.high)
    assert held / 2000 >= 0.945


def test_none_at_all() -> None:
    none, all_mine, nothing = rate_ratio(0, 1, 4, 1), rate_ratio(4, 1, 0, 1), rate_ratio(0, 1, 0, 1)
    assert (none.value, none.low) == (0, 0)
    assert (all_mine.value, all_mine.high) == (np.inf, np.inf)
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0, np.inf)
    assert none.high == pytest.approx(1 / all_mine.low)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(OptionError, match="'count'"):
        rate_per_hour(-1, 1)
    with pytest.raises(OptionError, match="'hours'"):
        rate_per_hour(1, 0)
    with pytest.raises(OptionError, match="'other_hours'"):
        rate_ratio(1, 1, 1, 0)
    with pytest.raises(OptionError, match="'confidence'"):
        rate_per_hour(1, 1, confidence=1)
