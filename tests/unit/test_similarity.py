from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg import matrix, parallel
from hardneg import similarity as module
from hardneg.errors import InputError, OptionError
from hardneg.matrix import Matrix, Reordered
from hardneg.similarity import Similarity, check_vectors, lengths, pair_scores, squared, zero_rows
from hardneg.stored import Segment, Stored

RNG = np.random.default_rng(0)


def on_disk(array: np.ndarray[Any, Any], path: Path) -> Stored:
    path.write_bytes(array.tobytes())
    return Stored([Segment(path, 0, len(array))], array.shape[1], array.dtype)


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
@pytest.mark.parametrize("width", [1, 24, 8193])
def test_runs_of_one_row_and_known_squares_change_no_bit(
    monkeypatch: pytest.MonkeyPatch, similarity: Similarity, width: int
) -> None:
    monkeypatch.setattr(module, "_SLICE", 30 * width)  # so that runs are longer and shorter than a slice
    x, y = (RNG.normal(size=(n, width)).astype(np.float32) for n in (6, 50))
    left, right = np.repeat(np.arange(6), [1, 90, 0, 30, 17, 40]), RNG.integers(0, 50, 178)
    mixed = RNG.permutation(178)
    wanted = np.empty(178, np.float32)
    wanted[mixed] = pair_scores(x, y, left[mixed], right[mixed], similarity)
    squares = squared(x), squared(y)
    for known in (squares, (None, squares[1]), (squares[0], None), (None, None)):
        assert pair_scores(x, y, left, right, similarity, known).tolist() == wanted.tolist()
        assert pair_scores(y, x, right, left, similarity, known[::-1]).tolist() == wanted.tolist()


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


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int8])
def test_a_score_does_not_depend_on_threads_or_on_where_vectors_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, similarity: Similarity, kind: type
) -> None:
    x: np.ndarray[Any, Any] = (RNG.normal(size=(40, 24)) * 9).astype(kind)
    y: np.ndarray[Any, Any] = (RNG.normal(size=(300, 24)) * 9).astype(kind)
    left, right = RNG.integers(0, 40, 5000), RNG.integers(0, 300, 5000)
    left[1000:3000].sort()
    right[2000:4000].sort()
    monkeypatch.setattr(module, "_SLICE", 24 * 100)
    monkeypatch.setattr(module, "_HELD", 24 * 700)
    monkeypatch.setattr(parallel, "threads", lambda: 1)
    wanted = pair_scores(x, y, left, right, similarity)
    alone = [pair_scores(x, y, left[i : i + 1], right[i : i + 1], similarity)[0] for i in range(0, 5000, 50)]
    assert wanted[::50].tolist() == np.array(alone).tolist()
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    turned = RNG.permutation(300)
    disk = on_disk(x, tmp_path / "x"), on_disk(y, tmp_path / "y")
    sides: list[tuple[Matrix, Matrix]] = [(x, y), (disk[0], y), (x, disk[1]), disk, (x[:, ::-1].copy()[:, ::-1], y)]
    for one, other in [*sides, (x, Reordered(on_disk(y[turned], tmp_path / "t"), np.argsort(turned)))]:
        assert pair_scores(one, other, left, right, similarity).tolist() == wanted.tolist()


def test_rows_that_are_not_there_are_refused() -> None:
    for rows in ([3], [-1]):
        with pytest.raises(IndexError, match="There are 3 rows"):
            pair_scores(np.ones((1, 2)), np.ones((3, 2)), np.zeros(1, int), np.array(rows), "dot")


def test_checks_are_the_same_in_blocks_and_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = RNG.normal(size=(50, 3)).astype(np.float16)
    vectors[[7, 30]] = 0
    whole = lengths(vectors)
    monkeypatch.setattr(matrix.blocks, "__defaults__", (40,))
    monkeypatch.setattr(module, "_SLICE", 12)
    stored = on_disk(vectors, tmp_path / "a")
    assert check_vectors(stored, "item", rows=50) is stored
    assert np.flatnonzero(zero_rows(stored)).tolist() == np.flatnonzero(zero_rows(vectors)).tolist() == [7, 30]
    assert lengths(stored).tolist() == lengths(vectors).tolist() == whole.tolist()
    vectors[[20, 41], [0, 2]] = np.nan, np.inf
    for one in (vectors, on_disk(vectors, tmp_path / "b")):
        with pytest.raises(InputError, match=r"2 of the 50 item vectors .*first: row 20"):
            check_vectors(one, "item")


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int8])
def test_what_can_stay_as_it_is_stays(kind: type) -> None:
    vectors: np.ndarray[Any, Any] = np.arange(6).reshape(3, 2).astype(kind)
    assert check_vectors(vectors, "item") is vectors
    turned = check_vectors(np.asfortranarray(vectors), "item")
    assert turned.dtype == kind
    assert isinstance(turned, np.ndarray)
    assert turned.flags.c_contiguous
    others: list[Any] = [vectors.astype(np.float64), vectors.astype(">f4"), vectors.astype(np.uint8), vectors.tolist()]
    for other in others:
        assert check_vectors(other, "item").dtype == np.float32
