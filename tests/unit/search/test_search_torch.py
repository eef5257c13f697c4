from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from hardneg.errors import MissingExtraError, OptionError
from hardneg.ragged import Ragged
from hardneg.search import Constraints, Hits, Unlike
from hardneg.search._blocks import Sides
from hardneg.search._device import Scan
from hardneg.search._precision import Precision, products_in
from hardneg.search.torch import Torch
from hardneg.similarity import FloatArray, Matrix, Similarity, pair_scores
from hardneg.testing import check_engine
from hardneg.testing.engines import brute_force

torch: Any = pytest.importorskip("torch", reason='needs: pip install "hardneg[gpu]"')

PRECISIONS = get_args(Precision)
SIMILARITIES = get_args(Similarity)
on_a_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that CUDA shows")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def normal(n: int, d: int) -> FloatArray:
    return np.random.default_rng(n).normal(size=(n, d)).astype(np.float32)


def same(found: Hits, wanted: Hits) -> None:
    assert found.items.offsets.tolist() == wanted.items.offsets.tolist()
    assert found.items.values.tolist() == wanted.items.values.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert found.ranks.tolist() == wanted.ranks.tolist()


@pytest.mark.parametrize("blocks", [(4096, 16384), (4, 7)])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_equals_brute_force_whatever_the_precision_and_the_blocks(
    precision: Precision, blocks: tuple[int, int]
) -> None:
    check_engine(Torch("cpu", precision, *blocks))


@on_a_card
@pytest.mark.parametrize("blocks", [(4096, 16384), (4, 7)])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_equals_brute_force_on_every_card(precision: Precision, blocks: tuple[int, int]) -> None:
    check_engine(Torch(None, precision, *blocks))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_more_ties_than_there_is_room_for(precision: Precision, similarity: Similarity) -> None:
    """Of 3,000 items only 9 differ, so hundreds tie at the k-th place: the lowest rows must come."""
    items = rng().integers(-1, 2, size=(3000, 2)).astype(np.float32)
    free = Constraints.none(5, 3000)
    found = Torch("cpu", precision).search(items[:5], items, 7, similarity, free)
    same(found, brute_force(items[:5], items, 7, similarity, free))


