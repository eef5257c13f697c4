"""Verification against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.verify.errors_at import det, eer
from hardneg.verify.rates import rates_of

metrics = pytest.importorskip("sklearn.metrics")


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
