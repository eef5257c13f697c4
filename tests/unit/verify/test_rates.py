"""Error rates of a verifier, with ties, and what is asked of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError
from hardneg.verify.errors_at import at_far, at_fars, det, eer, min_dcf
from hardneg.verify.rates import error_rates, rates_of

SCORES = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=25).map(np.array)


@given(targets=SCORES, impostors=SCORES)
def test_rates_are_counted_at_every_threshold(targets: np.ndarray, impostors: np.ndarray) -> None:
    curve = error_rates(targets, impostors)
    for threshold, accept, reject in zip(curve.thresholds, curve.false_accept, curve.false_reject, strict=True):
        assert accept == pytest.approx((impostors >= threshold).mean())
        assert reject == pytest.approx((targets < threshold).mean())
    assert set(curve.thresholds[1:]) == set(targets) | set(impostors)


@given(targets=SCORES, impostors=SCORES, far=st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5, 1.0]))
def test_at_far_takes_the_lowest_threshold_that_keeps_the_promise(
    targets: np.ndarray, impostors: np.ndarray, far: float
) -> None:
    found = at_far(error_rates(targets, impostors), far)
    allowed = int(np.floor(far * len(impostors) + 1e-9))
    if allowed < 1:
        assert np.isnan(found.tar)
        assert f"There are {len(impostors)}." in found.reason
        return
    fits = [t for t in {*targets, *impostors, np.inf} if (impostors >= t).sum() <= allowed]
    assert found.threshold == min(fits)
    assert found.tar == pytest.approx((targets >= min(fits)).mean())


@given(targets=SCORES, impostors=SCORES)
def test_the_hull_is_never_above_the_line_and_costs_are_least(targets: np.ndarray, impostors: np.ndarray) -> None:
    curve = error_rates(targets, impostors)
    assert -1e-12 <= eer(curve, method="hull") <= min(eer(curve), 0.5) + 1e-12
    cost = min_dcf(curve, p_target=0.3, c_miss=2)
    brute = min(
        (0.6 * (targets < t).mean() + 0.7 * (impostors >= t).mean()) / 0.6 for t in {*targets, *impostors, np.inf}
    )
    assert cost.value == pytest.approx(brute)
    assert cost.value <= 1 + 1e-12


@given(targets=SCORES, impostors=SCORES)
def test_the_hull_eer_is_the_worst_case_over_priors(targets: np.ndarray, impostors: np.ndarray) -> None:
    """Brümmer & de Villiers: the ROCCH-EER is the greatest least error rate over all priors of a target."""
    curve = error_rates(targets, impostors)
    priors = np.linspace(0, 1, 2001)[:, None]
    least = (priors * curve.false_reject + (1 - priors) * curve.false_accept).min(axis=1)
    assert eer(curve, method="hull") == pytest.approx(least.max(), abs=1e-3)


def test_whole_weights_are_repeats() -> None:
    scores, target = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False])
    weighted = rates_of(scores, target, np.array([2.0, 1.0, 3.0, 1.0]))
    repeated = rates_of(np.repeat(scores, [2, 1, 3, 1]), np.repeat(target, [2, 1, 3, 1]))
    np.testing.assert_allclose(weighted.false_accept, repeated.false_accept)
    np.testing.assert_allclose(weighted.false_reject, repeated.false_reject)


def test_det_axes_are_normal_quantiles() -> None:
    draw = np.random.default_rng(0)
    curve = det(error_rates(draw.normal(2, 1, 4000), draw.normal(0, 1, 4000)))
    middle = (curve.false_accept > 0.02) & (curve.false_accept < 0.5) & (curve.false_reject > 0.01)
    np.testing.assert_allclose(
        curve.x[middle] + curve.y[middle], -2, atol=0.15
    )  # a straight line, as Martin et al. say
    assert (curve.x[0], curve.y[0]) == (-np.inf, np.inf)


def test_all_far_are_given_with_a_reason_where_there_are_too_few() -> None:
    found = at_fars(error_rates(np.ones(5), np.linspace(0, 0.5, 100)))
    assert [np.isnan(one.tar) for one in found] == [False, False, True, True]
    assert found[3].reason == "A FAR of 0.0001 needs at least 10000 impostor trials. There are 100."


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(InputError, match="no impostor trial"):
        error_rates(np.array([1.0]), np.zeros(0))
    with pytest.raises(InputError, match="no target trial"):
        error_rates(np.zeros(0), np.array([1.0]))
    with pytest.raises(InputError, match="1 of the 2 scores are NaN"):
        error_rates(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(InputError, match="1 scores, 2 kinds"):
        rates_of(np.array([1.0]), np.array([True, False]))
    curve = error_rates(np.array([1.0]), np.array([0.0]))
    with pytest.raises(OptionError, match="'far' must be above 0"):
        at_far(curve, 0)
    with pytest.raises(OptionError, match="'p_target'"):
        min_dcf(curve, p_target=1)
    with pytest.raises(OptionError, match="'method'"):
        eer(curve, method="best")  # type: ignore[arg-type]
