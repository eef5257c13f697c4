"""Every miner against a loop over triplets, on whole coordinates (so distances are exact, and ties happen)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError

torch = pytest.importorskip("torch")

from hardneg.online import MINERS, BatchAll, DistanceWeighted, Relations, SemiHard, TopK, relations_of  # noqa: E402
from hardneg.online.miners.distance_weighted import log_weights  # noqa: E402

Triplet = tuple[int, int, int]
Rows = tuple[int, Any, list[int], list[int]]  # an anchor, its distances, its positives, its negatives


def of_anchor(found: Callable[[Any, list[int], list[int]], list[tuple[int, int]]]) -> Callable[..., list[Triplet]]:
    return lambda a, d, positives, negatives: [(a, p, n) for p, n in found(d, positives, negatives)]


def hardest(d: Any, of: list[int]) -> list[int]:
    return [max(of, key=lambda one: (d[one], -one))] if of else []


def nearest(d: Any, of: list[int]) -> list[int]:
    return [min(of, key=lambda one: (d[one], one))] if of else []


def beyond(d: Any, p: int, negatives: list[int], margin: float = np.inf) -> list[int]:
    return nearest(d, [n for n in negatives if d[p] < d[n] < d[p] + margin])


def top(d: Any, ps: list[int], ns: list[int]) -> list[tuple[int, int]]:
    first = sorted(ps, key=lambda one: (-d[one], one))[:2]
    return [(p, n) for p in first for n in sorted(ns, key=lambda one: (d[one], one))[:3]]


# Each rule as a plain loop: distances of one anchor, its positives and its negatives, to pairs (p, n).
LOOPS: dict[str, Callable[[Any, list[int], list[int]], list[tuple[int, int]]]] = {
    "batch_hard": lambda d, ps, ns: [(p, n) for p in hardest(d, ps) for n in nearest(d, ns)],
    "batch_all": lambda d, ps, ns: [(p, n) for p in ps for n in ns],
    "batch_all(margin=2)": lambda d, ps, ns: [(p, n) for p in ps for n in ns if d[n] - d[p] <= 2],
    "all_hard": lambda d, ps, ns: [(p, n) for p in ps for n in ns if d[n] <= d[p]],
    "semi_hard(margin=2)": lambda d, ps, ns: [(p, n) for p in ps for n in ns if 0 < d[n] - d[p] <= 2],
    "semi_hard_nearest": lambda d, ps, ns: [(p, n) for p in ps for n in beyond(d, p, ns) or hardest(d, ns)],
    "semi_hard_beyond_hardest": lambda d, ps, ns: [
        (p, n) for p in hardest(d, ps) for n in beyond(d, p, ns) or hardest(d, ns)
    ],
    "semi_hard_facenet(margin=3)": lambda d, ps, ns: [(p, n) for p in ps for n in beyond(d, p, ns, 3)],
    "easy_positive": lambda d, ps, ns: [(p, n) for p in nearest(d, ps) for n in beyond(d, p, ns)],
    "easy_positive(negatives=hard)": lambda d, ps, ns: [(p, n) for p in nearest(d, ps) for n in nearest(d, ns)],
    "top_k(positives=2, negatives=3)": top,
}
DRAWN = ["distance_weighted", "semi_hard_random(margin=2)", "tempered(temperature=1)", "uniform"]
ALL = [*LOOPS, *DRAWN, "multi_similarity(epsilon=1)"]
TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def made(text: str, **options: Any) -> Any:
    """On whole coordinates, squared distances are exact in every type."""
    if text.startswith("distance_weighted"):
        return MINERS.make(text)
    return replace(MINERS.make(text), distance="squared", normalize=False, **options)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    size, refs, classes = draw(st.integers(0, 14)), draw(st.integers(0, 9)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(TYPES))
    x, y = (torch.from_numpy(rng.integers(-3, 4, (many, 3))).to(kind) for many in (size, refs))
    lx, ly = (torch.from_numpy(rng.integers(-1, classes, many)) for many in (size, refs))
    return (x, lx, None, None) if draw(st.booleans()) else (x, lx, y, ly)


def rows(x: Any, lx: Any, y: Any, ly: Any, *, normalize: bool = False) -> Iterator[Rows]:
    own = y is None
    left, right = (one.double().numpy() for one in (x, x if own else y))
    if normalize:
        left, right = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12) for one in (left, right))
    labels = (lx if own else ly).tolist()
    for a, mine in enumerate(lx.tolist()):
        others = [m for m in range(len(right)) if not (own and m == a) and mine >= 0 and labels[m] >= 0]
        d = ((left[a] - right) ** 2).sum(1)
        yield a, d, [m for m in others if labels[m] == mine], [m for m in others if labels[m] != mine]


def listed(found: Any) -> list[tuple[int, ...]]:
    return sorted(zip(*(one.tolist() for one in found), strict=True))


@pytest.mark.parametrize("text", LOOPS)
@settings(max_examples=30, deadline=None)
@given(batch=batches())
def test_the_rule_is_that_of_a_loop(text: str, batch: Any) -> None:
    expected = sorted(t for a, d, ps, ns in rows(*batch) for t in of_anchor(LOOPS[text])(a, d, ps, ns))
    found = made(text)(*batch)
    assert listed(found) == expected
    assert all(one.dtype == torch.int64 and not one.requires_grad for one in found)


@settings(max_examples=30, deadline=None)
@given(batch=batches())
def test_multi_similarity_is_a_loop_over_pairs(batch: Any) -> None:
    positive, negative = [], []
    for a, d, ps, ns in rows(*batch):
        positive += [(a, p) for p in ps if ns and d[p] + 1 > min(d[n] for n in ns)]
        negative += [(a, n) for n in ns if ps and d[n] - 1 < max(d[p] for p in ps)]
    a1, p, a2, n = made("multi_similarity(epsilon=1)")(*batch)
    assert (listed((a1, p)), listed((a2, n))) == (positive, negative)


@pytest.mark.parametrize("text", ALL)
@settings(max_examples=12, deadline=None)
@given(batch=batches())
def test_the_dense_form_counts_the_index_form(text: str, batch: Any) -> None:
    """Drawn ones too: both draw by the same numbers."""
    if text.startswith("distance_weighted"):
        batch = (batch[0] + 5, *batch[1:])
    miner = made(text)
    shape = (len(batch[0]), len(batch[0] if batch[2] is None else batch[2]))
    torch.manual_seed(1)
    found = miner(*batch)
    pairs = (found[:2], found[2:]) if len(found) == 4 else (found[:2], found[::2])
    torch.manual_seed(1)
    for dense, (rows_, columns) in zip(miner.counts(*batch), pairs, strict=True):
        counted = torch.zeros(shape, dtype=dense.dtype)
        counted.index_put_((rows_, columns), torch.ones(len(rows_), dtype=dense.dtype), accumulate=True)
        assert dense.tolist() == counted.tolist()


@pytest.mark.parametrize("text", DRAWN)
@settings(max_examples=20, deadline=None)
@given(batch=batches())
def test_what_is_drawn_is_admissible(text: str, batch: Any) -> None:
    """One for each positive pair, or one for each anchor; in the window where there is one."""
    found = listed(made(text)(*batch))
    allowed = {}
    x, lx, y, ly = batch
    for a, d, ps, ns in rows(x, lx, y, ly, normalize=text == "distance_weighted"):
        near = [n for n in ns if text != "distance_weighted" or d[n] < 1.4**2 + 1e-6]
        for p in ps:
            window = [n for n in near if d[p] < d[n] < d[p] + 2] if text.startswith("semi") else []
            allowed[a, p] = window or near
    assert all(n in allowed[a, p] for a, p, n in found)
    assert len({(a, p) for a, p, _ in found}) == len(found)
    if text.startswith("tempered"):
        assert len(found) == len({a for (a, _), ns in allowed.items() if ns})
    elif text != "distance_weighted":
        assert len(found) == sum(1 for ns in allowed.values() if ns)


def cloud(size: int, classes: int, seed: int = 0, width: int = 16) -> tuple[Any, Any]:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(size, width, generator=source), torch.randint(classes, (size,), generator=source)


@pytest.mark.parametrize("text", ALL)
def test_the_same_whatever_the_chunk(text: str) -> None:
    x, y = cloud(700, 40)
    found = []
    for mib in (1, 8, 512):
        torch.manual_seed(3)
        found.append(replace(MINERS.make(text), chunk_mib=mib)(x, y, x[:650].clone(), y[:650]))
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize(
    "text", ["uniform", "tempered", "distance_weighted", "semi_hard_random", "batch_all(budget=50)"]
)
def test_a_generator_decides_alone(text: str) -> None:
    x, y = cloud(64, 8)

    def mined(seed: int) -> list[tuple[int, ...]]:
        return listed(replace(MINERS.make(text), generator=torch.Generator().manual_seed(seed))(x, y))

    assert mined(0) == mined(0) != mined(1)


def test_a_budget_draws_each_triplet_equally_often() -> None:
    x, y = cloud(12, 3)
    every = listed(BatchAll()(x, y))
    source, seen = torch.Generator().manual_seed(0), Counter[tuple[int, ...]]()
    miner = BatchAll(budget=20, generator=source)
    for _ in range(400):
        some = listed(miner(x, y))
        assert len(set(some)) == 20
        seen.update(some)
    assert set(seen) == set(every)
    share = 20 / len(every)
    spread = np.array(list(seen.values())) / 400 - share
    assert abs(spread).max() < 5 * np.sqrt(share * (1 - share) / 400)


@pytest.mark.parametrize("total", [1000, 10**12])
def test_numbers_of_a_budget_differ_and_rise(total: int) -> None:
    from hardneg.online.miners._window import _some

    found = _some(total, 900, torch.tensor(5))
    assert len(found) == 900
    assert bool((found[1:] > found[:-1]).all())
    assert 0 <= int(found[0]) <= int(found[-1]) < total
    assert abs(found.double().mean() / total - 0.5) < 0.05


def test_draws_follow_their_weights() -> None:
    """Distance-weighted and tempered, against the formula in float64, over 30,000 draws."""
    points = [[1.0, 0, 0, 0], [0.9, 0.1, 0, 0], [0.8, 0.6, 0, 0], [0.7, 0, 0.7, 0], [0.5, 0, 0.6, 0.6], [0.1, 1, 0, 0]]
    x = torch.nn.functional.normalize(torch.tensor(points), dim=1)
    y = torch.tensor([0, 0, 1, 1, 2, 3])
    d = (x[0] - x).norm(dim=1).double().numpy()[2:]
    wide = torch.cat([x, torch.zeros(6, 28)], 1)
    formula = np.maximum(d, 0.5) ** -30.0 * (1 - np.maximum(d, 0.5) ** 2 / 4) ** -14.5 * (d < 1.4)
    for text, weights, vectors in (
        ("distance_weighted", formula, wide), ("tempered(temperature=0.3)", np.exp(-d / 0.3), x),
        ("uniform", np.ones(4), x),
    ):  # fmt: skip
        miner = replace(MINERS.make(text), generator=torch.Generator().manual_seed(1))
        many = np.zeros(6)
        for _ in range(40):
            _, _, n = miner(vectors[:1].repeat(750, 1), y[:1].repeat(750), vectors[1:], y[1:])
            many += np.bincount(n.numpy() + 1, minlength=6)
        share = weights / weights.sum()
        assert abs(many[2:] / 30_000 - share).max() < 5 * np.sqrt(0.25 / 30_000), text


def test_log_weights_are_those_of_the_paper() -> None:
    d = np.array([0.1, 0.5, 0.9, 1.39])
    cut = np.maximum(d, 0.5)
    density = cut ** (128 - 2) * (1 - cut**2 / 4) ** ((128 - 3) / 2)
    np.testing.assert_allclose(log_weights(torch.tensor(d), 128, 0.5).numpy(), -np.log(density), rtol=1e-12)


@pytest.mark.parametrize("kind", TYPES)
def test_half_precision_and_autocast_are_measured_in_float32(kind: Any) -> None:
    x, y = cloud(64, 8)
    x = x.to(kind)
    plain = BatchAll(margin=0.1)(x.double(), y)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = BatchAll(margin=0.1)(x, y)
    different = set(listed(found)) ^ set(listed(plain))
    assert len(different) <= 2  # those at the very bound; bfloat16 would differ in hundreds


def test_what_is_not_finite_is_said() -> None:
    x, y = cloud(8, 2)
    x[3, 0], x[5, 1] = torch.nan, torch.inf
    for text in MINERS.steps:
        with pytest.raises(InputError, match=r"2 of the 8 embeddings hold NaN or infinity \(first: row 3\)"):
            MINERS.make(text)(x, y)
    with pytest.raises(InputError, match="reference embeddings hold"):
        TopK()(x[:2], y[:2], x, y)


@pytest.mark.parametrize("text", ALL)
def test_nothing_to_choose_from_is_no_error(text: str) -> None:
    x, y = cloud(6, 2)
    miner, one = MINERS.make(text), torch.zeros(6, dtype=torch.int64)
    cases = [(x[:0], y[:0]), (x[:1], y[:1]), (x, one), (x, torch.arange(6)), (x, one - 1), (x, y, x[:0], y[:0])]
    for case in cases:
        found = miner(*case)
        assert len(found) == miner.places
        assert all(one.shape == (0,) and one.dtype == torch.int64 for one in found)
        assert all(not one.any() for one in miner.counts(*case))
    assert [len(one) for one in miner.sample(x[:0], y[:0])] == [0, 0, 0]


def test_wrong_shapes_are_said() -> None:
    x, y = cloud(6, 2)
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((x, y[:5]), r"embeddings must have shape \(5, D\)"),
        ((x, y, x[:3]), "References need labels"),
        ((x, y, x[:3], y), r"reference embeddings must have shape \(6, D\)"),
        ((x, y.float()), "Labels must be whole numbers"),
    ]
    for case, told in cases:
        with pytest.raises(InputError, match=told):
            TopK()(*case)


@pytest.mark.parametrize(
    "text",
    ["batch_hard(chunk_mib=0)", "batch_hard(distance=hamming)", "semi_hard(margin=0)", "top_k(negatives=0)",
     "tempered(temperature=0)", "distance_weighted(cutoff=1.5)", "distance_weighted(distance=cosine)",
     "batch_all(budget=0)", "easy_positive(negatives=easy)", "multi_similarity(epsilon=-1)"],
)  # fmt: skip
def test_wrong_options_are_said(text: str) -> None:
    with pytest.raises(OptionError):
        MINERS.make(text)


@pytest.mark.parametrize("text", MINERS.steps)
def test_text_and_value_are_one(text: str) -> None:
    miner = replace(MINERS.make(text), chunk_mib=7)
    assert MINERS.make(str(miner)) == miner


def test_relations_serve_as_labels() -> None:
    """Several labels, and a positive by position, as voxceleb_trainer and pairs of texts have it."""
    x, _ = cloud(6, 2)
    several = [["a"], ["a", "b"], ["b"], ["c"], ["c"], []]
    assert listed(BatchAll()(x, several)) == listed(BatchAll()(x, relations_of(several)))
    a, p, n = SemiHard(2.0)(x, Relations.from_pairs(6), torch.flip(x, [1]))
    assert p.tolist() == a.tolist()
    assert not (a == n).any()
    features = DistanceWeighted().sample(x.requires_grad_(), [["a"], ["a"], ["b"], ["b"], ["c"], ["c"]])
    assert all(one.requires_grad for one in features)
