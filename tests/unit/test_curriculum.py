"""Epochs grow harder, keep some easy ones, and say the same each time; batches keep clusters whole."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.samplers.test_labelled_limits import mined
from tests.worlds import by_anchor, neighbors, scene

from hardneg.batching import batches_by, packed
from hardneg.curriculum import Curriculum, curriculum, pace
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine
from hardneg.run import Run

PACINGS = ("linear", "root", "step")


@cache
def a_run() -> Run:
    positives, vectors = scene(anchors=15, items=90)
    return mine(positives, sources=[neighbors(vectors, 30), "lexical(k=3)"], filters=["known"],
                sampler="top(n=4, on_short=fill)")  # fmt: skip


def kept() -> dict[object, list[tuple[float, object]]]:
    """The kept candidates of each anchor, hardest first."""
    found = defaultdict(list)
    for row in a_run().candidates.kept().to_pylist():
        found[row["anchor"]].append((row["score"], row["item"]))
    order = {one: at for at, one in enumerate(a_run().items.ids.to_pylist())}
    return {anchor: sorted(rows, key=lambda pair: (-pair[0], order[pair[1]])) for anchor, rows in found.items()}


@pytest.mark.parametrize("pacing", PACINGS)
def test_the_pace_never_falls_and_ends_with_everything(pacing: str) -> None:
    shares = [pace(epoch, 9, 0.2, pacing) for epoch in range(9)]  # type: ignore[arg-type]
    assert shares == sorted(shares)
    assert (round(shares[0], 9), shares[-1]) == (0.2, 1)
    assert pace(0, 1, 0.2, pacing) == 1  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PACINGS), st.integers(1, 9), st.integers(1, 12), st.floats(0.01, 1), st.floats(0, 1),
       st.integers(0, 99))  # fmt: skip
def test_every_epoch_is_that_of_a_plain_loop(
    pacing: str, epochs: int, n: int, start: float, easy: float, seed: int
) -> None:  # fmt: skip
    plan = Curriculum(a_run(), epochs, n, pacing, start, easy, seed)  # type: ignore[arg-type]
    few = round(easy * n)
    for epoch in {0, epochs // 2, epochs - 1}:
        table = plan.at(epoch)
        assert table.equals(plan.at(epoch))
        found = by_anchor(table)
        for anchor, rows in kept().items():
            m = len(rows)

            def opened(share: float, m: int = m) -> int:
                return max(int(np.ceil(share * m - 1e-9)), min(m, n))

            bound = m - opened(pace(epoch, epochs, start, pacing))  # type: ignore[arg-type]
            hard = [item for _, item in rows[bound : bound + n - few]]
            first = {item for _, item in rows[m - opened(start) :]}
            mine_ = found.get(anchor, [])
            assert len(mine_) == len(set(mine_)) == min(n, m)
            assert set(hard) <= set(mine_)
            assert set(mine_) - set(hard) <= first


@pytest.mark.parametrize("pacing", PACINGS)
def test_epochs_grow_harder(pacing: str) -> None:
    """Without the easy ones each epoch's negatives are at least as hard, place by place."""
    plan = Curriculum(a_run(), 7, 5, pacing, 0.2, easy=0.0)  # type: ignore[arg-type]
    epochs = [plan.at(epoch) for epoch in range(7)]
    for before, after in pairwise(epochs):
        assert before.column("anchor").to_pylist() == after.column("anchor").to_pylist()
        assert (after.column("score").to_numpy() >= before.column("score").to_numpy()).all()
    assert epochs[0].column("score").to_numpy().mean() < epochs[-1].column("score").to_numpy().mean()
    hardest = {anchor: [item for _, item in rows[:5]] for anchor, rows in kept().items()}
    assert by_anchor(epochs[-1]) == hardest


def test_seed_and_epoch_draw_the_easy_ones() -> None:
    tables = [Curriculum(a_run(), 5, 6, easy=0.5, seed=seed).at(4) for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    assert curriculum(a_run(), 2, 5, 6, pacing="linear", seed=3).equals(
        Curriculum(a_run(), 5, 6, "linear", seed=3).at(2)
    )
    assert curriculum(a_run(), 0, 2).schema == a_run().negatives.schema
    assert max(map(len, by_anchor(curriculum(a_run(), 0, 2)).values())) == 4  # as many as the run wanted


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"n": 0}, {"start": 0.0}, {"easy": 1.5}, {"pacing": "jump"}],
)  # fmt: skip
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Curriculum(a_run(), **({"epochs": 3} | options))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="'epoch' must be from 0 to 2"):
        curriculum(a_run(), 3, 3)


@given(st.lists(st.integers(1, 7), max_size=30))
def test_packing_tears_nothing_and_wastes_little(lengths: list[int]) -> None:
    batches = packed(lengths, 7)
    assert sorted(one for batch in batches for one in batch) == list(range(len(lengths)))
    loads = [sum(lengths[one] for one in batch) for batch in batches]
    assert all(0 < load <= 7 for load in loads)
    assert sum(load <= 3 for load in loads) <= 1  # two half-empty ones would have been one


@pytest.mark.parametrize("size", [1, 5, 16, 1000])
def test_a_cluster_is_in_one_batch(size: int) -> None:
    pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')
    run = clustered()
    of = {row["item"]: row["cluster"] for row in run.candidates.table.to_pylist()}
    groups = [of[item] for item in run.negatives.column("item").to_pylist()]
    batches = list(batches_by(run, size=size))
    assert sorted(row for batch in batches for row in batch) == list(range(len(groups)))
    assert max(map(len, batches)) <= size
    for group in set(groups):
        number = sum(any(groups[row] == group for row in batch) for batch in batches)
        assert number == -(-groups.count(group) // size)
    assert batches == list(batches_by(run, size=size))
    if size == 5:
        assert batches != list(batches_by(run, size=size, seed=1))


@cache
def clustered() -> Run:
    from tests.unit.sources.test_clusters import blobs

    positives, vectors = blobs()
    return mine(positives, sources="clusters(k=30, n=7)", encoder=vectors, filters=["known"], sampler="uniform(n=3)")


def test_batches_of_an_epoch_and_of_columns_of_items() -> None:
    run = mined("top(n=4)")
    epoch = curriculum(run, 0, 3, 2)
    label = dict(zip(*(run.items.table.column(one).to_pylist() for one in ("id", "label")), strict=True))
    names = [label[item] for item in epoch.column("item").to_pylist()]
    batches = list(batches_by(run, "label", 10_000, negatives=epoch))
    assert len(batches) == 1
    batches = list(batches_by(run, "label", 6, negatives=epoch))
    for name in set(names) - {None}:
        assert sum(any(names[row] == name for row in batch) for batch in batches) == -(-names.count(name) // 6)
    by_grade = list(batches_by(run, "grade", 1000))
    assert len(by_grade) == 1
    with pytest.raises(InputError, match="column 'cluster' to batch by"):
        list(batches_by(run))


def test_nothing_to_batch() -> None:
    empty = a_run().negatives.slice(0, 0)
    assert list(batches_by(a_run(), "grade", negatives=empty)) == []
    assert isinstance(empty, pa.Table)
