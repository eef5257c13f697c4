"""Products in bfloat16: how far they are off, when they are taken, and what they leave as it was."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.errors import MissingExtraError, OptionError
from hardneg.search import Constraints, Exact, _pace, _products
from hardneg.search._blocks import Sides
from hardneg.search._products import FLOAT32, Bfloat16, Float32, Products, alone
from hardneg.similarity import FloatArray, Similarity

torch: Any = pytest.importorskip("torch", reason='needs: pip install "hardneg[gpu]"')


def normal(n: int, d: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that is quicker with bfloat16, whatever this one is; searches count as long from here on."""
    monkeypatch.setattr(_pace, "gain", lambda _: 2.0)
    monkeypatch.setattr(_pace, "_WORTH", 1e6)


def halfway() -> FloatArray:
    """Numbers halfway between two of bfloat16, so that rounding takes off as much as it can."""
    return (np.sign(normal(20, 64)) * (1 + 2.0**-8)).astype(np.float32)


@pytest.mark.parametrize("low", [False, True])
@pytest.mark.parametrize(
    "vectors", [normal(40, 33), normal(40, 700) * 1e-15, np.abs(normal(40, 4)) * 1e9, halfway(), np.zeros((3, 5))]
)
def test_products_are_off_by_no_more_than_is_said(low: bool, vectors: FloatArray) -> None:
    vectors, wide = np.asarray(vectors, np.float32), np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    products: Products = FLOAT32
    if low:
        products = Bfloat16.of(lambda rows: vectors[rows], len(vectors), float(lengths.max()))
    out = np.full((len(vectors), len(vectors)), np.nan, np.float32)
    with alone(products):
        ready = products.ready(vectors)
        products.multiply(ready, ready, out)
    true = wide @ wide.T
    summed = products.off(vectors)[:, None] * lengths[:, None] * lengths.max()
    said = summed + products.rounding * (np.abs(true) + summed)
    assert (np.abs(out - true) <= said).all()
    if low and vectors.shape == (20, 64):
        assert (np.abs(out - true) / said).max() > 0.5  # the bound is hardly wider than it must be


def test_what_is_lost_is_what_rounding_to_the_nearest_takes_off() -> None:
    vectors = np.concatenate([normal(50, 64), halfway()])
    bits = vectors.view(np.uint32).astype(np.uint64)
    kept = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000  # ties go to the even one
    gone = vectors.astype(np.float64) - kept.astype(np.uint32).view(np.float32)
    said = Bfloat16.of(lambda rows: vectors[rows], len(vectors), 1.0).lost
    assert said == pytest.approx(np.linalg.norm(gone, axis=1).max(), rel=1e-4)


@pytest.mark.parametrize("products", [FLOAT32, Bfloat16()])
def test_some_rows_are_those_rows(products: Products) -> None:
    rows, vectors = np.array([3, 0, 7]), normal(9, 5)
    out, wanted = np.empty((3, 9), np.float32), np.empty((9, 9), np.float32)
    ready = products.ready(vectors)
    products.multiply(products.take(ready, rows), ready, out)
    products.multiply(ready, ready, wanted)
    assert np.allclose(out, wanted[rows], atol=0.02)


@pytest.mark.usefixtures("quick")
def test_bfloat16_is_taken_where_it_pays() -> None:
    near = normal(3000, 32)
    dense = near / 1e4 + 1
    assert isinstance(_pace.quickest(Sides.of(near, near, "cosine"), 3000, 10).products, Bfloat16)
    assert isinstance(_pace.quickest(Sides.of(near, near, "euclidean"), 3000, 10).products, Bfloat16)
    assert isinstance(_pace.quickest(Sides.of(near, near, "cosine"), 99, 10).products, Float32)  # short
    found = _pace.quickest(Sides.of(dense, dense, "cosine"), 3000, 10)
    assert isinstance(found.products, Float32)  # all are as near as rounding tells


def test_a_processor_that_sums_less_exactly_stays_with_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _products.gain(24) > 0
    sums = _products.Bfloat16.multiply

    def less_exact(self: Bfloat16, left: Any, right: Any, out: FloatArray) -> None:
        sums(self, left, right, out)
        out += np.float32(0.1)

    monkeypatch.setattr(_products.Bfloat16, "multiply", less_exact)
    assert _products.gain(25) == 0


def test_a_processor_that_is_no_quicker_stays_with_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pace, "_WORTH", 1e6)
    monkeypatch.setattr(_pace, "gain", lambda _: 1.0)
    vectors = normal(3000, 32)
    assert isinstance(_pace.quickest(Sides.of(vectors, vectors, "cosine"), 3000, 10).products, Float32)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
def test_the_answers_are_the_same_to_the_last_bit(similarity: Similarity) -> None:
    anchors, items = normal(700, 48, 1), normal(9000, 48, 2)
    constraints = Constraints.none(700, 9000)
    low, high = (Exact(precision=one).prepare(anchors, items, 30, similarity, constraints)
                 for one in ("quickest", "float32"))  # fmt: skip
    assert isinstance(low.sides.products, Bfloat16)  # type: ignore[attr-defined]
    assert isinstance(high.sides.products, Float32)  # type: ignore[attr-defined]
    one, other = low(np.arange(700)), high(np.arange(700))
    assert np.array_equal(one.items.values, other.items.values)
    assert np.array_equal(one.scores, other.scores)
    assert low.about == high.about


def test_threads_of_pytorch_and_vectors_that_may_not_be_written_are_left_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "items.npy", normal(500, 16))
    items = np.load(tmp_path / "items.npy", mmap_mode="r")
    before = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hits = Exact(precision="bf16").search(items[:40], items, 5, "dot", Constraints.none(40, 500))
    assert torch.get_num_threads() == before
    assert len(hits.scores) == 200


def test_without_pytorch_float32_serves_and_bf16_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    vectors, free = normal(30, 4), Constraints.none(30, 30)
    assert len(Exact().search(vectors, vectors, 3, "dot", free).scores) == 90
    with pytest.raises(MissingExtraError, match="torch"):
        Exact(precision="bf16").search(vectors, vectors, 3, "dot", free)


def test_a_short_search_does_not_load_pytorch() -> None:
    code = (
        "import sys, numpy as np\nfrom hardneg.search import Constraints, Exact\n"
        "points = np.random.default_rng(0).normal(size=(2000, 64)).astype(np.float32)\n"
        "Exact().search(points, points, 5, 'cosine', Constraints.none(2000, 2000))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_precision_that_there_is_not_is_named() -> None:
    with pytest.raises(OptionError, match=r"The 'precision' must be one of quickest, float32, bf16\. Got half\."):
        Exact(precision="half")  # type: ignore[arg-type]
