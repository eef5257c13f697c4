from __future__ import annotations

import math

import numpy as np
import pytest

from hardneg.detect import (
    MEASURES,
    Detections,
    MissRates,
    Outcomes,
    Truth,
    evaluate,
    log_average_miss_rate,
    matched,
    mean_of,
    miss_rates,
    outcomes,
    spread,
)
from hardneg.errors import InputError, OptionError

BOX = [10.0, 10.0, 20.0, 20.0]
LAMR = MEASURES.index("LAMR")


def _truth(*rows: tuple[int, int], ignored: tuple[bool, ...] = ()) -> Truth:
    image, category = np.array(rows, int).reshape(-1, 2).T
    return Truth(image, category, np.array([BOX] * len(rows)).reshape(-1, 4), ignored=np.array(ignored, bool))


def _found(*rows: tuple[int, int, float, float]) -> Detections:
    """Image, category, how far to the right of the box, score."""
    boxes = np.array([[BOX[0] + shift, *BOX[1:]] for _, _, shift, _ in rows]).reshape(-1, 4)
    image, category = (np.array([one[at] for one in rows], int) for at in (0, 1))
    return Detections(image, category, boxes, np.array([one[3] for one in rows], float))


def test_a_curve_worked_out_by_hand() -> None:
    # 4 boxes in 20 images: hit, false, hit, false, false; 0.05 false positives per image a step.
    found = Outcomes(
        np.zeros(5, int), np.linspace(0.9, 0.5, 5), np.array([1, 0, 1, 0, 0], bool), np.zeros(4, int), images=20
    )
    curve = miss_rates(found)
    assert curve.fppi.tolist() == [0, 0.05, 0.05, 0.1, 0.15]
    assert curve.miss_rate.tolist() == [0.75, 0.75, 0.5, 0.5, 0.5]
    # Below 0.05 (0.01, 0.018, 0.032) three quarters are missed; from 0.056 on, half, behind the end of the curve too.
    assert log_average_miss_rate(found) == pytest.approx((0.75**3 * 0.5**6) ** (1 / 9))


def test_empty_cases_of_the_miss_rate() -> None:
    none = np.zeros(0, int), np.zeros(0), np.zeros(0, bool)
    assert math.isnan(log_average_miss_rate(Outcomes(*none, np.zeros(0, int), 5)))
    assert log_average_miss_rate(Outcomes(*none, np.zeros(2, int), 5)) == 1
    perfect = Outcomes(np.zeros(1, int), np.ones(1), np.ones(1, bool), np.zeros(1, int), 5)
    assert log_average_miss_rate(perfect) == pytest.approx(1e-10)
    late = MissRates(np.ones(1), np.ones(1) * 2.0, np.zeros(1))  # the first find is a false positive in each image
    assert late.at(np.array([1.0, 2.0])).tolist() == [1, 0]


def test_what_is_ignored_is_neither_missed_nor_a_false_positive() -> None:
    truth = _truth((0, 0), (1, 0), ignored=(False, True))
    found = _found((0, 0, 0, 0.9), (1, 0, 0, 0.8))
    one = outcomes(truth, found, matched(truth, found), images=2)
    assert (one.hit.tolist(), len(one.box_image)) == ([True], 1)


def test_images_without_anything_count_for_false_positives_per_image() -> None:
    truth, found = _truth((0, 0)), _found((0, 0, 0, 0.5), (1, 0, 0, 0.9))
    few, many = (
        log_average_miss_rate(outcomes(truth, found, matched(truth, found), images=images)) for images in (2, 1000)
    )
    assert few > many == pytest.approx(1e-10)


def test_a_category_without_a_box_has_no_figures_and_is_left_out_of_the_mean() -> None:
    judged = evaluate(_truth((0, 0)), _found((0, 0, 0, 0.9), (0, 1, 0, 0.9)), images=1, categories=3)
    figures = judged.figures()
    assert np.isnan(figures[1:]).all()
    assert mean_of(figures)[:3] == pytest.approx([1, 1, 1])
    assert np.isnan(mean_of(np.full((2, 4), np.nan))).all()


