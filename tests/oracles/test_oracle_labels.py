"""Predictions and label errors beside scikit-learn, plain loops, and errors planted in real data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardneg.predict import (
    KNN,
    Logistic,
    calibration_error,
    label_errors,
    log_loss,
    make_model,
    strength,
)
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

sklearn: Any = pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')
DIGITS = tuple("0123456789")


def _drawn(n: int, classes: int, seed: int) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, n)
    scores = rng.normal(size=(n, classes))
    scores[np.arange(n), codes] += 1.5
    raised = np.exp(scores)
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32), codes


@pytest.fixture(scope="module")
def digits() -> tuple[FloatArray, IntArray, IntArray]:
    """Vectors of the handwritten digits, their true classes, and labels of which 10% are wrong."""
    from sklearn.datasets import load_digits

    data = load_digits()
    rng = np.random.default_rng(0)
    truth = data.target.astype(np.int64)
    flipped = rng.random(len(truth)) < 0.1
    codes = np.where(flipped, (truth + rng.integers(1, 10, len(truth))) % 10, truth)
    return data.data.astype(np.float32), truth, codes


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_scikit_learn(seed: int) -> None:
    from sklearn import metrics

    probabilities, codes = _drawn(300, 4, seed)
    taken = probabilities.argmax(axis=1)
    found = strength(taken, codes, 4)
    assert log_loss(probabilities, codes) == pytest.approx(metrics.log_loss(codes, probabilities), abs=1e-5)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(codes, taken))
    assert found.balanced == pytest.approx(metrics.balanced_accuracy_score(codes, taken))


def test_the_calibration_error_is_that_of_a_loop() -> None:
    probabilities, codes = _drawn(500, 3, 0)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == codes
    expected = 0.0
    for low in range(15):
        inside = (confidence * 15 >= low) & (confidence * 15 < low + 1)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert calibration_error(probabilities, codes) == pytest.approx(expected, abs=1e-6)


def test_unlabelled_rows_are_predicted_as_by_scikit_learn(digits: tuple[FloatArray, IntArray, IntArray]) -> None:
    from sklearn.linear_model import LogisticRegression

    vectors, truth, _ = digits
    codes = np.where(np.arange(len(truth)) < 1200, truth, -1)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = LogisticRegression(C=3.0, max_iter=1000).fit(unit[:1200], truth[:1200]).predict_proba(unit[1200:])
    found = Logistic(calibrate=False).predict(vectors, codes, DIGITS)
    assert found.probabilities[1200:] == pytest.approx(expected, abs=2e-3)


def test_votes_are_those_of_a_loop(digits: tuple[FloatArray, IntArray, IntArray]) -> None:
    vectors, truth, _ = digits
    codes = np.where(np.arange(300) < 200, truth[:300], -1)
    found = KNN(k=7, temperature=0.2, calibrate=False).predict(vectors[:300], codes, DIGITS)
    unit = vectors[:300].astype(float) / np.linalg.norm(vectors[:300].astype(float), axis=1, keepdims=True)
    prior = np.bincount(codes[:200], minlength=10) / 200
    for row in range(200, 300):
        cosine = unit[:200] @ unit[row]
        best = np.argsort(-cosine)[:7]
        votes = np.zeros(10)
        for one in best:
            votes[codes[one]] += np.exp((cosine[one] - 1) / 0.2)
        expected = (7 * votes / votes.sum() + prior) / 8
        assert found.probabilities[row] == pytest.approx(expected, abs=1e-5)


def test_errors_planted_in_digits_are_found(digits: tuple[FloatArray, IntArray, IntArray]) -> None:
    vectors, truth, codes = digits
    views = [make_model(one).predict(vectors, codes, DIGITS) for one in ("logistic", "knn")]
    found = label_errors(views, codes)
    wrong = codes != truth
    elsewhere = found.true_class.copy()
    elsewhere[np.arange(len(codes)), codes] = -1
    suspect = elsewhere.max(axis=1) >= 0.3
    assert (wrong & suspect).sum() / wrong.sum() > 0.86
    assert (wrong & suspect).sum() / suspect.sum() > 0.98
    assert found.about["noise"] == pytest.approx(0.1, abs=0.04)
    # Among what would be mined: the likeliest other class of each item, the 60 most probable ones of each class.
    others = views[0].probabilities.copy()
    others[np.arange(len(codes)), codes] = -1
    rows = np.argsort(-others, axis=0)[:60].T.reshape(-1)
    classes = np.repeat(np.arange(10), 60)
    doubted = found.true_class[rows, classes] >= 0.1  # from here on the filter does not believe the label
    flipped = truth[rows] == classes
    assert doubted[flipped].mean() >= 0.9
    assert doubted[~flipped].mean() <= 0.1
