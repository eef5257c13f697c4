from __future__ import annotations

import math

import numpy as np
import pytest

from hardneg.errors import InputError, OptionError
from hardneg.similarity import Similarity, check_vectors, pair_scores, zero_rows

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("width", [1, 2, 7, 64, 8193])
def test_a_score_does_not_depend_on_its_company(similarity: Similarity, width: int) -> None:
    x, y = (RNG.normal(size=(n, width)).astype(np.float32) for n in (6, 9))
    left, right = (one.ravel() for one in np.meshgrid(np.arange(6), np.arange(9)))
    whole = pair_scores(x, y, left, right, similarity)
    alone = [pair_scores(x[a : a + 1], y[b : b + 1], np.zeros(1, int), np.zeros(1, int), similarity)[0]
             for a, b in zip(left, right, strict=True)]  # fmt: skip
    assert whole.tolist() == np.array(alone).tolist()


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_scores_equal_their_formula(similarity: Similarity) -> None:
    x, y = RNG.normal(size=(1, 5)).astype(np.float32), RNG.normal(size=(1, 5)).astype(np.float32)
    a, b = x[0].tolist(), y[0].tolist()
    dot = math.fsum(p * q for p, q in zip(a, b, strict=True))
    formula = {"dot": dot, "cosine": dot / math.hypot(*a) / math.hypot(*b), "euclidean": -math.dist(a, b)}
    found = pair_scores(x, y, np.zeros(1, int), np.zeros(1, int), similarity)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(formula[similarity], rel=1e-7)


def test_a_zero_vector_has_cosine_zero() -> None:
    found = pair_scores(np.zeros((1, 2), "f4"), np.ones((1, 2), "f4"), np.zeros(1, int), np.zeros(1, int), "cosine")
    assert found.tolist() == [0]


def test_short_vectors_have_a_direction() -> None:
    vectors = np.array([[0, 0], [1e-30, 0], [-0.0, 0.0], [0, 1e-45]], np.float32)
    assert zero_rows(vectors).tolist() == [True, False, True, False]
    here = np.array([1]), np.array([1])
    assert pair_scores(vectors, vectors, *here, "cosine").tolist() == [1]


def test_scores_beyond_float32_are_refused() -> None:
    large = np.full((1, 2), 1e20, np.float32)
    with pytest.raises(InputError, match="beyond the range"):
        pair_scores(large, large, np.zeros(1, int), np.zeros(1, int), "dot")


@pytest.mark.parametrize(
    ("vectors", "word"),
    [
        (np.zeros(3), r"shape \(n, d\)"),
        (np.zeros((3, 0)), r"shape \(n, d\)"),
        (np.zeros((2, 3)), "3 ids, 2 vectors"),
        (np.array([[1.0], [np.nan], [np.inf]]), r"2 of the 3 item vectors .*first: row 1"),
        (np.array([[1.0], [np.inf], [-np.inf]]), "NaN or infinity"),
    ],
)
def test_wrong_vectors_are_refused(vectors: np.ndarray, word: str) -> None:
    with pytest.raises(InputError, match=word):
        check_vectors(vectors, "item", rows=3)


def test_finite_vectors_whose_sum_overflows_are_fine() -> None:
    assert check_vectors(np.full((3, 2), 3e38), "item").dtype == np.float32


def test_other_similarities_are_refused() -> None:
    with pytest.raises(OptionError, match="cosine, dot, euclidean"):
        pair_scores(np.ones((1, 1), "f4"), np.ones((1, 1), "f4"), np.zeros(1, int), np.zeros(1, int), "manhattan")  # type: ignore[arg-type]
