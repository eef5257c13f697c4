from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.predict import (
    Predictions,
    calibration_error,
    log_loss,
    member_p_values,
    pooled,
    strength,
    temperature,
    tempered,
)
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray


def softmax(scores: NDArray[Any]) -> FloatArray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def drawn(n: int, classes: int = 3, gap: float = 2.0, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Scores of a model of this strength, and the labels."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, n)
    scores = rng.normal(size=(n, classes))
    scores[np.arange(n), codes] += gap
    return softmax(scores), codes


def view(probabilities: FloatArray) -> Predictions:
    return Predictions(probabilities, np.ones(len(probabilities), bool), tuple("abcdefgh"[: probabilities.shape[1]]))


class TestCalibration:
    """Temperature, log loss, calibration error."""

    @pytest.mark.parametrize("degree", [0.25, 1.0, 3.0])
    def test_the_temperature_that_was_applied_is_found_again(self, degree: float) -> None:
        rng = np.random.default_rng(1)
        honest = softmax(rng.normal(size=(20_000, 4)) * 2)
        codes = np.array([rng.choice(4, p=row / row.sum()) for row in honest.astype(float)])
        found = temperature(tempered(honest, 1 / degree), codes)
        assert found == pytest.approx(degree, rel=0.05)

    def test_no_other_temperature_has_a_lower_loss(self) -> None:
        probabilities, codes = drawn(500)
        best = log_loss(tempered(probabilities, temperature(probabilities, codes)), codes)
        others = [log_loss(tempered(probabilities, degree), codes) for degree in np.geomspace(0.06, 19, 200)]
        assert best <= min(others) + 1e-6

    def test_extremes_stay_finite(self) -> None:
        sure = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
        assert temperature(sure, np.array([0, 1])) == pytest.approx(0.05)
        assert temperature(sure, np.array([1, 0])) == pytest.approx(20)
        assert np.isfinite(log_loss(sure, np.array([1, 0])))
        none, no_codes = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
        assert temperature(none, no_codes) == 1
        assert np.isnan(log_loss(none, no_codes))
        assert np.isnan(calibration_error(none, no_codes))

    def test_the_error_by_hand(self) -> None:
        rows = np.array([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [0.1, 0.9]], np.float32)
        # bins: 0.95 twice, one right, with gap 0.45 * 2; 0.6 right, gap 0.4; 0.9 right, gap 0.1
        assert calibration_error(rows, np.array([0, 1, 1, 1])) == pytest.approx((0.9 + 0.4 + 0.1) / 4, abs=1e-6)


class TestStrength:
    """Whether a model is too weak to mine with."""

    def test_always_the_same_class_is_a_guess_however_common_it_is(self) -> None:
        codes = np.array([0] * 95 + [1] * 5)
        found = strength(np.zeros(100, np.int64), codes, 2)
        assert found.accuracy == found.majority == pytest.approx(0.95)
        assert found.balanced == pytest.approx(0.5)
        assert found.too_weak

    def test_the_interval_holds_the_truth_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(0)
        recalls, sizes = np.array([0.9, 0.7, 0.5]), [30, 60, 200]
        codes = np.repeat(np.arange(3), sizes)
        inside = 0
        for _ in range(400):
            right = rng.random(len(codes)) < recalls[codes]
            found = strength(np.where(right, codes, (codes + 1) % 3), codes, 3)
            inside += found.low <= recalls.mean() <= found.high
        assert 0.92 <= inside / 400 <= 1

    def test_guessing_is_hardly_ever_strong_enough_even_with_many_small_classes(self) -> None:
        rng = np.random.default_rng(0)
        for classes, each in ((2, 10), (2, 100), (100, 5)):
            codes = np.repeat(np.arange(classes), each)
            passed = [not strength(rng.permutation(codes), codes, classes).too_weak for _ in range(200)]
            assert np.mean(passed) <= 0.02

    def test_a_good_model_passes_once_there_are_enough_rows(self) -> None:
        codes = np.repeat([0, 1], 20)
        assert not strength(np.where(np.arange(40) % 20 < 17, codes, 1 - codes), codes, 2).too_weak
        assert strength(np.array([0, 1]), np.array([0, 1]), 2, skill=0.5).too_weak  # two rows prove nothing

    def test_without_rows_nothing_is_strong(self) -> None:
        assert strength(np.zeros(3, np.int64), np.full(3, -1), 2).too_weak


class TestMembers:
    """P-values keep their promise on items they have not seen."""

    @pytest.mark.parametrize("error", [0.02, 0.1])
    def test_of_a_class_at_most_that_share_is_ruled_out(self, error: float) -> None:
        wrong = []
        for seed in range(300):
            probabilities, codes = drawn(600, seed=seed)
            fresh = np.arange(300, 600)
            values = member_p_values(view(probabilities), np.where(np.arange(600) < 300, codes, -1), fresh)
            member = np.eye(3, dtype=bool)[codes[fresh]]
            wrong.append(((values < error) & member).sum(axis=0) / member.sum(axis=0))
        share = np.mean(wrong, axis=0)
        assert (share <= error + 3 * np.std(wrong, axis=0) / np.sqrt(300)).all()
        assert (share >= error * 0.4).all()  # and not for want of ruling anything out

    def test_by_hand(self) -> None:
        scores = np.arange(1, 100, dtype=np.float32) / 100
        rows = np.stack([scores, 1 - scores], axis=1).astype(np.float32)
        codes = np.zeros(99, np.int64)
        codes[[0, 50]] = -1  # 97 members are left
        found = member_p_values(view(rows), codes, np.array([0, 50, 98]))[:, 0]
        assert found.tolist() == pytest.approx([1 / 98, 50 / 98, 1])

    def test_members_count_by_how_far_they_are_believed(self) -> None:
        probabilities, codes = drawn(300)
        flipped = np.where(np.arange(300) < 60, (codes + 1) % 3, codes)
        believed = np.ones((300, 3), np.float32)
        believed[np.arange(60), flipped[:60]] = 0
        some, items = np.arange(300) >= 60, np.arange(300)
        noisy = member_p_values(view(probabilities), flipped, items, believed)
        clean = member_p_values(view(probabilities), np.where(some, codes, -1), items)
        assert noisy == pytest.approx(clean)

    def test_small_classes_are_compared_with_all(self) -> None:
        probabilities, codes = drawn(400)
        few = np.where(codes == 2, -1, codes)
        few[np.flatnonzero(codes == 2)[:10]] = 2
        own = probabilities[np.arange(400), few][few >= 0]
        found = member_p_values(view(probabilities), few, np.array([7]))[0, 2]
        assert found == pytest.approx((1 + (own <= probabilities[7, 2]).sum()) / (1 + len(own)))

    def test_several_labels_and_rows_without_prediction(self) -> None:
        probabilities, codes = drawn(200)
        lists = Ragged.from_lists([[int(one)] for one in codes])
        plain, several = (member_p_values(view(probabilities), one, np.arange(200)) for one in (codes, lists))
        assert plain.tolist() == several.tolist()
        more = np.concatenate([probabilities, np.full((1, 3), np.nan, np.float32)])
        found = member_p_values(view(more), np.append(codes, 0), np.arange(201))
        assert found[:200].tolist() == plain.tolist()
        assert found[200].tolist() == [1, 1, 1]


class TestPooling:
    """Several models."""

    def test_views_of_other_items_are_refused(self) -> None:
        first, _ = drawn(10)
        with pytest.raises(InputError, match="number 2 has 9 and 3"):
            pooled([view(first), view(first[:9])])
        with pytest.raises(InputError, match="at least one prediction"):
            pooled([])

    def test_pooling_passes_over_views_without_a_prediction(self) -> None:
        first, second = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), np.full((2, 2), np.nan, np.float32)
        second[0] = [0.5, 0.5]
        found = pooled([view(first), view(second)])
        assert found.probabilities.tolist() == [pytest.approx([0.75, 0.25]), pytest.approx([0.2, 0.8])]
        alone = Predictions(first, np.array([False, True]), ("a", "b"))
        assert pooled([alone, view(second)]).held_out.tolist() == [False, True]
        assert np.isnan(pooled([view(second), view(second)]).probabilities[1]).all()

    def test_pooling_of_independent_classes_averages_log_odds(self) -> None:
        one, other = (Predictions(np.array([[p]], np.float32), np.ones(1, bool), ("a",), True) for p in (0.9, 0.1))
        assert pooled([one, other]).probabilities[0, 0] == pytest.approx(0.5)
