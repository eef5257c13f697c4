from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError
from hardneg.predict import Predictions, label_errors, label_noise, true_class
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray

NAMES = ("a", "b", "c")


def scene(n: int = 900, wrong: float = 0.1, seed: int = 0) -> tuple[Predictions, IntArray, IntArray]:
    """Predictions of a good model of noisy labels, the labels, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    codes = np.where(rng.random(n) < wrong, (truth + rng.integers(1, 3, n)) % 3, truth)
    scores = rng.normal(size=(n, 3))
    scores[np.arange(n), truth] += 5
    raised = np.exp(scores)
    clean = raised / raised.sum(axis=1, keepdims=True)
    noise = np.full((3, 3), wrong / 2) + np.eye(3) * (1 - 1.5 * wrong)
    return Predictions((clean @ noise.T).astype(np.float32), np.ones(n, bool), NAMES), codes, truth


def suspected(truth: FloatArray, codes: IntArray, least: float = 0.5) -> IntArray:
    """The other class that each labelled item is likely of, -1 for none."""
    others = truth.copy()
    others[np.arange(len(codes)), codes] = -1
    return np.where(others.max(axis=1) >= least, others.argmax(axis=1), -1).astype(np.int64)


def test_planted_errors_are_found_and_hard_negatives_are_let_be() -> None:
    predictions, codes, truth = scene()
    found = label_errors(predictions, codes)
    wrong = codes != truth
    likely = suspected(found.true_class, codes)
    assert (likely[wrong] == truth[wrong]).mean() > 0.85
    assert (likely[~wrong] >= 0).mean() < 0.01
    assert found.about["suspected"] == (likely >= 0).sum()
    assert (found.true_class[wrong, truth[wrong]] >= 0.5).mean() > 0.8
    others = found.true_class[~wrong, (codes[~wrong] + 1) % 3]
    assert (others < 0.1).mean() > 0.95
    assert (others >= 0.5).mean() < 0.01
    assert found.about["noise"] == pytest.approx(0.1, abs=0.03)


def test_the_probability_of_the_true_class_is_one() -> None:
    predictions, codes, truth = scene(4000, 0.2)
    found = label_errors(predictions, codes)
    rows = np.arange(4000)
    assert found.true_class.sum(axis=1) == pytest.approx(np.ones(4000), abs=1e-5)
    figures = found.true_class[rows, truth]
    others = found.true_class[rows, (truth + 1) % 3]
    every = np.concatenate([figures, others])
    is_true = np.repeat([True, False], 4000)
    for low, high in ((0.0, 0.1), (0.9, 1.01)):  # calibrated where it matters
        inside = (every >= low) & (every < high)
        assert is_true[inside].mean() == pytest.approx(every[inside].mean(), abs=0.05)


def test_without_noise_a_label_weighs_nearly_all() -> None:
    predictions, codes, _ = scene(wrong=0.0)
    found = label_errors(predictions, codes)
    assert found.about["noise"] == pytest.approx(0, abs=0.01)
    assert (found.true_class[np.arange(900), (codes + 1) % 3] >= 0.5).mean() < 0.005


def test_of_a_row_that_was_not_held_out_nothing_is_said() -> None:
    predictions, codes, _ = scene()
    held = predictions.held_out.copy()
    held[:5] = False
    found = label_errors(Predictions(predictions.probabilities, held, NAMES), codes)
    assert np.isnan(found.true_class[:5]).all()
    assert np.isfinite(found.true_class[5:]).all()
    assert found.about["judged"] == 895


def test_an_unlabelled_row_is_judged_by_its_prediction_alone() -> None:
    predictions, codes, truth = scene()
    codes[:50] = -1
    found = label_errors(predictions, codes)
    assert found.about["judged"] == 850
    assert (found.true_class[np.arange(50), truth[:50]] >= 0.5).mean() > 0.9


def test_a_model_that_is_too_weak_says_so() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.ones(3), 300).astype(np.float32)
    found = label_errors(Predictions(rows, np.ones(300, bool), NAMES), rng.integers(0, 3, 300))
    assert found.about["too_weak"]


def test_two_views_are_better_than_each() -> None:
    predictions, codes, truth = scene(3000)
    rng = np.random.default_rng(3)

    def blurred() -> Predictions:
        rows: FloatArray = np.exp(np.log(predictions.probabilities) + rng.normal(size=(3000, 3)) * 1.5)
        return Predictions((rows / rows.sum(axis=1, keepdims=True)).astype(np.float32), predictions.held_out, NAMES)

    views = [blurred(), blurred()]
    wrong = codes != truth

    def right(models: Predictions | list[Predictions]) -> float:
        found = suspected(label_errors(models, codes).true_class, codes)
        return float((found == np.where(wrong, truth, -1)).mean())

    assert right(views) > max(right(one) for one in views)


def test_several_labels_an_item_are_judged_class_by_class() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((600, 2)) < 0.4
    rows = np.where(truth, 0.96, 0.04) + rng.uniform(-0.03, 0.03, (600, 2))
    labels = truth.copy()
    labels[:80, 0] = False  # what is missing
    labels[:80, 1] = True  # so that they are labelled
    codes = Ragged.from_lists([np.flatnonzero(row) for row in labels])
    found = label_errors(Predictions(rows.astype(np.float32), np.ones(600, bool), ("a", "b"), True), codes)
    missing = np.flatnonzero(truth[:80, 0])
    assert (found.true_class[missing, 0] >= 0.5).all()
    unlabelled = codes.lengths() == 0
    assert np.isnan(found.true_class[unlabelled]).all()
    assert found.about["judged"] == (~unlabelled).sum()
    assert found.about["suspected"] == len(missing)


def test_what_does_not_go_together_is_refused() -> None:
    predictions, codes, _ = scene(30)
    with pytest.raises(InputError, match="go with a Ragged"):
        label_errors(predictions, Ragged.from_lists([[int(one)] for one in codes]))
    with pytest.raises(InputError, match="had not seen its label"):
        label_errors(Predictions(predictions.probabilities, np.zeros(30, bool), NAMES), codes)
    with pytest.raises(InputError, match="at least one prediction"):
        label_errors([], np.zeros(0, np.int64))


def test_noise_of_a_class_without_rows_is_the_usual() -> None:
    rows = np.tile(np.array([[0.8, 0.1, 0.1]], np.float32), (20, 1))
    found = label_noise(rows, np.zeros(20, np.int64))
    assert found.given.sum(axis=0) == pytest.approx(np.ones(3))
    assert np.isfinite(true_class(rows, np.zeros(20, np.int64), found.given)).all()
