"""Intervals of shares: against SciPy, and their coverage worked out exactly, outcome by outcome."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from hardneg.auditing.intervals import Cell, Interval, clopper_pearson, stratified


@pytest.mark.parametrize(("false", "judged"), [(0, 40), (1, 40), (7, 120), (40, 40), (2.5, 33.3)])
def test_clopper_pearson_is_that_of_scipy(false: float, judged: float) -> None:
    found = clopper_pearson(false, judged)
    low = stats.beta.ppf(0.025, false, judged - false + 1) if false else 0.0
    high = stats.beta.ppf(0.975, false + 1, judged - false) if false < judged else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("false", [0, 1, 9, 40])
def test_one_large_stratum_has_clopper_and_pearsons_interval(false: int) -> None:
    found, exact = stratified([Cell(10_000_000, 40, false)]), clopper_pearson(false, 40)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=2e-5)


@pytest.mark.parametrize(("pairs", "judged", "false"), [(50, 20, 3), (30, 29, 0), (400, 40, 40)])
def test_of_a_small_stratum_no_share_outside_could_well_have_given_what_was_found(
    pairs: int, judged: int, false: int
) -> None:  # fmt: skip
    found = stratified([Cell(pairs, judged, false)])
    for number in range(false, pairs - (judged - false) + 1):
        fewer = stats.hypergeom.cdf(false, pairs, number, judged)
        more = stats.hypergeom.sf(false - 1, pairs, number, judged)
        if min(fewer, more) > 0.0251:
            assert found.low - 1e-3 <= number / pairs <= found.high + 1e-3
        if number / pairs > found.high + 1 / pairs:
            assert fewer < 0.025
        if number / pairs < found.low - 1 / pairs:
            assert more < 0.025


def test_none_false_of_forty_bounds_the_share_and_all_judged_gives_it() -> None:
    assert stratified([Cell(4812, 40, 0)]).high == pytest.approx(0.0877, abs=5e-4)
    assert stratified([Cell(6, 6, 2), Cell(4, 4, 0)]) == Interval(0.2, 0.2, 0.2)


def test_what_nobody_judged_may_be_anything() -> None:
    found = stratified([Cell(50, 50, 0), Cell(50, 0, 0)])
    assert (found.low, found.high) == pytest.approx((0.0, 0.5), abs=1e-6)
    nothing = stratified([Cell(5, 0, 0)])
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


def test_the_estimate_weighs_strata_by_their_size() -> None:
    assert stratified([Cell(100, 10, 5), Cell(300, 10, 1)]).value == pytest.approx(0.25 * 0.5 + 0.75 * 0.1)


CASES = [
    ((60, 140), (8, 8), [(0, 0), (6, 0), (0, 7), (30, 14), (3, 42), (60, 0)]),
    ((300, 300), (5, 15), [(3, 3), (60, 3), (0, 30), (150, 90)]),
    ((40, 80, 160), (5, 5, 5), [(0, 0, 8), (20, 8, 2), (4, 4, 4), (12, 24, 48)]),
]


@pytest.mark.parametrize(("sizes", "judged", "truths"), CASES)
def test_the_interval_holds_the_truth_often_enough(
    sizes: tuple[int, ...], judged: tuple[int, ...], truths: list[tuple[int, ...]]
) -> None:
    outcomes = list(product(*(range(n + 1) for n in judged)))
    found = {x: stratified([Cell(*one) for one in zip(sizes, judged, x, strict=True)]) for x in outcomes}
    for false in truths:
        odds = [
            stats.hypergeom.pmf(np.arange(n + 1), size, m, n) for size, n, m in zip(sizes, judged, false, strict=True)
        ]
        true, covered = sum(false) / sum(sizes), 0.0
        for x in outcomes:
            if found[x].low - 1e-9 <= true <= found[x].high + 1e-9:
                covered += float(np.prod([odd[k] for odd, k in zip(odds, x, strict=True)]))
        assert covered >= 0.945, (false, covered)