def test_equal_scores_stand_by_image_then_by_row() -> None:
    truth = _truth((0, 0), (1, 0))
    found = _found((1, 0, 0, 0.5), (0, 0, 30, 0.5), (0, 0, 0, 0.5))
    one = outcomes(truth, found, matched(truth, found), images=2)
    assert (one.image.tolist(), one.hit.tolist()) == ([0, 0, 1], [False, True, True])


def test_numbers_that_there_are_not() -> None:
    truth, found = _truth((0, 0)), _found((3, 0, 0, 0.5))
    with pytest.raises(InputError, match="in image 3, and there are 2"):
        evaluate(truth, found, images=2, categories=1)
    with pytest.raises(InputError, match="of category 0, and there are 0"):
        evaluate(truth, found, images=4, categories=0)
    judged = evaluate(truth, found, images=4, categories=1)
    with pytest.raises(OptionError, match="'draws'"):
        spread(judged, draws=0)
    with pytest.raises(InputError, match="at least 2"):
        spread(evaluate(truth, _found(), images=1, categories=1))


def _noisy(seed: int, images: int, quality: float) -> tuple[Truth, Detections]:
    draw = np.random.default_rng(seed)
    truth = _truth(*((image, 0) for image in range(images)))
    right = draw.random(images) < quality
    rows = [(image, 0, 0.0 if right[image] else 30.0, draw.random() / 2 + right[image] / 2) for image in range(images)]
    return truth, _found(*rows)


def test_the_figures_of_a_draw_are_those_of_the_images_copied_out() -> None:
    truth, found = _noisy(0, 12, 0.6)
    judged = evaluate(truth, found, images=12, categories=1)
    times = np.random.default_rng(1).multinomial(12, [1 / 12] * 12)
    copies = np.repeat(np.arange(12), times)
    renumbered = np.arange(len(copies))
    drawn = evaluate(
        Truth(renumbered, truth.category[copies], truth.box[copies]),
        Detections(renumbered, found.category[copies], found.box[copies], found.score[copies]),
        images=12,
        categories=1,
    )
    np.testing.assert_allclose(judged.figures(times), drawn.figures(), rtol=1e-12)


def test_draws_are_paired_and_depend_on_the_seed_alone() -> None:
    truth, found = _noisy(2, 40, 0.6)
    judged = evaluate(truth, found, images=40, categories=1)
    one, same, other = (spread(judged, draws=30, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.drawn, same.drawn)
    assert (one.drawn != other.drawn).any()
    assert not one.less(same).drawn.any()
    assert spread(judged, draws=10).drawn.tolist() == one.drawn[:10].tolist()


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    # Each image has one box, found with the same score or not at all, without false positives: AP is nearly the share.
    images, share = 400, 0.7
    truth = _truth(*((image, 0) for image in range(images)))
    found = _found(*((image, 0, 0, 0.5) for image in range(int(images * share))))
    interval = spread(evaluate(truth, found, images=images, categories=1), draws=400).interval(MEASURES.index("AP50"))
    half = 1.96 * math.sqrt(share * (1 - share) / images)
    assert interval.value == pytest.approx(share, abs=0.01)
    assert interval.low == pytest.approx(share - half, abs=0.015)
    assert interval.high == pytest.approx(share + half, abs=0.015)
    missed = spread(evaluate(truth, found, images=images, categories=1), draws=50).interval(LAMR)
    assert missed.value == pytest.approx(1 - share)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """AP50 of many small data sets of one detector, against the figure of a large one."""
    truth, found = _noisy(99, 4000, 0.6)
    real = float(mean_of(evaluate(truth, found, images=4000, categories=1).figures())[1])
    held = 0
    for seed in range(60):
        truth, found = _noisy(seed, 60, 0.6)
        one = spread(evaluate(truth, found, images=60, categories=1), draws=100, seed=seed).interval(1)
        held += one.low <= real <= one.high
    assert held >= 50  # of 60; 57 are expected
