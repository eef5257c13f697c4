from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.report.conftest import build

from hardneg.context import Vectors
from hardneg.mining import refilter
from hardneg.plane import MOST, fitted, places_of
from hardneg.run import PLANE


@pytest.fixture
def vectors() -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.normal(size=(300, 12)) * np.linspace(3, 0.2, 12)).astype(np.float32)


def test_it_is_scikit_learns(vectors: np.ndarray) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    theirs = decomposition.PCA(2).fit(vectors)
    mine = fitted(vectors)
    sign = np.sign((mine.axes * theirs.components_.T).sum(axis=0))
    np.testing.assert_allclose(mine.of(vectors), theirs.transform(vectors) * sign, atol=1e-4)
    assert mine.share == pytest.approx(theirs.explained_variance_ratio_.sum(), abs=1e-6)


def test_places_are_of_all_anchors_and_the_used_items(vectors: np.ndarray) -> None:
    used = np.arange(300) % 3 == 0
    table = places_of(Vectors(vectors[:7], vectors), used)
    assert table is not None
    assert table["side"].to_pylist() == ["anchor"] * 7 + ["item"] * 100
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = fitted(vectors[used] / lengths[used]).of(vectors / lengths)
    found = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    np.testing.assert_allclose(found[:7], expected[:7], atol=1e-4)
    np.testing.assert_allclose(found[7:], expected[used], atol=1e-4)


@pytest.mark.parametrize(
    "vectors", [np.zeros((5, 4), np.float32), np.ones((5, 1), np.float32), np.ones((1, 3), np.int8)]
)
def test_odd_vectors_have_places_too(vectors: np.ndarray) -> None:
    table = places_of(Vectors(vectors, vectors, "dot"), np.ones(len(vectors), bool))
    assert table is not None
    assert np.isfinite(table["x"].to_numpy()).all()


def test_too_many_have_none() -> None:
    many = np.zeros((MOST, 1), np.int8)
    assert places_of(Vectors(many[:1], many), np.ones(MOST, bool)) is None
    assert places_of(Vectors(many[:1], many), np.zeros(MOST, bool)) is None


def test_a_refiltered_run_keeps_the_places(tmp_path: Path) -> None:
    run = build(tmp_path / "a")
    again = refilter(run, out=tmp_path / "b")
    assert (run.path / PLANE).read_bytes() == (again.path / PLANE).read_bytes()
    assert run.plane is not None
    assert run.plane.num_rows == len(run.anchors) + len(run.items)