def distorted(by: float) -> Any:
    """A product that rounds as badly as ever allowed, each time in another way."""
    noise = torch.Generator().manual_seed(3)

    def product(left: Any, right: Any) -> Any:
        exact = left.double() @ right.double().T
        lengths = left.double().norm(dim=1)[:, None] * right.double().norm(dim=1)
        return (exact + by * lengths * (torch.rand(exact.shape, generator=noise) * 2 - 1)).float()

    return product


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_no_rounding_within_the_bound_changes_an_answer(
    similarity: Similarity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardneg.search._device.product", distorted(1.9e-3))  # the bound of tf32 is 2**-9
    anchors, items = normal(8, 3), normal(3001, 3)
    ceiling = np.array([np.inf, 0.999, 0.5, -0.5, -1.0, -2.0, 3.0, np.inf], np.float32)
    bounded = Constraints(Ragged.empty(8), np.zeros(3001, bool), ceiling=ceiling, skip=2, within=40)
    for constraints in (Constraints.none(8, 3001), bounded):
        found = Torch("cpu", "tf32", 3, 500).search(anchors, items, 20, similarity, constraints)
        same(found, brute_force(anchors, items, 20, similarity, constraints))


def test_rounding_beyond_the_bound_would_be_noticed_by_the_test_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.search._device.product", distorted(0.1))
    anchors, items = normal(8, 3), normal(3001, 3)
    free = Constraints.none(8, 3001)
    found = Torch("cpu", "tf32").search(anchors, items, 20, "cosine", free)
    assert found.items.values.tolist() != brute_force(anchors, items, 20, "cosine", free).items.values.tolist()


@pytest.mark.parametrize("most", [1.0, 0.5])
def test_items_at_the_ceiling_do_not_crowd_out_those_below(most: float) -> None:
    """500 items score a hair more than the ceiling, and perhaps most the ceiling itself: a device cannot tell."""
    line = np.full((3000, 1), most, np.float32)
    line[::6] = np.nextafter(np.float32(1), np.float32(2))
    line[5::50] = 0.25
    one = np.ones((1, 1), np.float32)
    for skip, k in ((0, 3), (500, 3), (500, 2600)):
        ceiling = Constraints(Ragged.empty(1), np.zeros(3000, bool), ceiling=np.ones(1, np.float32), skip=skip)
        found = Torch("cpu").search(one, line, k, "dot", ceiling)
        same(found, brute_force(one, line, k, "dot", ceiling))
        assert found.ranks[0] == 500


def cut(vectors: Any) -> Any:
    """What a tensor core may see of float32: 10 bits, the others cut off."""
    return torch.from_numpy((vectors.numpy().view(np.int32) & np.int32(-8192)).view(np.float32))


@pytest.mark.parametrize("spread", [0, 25])
@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_true_product_lies_within_the_bound(
    precision: Precision, similarity: Similarity, spread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for lengths from 1e-25 to 1 side by side, of which squares vanish in float32."""
    if precision == "tf32":
        monkeypatch.setattr("hardneg.search._device.product", lambda left, right: cut(left) @ cut(right).T)
    anchors, items = (rng().normal(size=(n, 40)) * 10.0 ** -rng().uniform(0, spread, (n, 1)) for n in (30, 200))
    sides = Sides.of(anchors.astype(np.float32), items.astype(np.float32), similarity)
    scan = Scan.of(sides, Constraints.none(30, 200), 64, torch.device("cpu"))
    kept = scan(np.arange(30), 200, precision)
    left, right = sides.left(np.arange(30)).astype(np.float64), sides.right(slice(None)).astype(np.float64)
    true = left @ right.T - (0 if similarity != "euclidean" else (right**2).sum(1) / 2)
    true = np.take_along_axis(true, kept.items, 1)
    assert (kept.highest >= true).all()
    assert (kept.highest - kept.gap[:, None] <= true).all()
    if not spread:
        sizes = np.linalg.norm(left, axis=1) + np.linalg.norm(right, axis=1).max()
        assert (kept.gap <= sizes**2 * {"float32": 2**-15, "tf32": 2**-7, "bf16": 2**-6}[precision]).all()


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_the_bound_holds_for_a_block_of_items_too_short_to_square(
    precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    if precision == "tf32":
        monkeypatch.setattr("hardneg.search._device.product", lambda left, right: cut(left) @ cut(right).T)
    anchors = rng().integers(-1, 2, (9, 8)).astype(np.float32)  # these lose nothing
    items = normal(20, 8) * np.repeat([1e-25, 1], 10)[:, None].astype(np.float32)
    scan = Scan.of(Sides.of(anchors, items, "dot"), Constraints.none(9, 20), 10, torch.device("cpu"))
    kept = scan(np.arange(9), 20, precision)
    true = np.take_along_axis(anchors.astype(np.float64) @ items.T.astype(np.float64), kept.items, 1)
    assert (kept.highest >= true).all()


def test_the_bound_holds_for_vectors_that_are_nearly_of_length_one() -> None:
    """They are not divided by their length, so its error is left."""
    anchors, items = (normal(n, 2) / np.linalg.norm(normal(n, 2), axis=1, keepdims=True) for n in (30, 200))
    items = (items * (1 + 1.9e-6 * np.where(np.arange(200) % 2, 1, -1)[:, None])).astype(np.float32)
    sides = Sides.of(anchors, items, "cosine")
    assert not sides.divide
    kept = Scan.of(sides, Constraints.none(30, 200), 64, torch.device("cpu"))(np.arange(30), 200, "float32")
    left, right = (
        one / np.linalg.norm(one, axis=1, keepdims=True) for one in (anchors.astype(float), items.astype(float))
    )
    true = np.take_along_axis(left @ right.T, kept.items, 1)
    assert (kept.highest >= true).all()
    assert (kept.highest - kept.gap[:, None] <= true).all()


def test_settings_of_the_process_are_put_back() -> None:
    backends = torch.backends
    before = backends.cuda.matmul.fp32_precision, backends.mkldnn.matmul.fp32_precision
    backends.cuda.matmul.fp32_precision = "tf32"
    try:
        with products_in("float32"):
            assert backends.cuda.matmul.fp32_precision == "ieee"
        with pytest.raises(RuntimeError), products_in("bf16"):
            torch.mm(torch.ones(1, 2), torch.ones(1, 2))
        assert backends.cuda.matmul.fp32_precision == "tf32"
    finally:
        backends.cuda.matmul.fp32_precision, backends.mkldnn.matmul.fp32_precision = before


def test_how_many_devices_there_are_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    anchors, items = normal(50, 8), normal(900, 8)
    codes = (Unlike(rng().integers(-1, 4, 50), rng().integers(-1, 4, 900)),)
    constraints = Constraints(Ragged.empty(50), rng().random(900) < 0.1, codes)
    one = Torch("cpu", "bf16", 7).search(anchors, items, 9, "cosine", constraints)
    monkeypatch.setattr("hardneg.search.torch._devices", lambda _: [torch.device("cpu")] * 3)
    same(Torch(None, "bf16", 7).search(anchors, items, 9, "cosine", constraints), one)
    same(one, brute_force(anchors, items, 9, "cosine", constraints))


def test_items_may_stay_on_disk(tmp_path: Path) -> None:
    anchors, items = normal(5, 6), normal(100, 6).astype(np.float16)
    np.save(tmp_path / "items.npy", items)
    mapped: Matrix = np.load(tmp_path / "items.npy", mmap_mode="r")
    free = Constraints.none(5, 100)
    same(Torch("cpu", "bf16").search(anchors, mapped, 9, "dot", free), brute_force(anchors, items, 9, "dot", free))


def test_scores_are_those_of_single_pairs() -> None:
    anchors, items = normal(3, 300), normal(50, 300)
    found = Torch("cpu", "bf16").search(anchors, items, 4, "cosine", Constraints.none(3, 50))
    assert (
        found.scores.tolist() == pair_scores(anchors, items, found.items.rows(), found.items.values, "cosine").tolist()
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_without_a_card_the_message_says_what_there_is() -> None:
    with pytest.raises(OptionError, match=r"no device 'cuda' here\. It finds: cpu.*engine 'exact'"):
        Torch().search(normal(1, 2), normal(2, 2), 1, "dot", Constraints.none(1, 2))


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu0", "cpu, mps, cuda or cuda:NUMBER. Got gpu0"),
        ("cuda:99", "no device 'cuda:99'"),
        ("meta", "no device 'meta'"),
    ],
)
def test_a_device_that_is_not_there(device: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Torch(device).search(normal(1, 2), normal(2, 2), 1, "dot", Constraints.none(1, 2))


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[gpu\]"'):
        Torch("cpu").search(normal(1, 2), normal(2, 2), 1, "dot", Constraints.none(1, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int4"}, "The 'precision' must be one of float32, tf32, bf16. Got int4."),
        ({"anchor_block": 0}, "The 'anchor_block' must be at least 1. Got 0."),
        ({"item_block": 0}, "The 'item_block' must be at least 1. Got 0."),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Torch(**options)
    assert str(caught.value) == message
