"""Verification against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.verify.alarms import rate_per_hour, rate_ratio
from hardneg.verify.errors_at import det, eer
from hardneg.verify.false_discovery import q_values
from hardneg.verify.rates import rates_of

metrics = pytest.importorskip("sklearn.metrics")
stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("digits", [0, 1, 6])  # many ties, some, none
def test_rates_are_those_of_roc_curve(seed: int, digits: int) -> None:
    draw = np.random.default_rng(seed)
    target = draw.random(300) < 0.3
    scores = np.round(draw.normal(target * 1.5, 1), digits)
    curve = rates_of(scores, target)
    accept, true_accept, thresholds = metrics.roc_curve(target, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    np.testing.assert_allclose(curve.false_accept, accept)
    np.testing.assert_allclose(1 - curve.false_reject, true_accept, atol=1e-12)
    # the crossing, where scikit-learn's points are joined by lines
    crossing = np.linspace(0, 1, 200_001)
    line = 1 - np.interp(crossing, accept, true_accept)
    assert eer(curve) == pytest.approx(crossing[np.argmin(np.abs(line - crossing))], abs=1e-4)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_det_points_are_those_of_det_curve(digits: int) -> None:
    draw = np.random.default_rng(1)
    target = draw.random(300) < 0.3
    scores = np.round(draw.normal(target * 1.5, 1), digits)
    accept, reject, thresholds = metrics.det_curve(target, scores)
    curve = rates_of(scores, target)
    mine = {t: (a, r) for t, a, r in zip(curve.thresholds, curve.false_accept, curve.false_reject, strict=True)}
    for threshold, one, other in zip(thresholds, accept, reject, strict=True):
        if threshold in mine:
            assert mine[threshold] == pytest.approx((one, other))
    corners = det(curve)
    middles = 1 - (corners.false_reject[1:] + corners.false_reject[:-1]) / 2
    area = (np.diff(corners.false_accept) * middles).sum()
    assert area == pytest.approx(metrics.roc_auc_score(target, scores))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40, 900, 25_000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_interval_of_a_rate_is_that_of_scipy(count: int, confidence: float) -> None:
    tail, found = (1 - confidence) / 2, rate_per_hour(count, 4, confidence=confidence)
    assert found.high == pytest.approx(stats.gamma.ppf(1 - tail, count + 1) / 4, rel=1e-8)
    assert found.low == pytest.approx(stats.gamma.ppf(tail, count) / 4 if count else 0, rel=1e-8)


@pytest.mark.parametrize("counts", [(0, 3), (1, 1), (3, 0), (17, 60), (800, 900), (30_000, 20_000)])
def test_the_interval_of_a_ratio_is_that_of_scipy(counts: tuple[int, int]) -> None:
    mine, theirs = counts
    found = rate_ratio(mine, 2, theirs, 5)
    share = stats.binomtest(mine, mine + theirs).proportion_ci(0.95, "exact")
    assert found.low == pytest.approx(2.5 * share.low / (1 - share.low), rel=1e-8)
    if theirs:
        assert found.high == pytest.approx(2.5 * share.high / (1 - share.high), rel=1e-8)


def test_q_values_are_those_of_scipy() -> None:
    p = np.round(np.random.default_rng(0).random(50) ** 3, 2)
    np.testing.assert_allclose(q_values(p), stats.false_discovery_control(p))
    with_ones = stats.false_discovery_control(np.append(p, np.ones(30)))[:50]
    np.testing.assert_allclose(q_values(p, tests=80), with_ones)
