"""Triplets and the sampler in a real DataLoader; a small model trains on scikit-learn's digits."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.labelled import labelled

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors
from hardneg.weights import sample_weight

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from hardneg.data import HardNegativeSampler, Triplets  # noqa: E402


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("data"))


def labels_of(run: Run) -> list[Any]:
    labels: list[Any] = run.items.table.column("label").to_pylist()
    return labels


def size_of(path: str) -> int:
    return Path(path).stat().st_size


@pytest.mark.parametrize("anchors", ["items", "classes"])
def test_a_triplet_is_of_two_classes(tmp_path: Path, anchors: Any) -> None:
    made = labelled(tmp_path, anchors=anchors)
    labels, triplets = labels_of(made), Triplets(made, n=2)
    assert len(triplets) > 20
    for at in range(len(triplets)):
        one = triplets[at]
        assert labels[one.anchor] == labels[one.positive] is not None
        assert one.anchor != one.positive
        assert len(one.negatives) == 2
        assert labels[one.anchor] not in {labels[row] for row in one.negatives}


def test_the_hardest_negatives_come_first(run: Run) -> None:
    ids = run.items.ids.to_pylist()
    for one in Triplets(run, n=3):
        expected = [row["item"] for row in run.negatives.to_pylist() if row["anchor"] == ids[one.anchor]]
        assert [ids[row] for row in one.negatives] == expected


def test_positives_change_with_the_epoch_and_with_nothing_else(run: Run) -> None:
    one, two = Triplets(run, seed=5), Triplets(run, seed=5)
    first = [triplet.positive for triplet in one]
    assert first == [triplet.positive for triplet in two]
    one.set_epoch(1)
    assert [triplet.positive for triplet in one] != first
    two.set_epoch(1)
    assert list(one) == list(two)


def test_rows_of_the_users_own_examples(run: Run) -> None:
    ids = run.items.ids.to_pylist()
    mine = ["unused", *reversed(ids)]
    for plain, own in zip(Triplets(run, n=2), Triplets(run, n=2, ids=mine), strict=True):
        assert [ids[row] for row in (plain.anchor, plain.positive, *plain.negatives)] == [
            mine[row] for row in (own.anchor, own.positive, *own.negatives)
        ]
    with pytest.raises(InputError, match="lack items"):
        Triplets(run, ids=ids[:3])


@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_are_opened_in_workers(run: Run, workers: int) -> None:
    loader = DataLoader(Triplets(run, load=size_of, n=2), batch_size=8, num_workers=workers)
    batches = list(loader)
    assert sum(len(batch.anchor) for batch in batches) == len(loader.dataset)
    assert all((batch.anchor > 60).all() and len(batch.negatives) == 2 for batch in batches)


def test_a_worker_that_lives_on_sees_the_new_epoch(run: Run) -> None:
    triplets = Triplets(run)
    loader = DataLoader(triplets, batch_size=100, num_workers=1, persistent_workers=True)
    first = next(iter(loader)).positive
    triplets.set_epoch(3)
    again = next(iter(loader)).positive
    assert again.tolist() == [one.positive for one in triplets] != first.tolist()


def test_texts_and_queries(tmp_path: Path) -> None:
    judged = Positives.from_pairs(
        ["q"], ["a"], anchors=Collection.of(["q"], texts=["tea?"]),
        items=Collection.of(["a", "b", "c"], texts=["green", "black", "red"]),
    )  # fmt: skip
    vectors = np.array([[1, 0], [1, 1], [2, 3], [0, 1]], np.float32)
    made = mine(judged, sources=Neighbors(vectors[:1], vectors[1:]), sampler="top(n=2)", filters="known")
    assert tuple(Triplets(made, load=str.upper, n=2)[0]) == ("TEA?", "GREEN", ("BLACK", "RED"))
    assert Triplets(made, n=2)[0].anchor == 0


def test_anchors_with_too_few_negatives_are_counted(tmp_path: Path) -> None:
    made = labelled(tmp_path, sampler=["top(n=3)", "caps(per_item=1)"])
    all_of_them = Triplets(made)
    assert all_of_them.left_out + len(all_of_them) == len(made.anchors)
    with pytest.raises(InputError, match="No anchor has a positive and 9 negatives"):
        Triplets(made, n=9)
    with pytest.raises(OptionError, match="The 'n' must be at least 1"):
        Triplets(made, n=0)


def test_draws_follow_the_weights() -> None:
    weights = np.array([0.0, 1.0, 2.0, 5.0, 0.0])
    counts = Counter(HardNegativeSampler(weights, draws=80_000))
    assert set(counts) == {1, 2, 3}
    for row, weight in enumerate(weights):
        assert counts[row] / 80_000 == pytest.approx(weight / 8, abs=0.01)


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    one, two = HardNegativeSampler(np.ones(50), seed=3), HardNegativeSampler(np.ones(50), seed=3)
    assert list(one) == list(two) == list(one)
    one.set_epoch(1)
    assert list(one) != list(two)
    assert list(HardNegativeSampler(np.ones(50), seed=4)) != list(two)


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_the_draws_of_one(world: int) -> None:
    weights, draws = np.arange(1.0, 32.0), world * 10
    whole = list(HardNegativeSampler(weights, draws=draws))
    parts = [list(HardNegativeSampler(weights, draws=draws, rank=r, world_size=world)) for r in range(world)]
    assert [one for row in zip(*parts, strict=True) for one in row] == whole
    uneven = [len(list(HardNegativeSampler(np.ones(10), rank=r, world_size=world))) for r in range(world)]
    assert uneven == [len(HardNegativeSampler(np.ones(10), rank=0, world_size=world))] * world


def test_classes_are_drawn_equally_often(run: Run) -> None:
    labels = np.array([str(one) for one in labels_of(run)])
    known = [one for one, label in zip(run.items.ids.to_pylist(), labels, strict=True) if label != "None"]
    rows = list(HardNegativeSampler.of(run, known, balanced=True, draws=20_000))
    drawn = Counter(labels[labels != "None"][rows])
    assert len(drawn) == 4
    assert max(drawn.values()) - min(drawn.values()) < 600


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1, np.nan], [[1, 2]]])
def test_weights_that_cannot_be_drawn_by(weights: Any) -> None:
    with pytest.raises(InputError, match="The 'weights' must be one list of numbers of at least 0"):
        HardNegativeSampler(weights)


def test_a_rank_outside_the_world() -> None:
    with pytest.raises(OptionError, match=r"The 'rank' must be from 0 to 1\. Got 2\."):
        HardNegativeSampler(np.ones(3), rank=2, world_size=2)


def test_a_model_learns_the_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    data = datasets.load_digits()
    points, target = (data.data / 16).astype(np.float32), data.target
    ids = [f"d{row}" for row in range(len(points))]
    items = Collection(pa.table({"id": ids, "label": [str(one) for one in target]}))
    made = mine(
        Positives.from_labels(items, listed=2), sources=Neighbors(k=8), encoder=Vectors(points, points),
        filters="known", sampler="top(n=3)",
    )  # fmt: skip
    torch.manual_seed(0)
    model = torch.nn.Linear(64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loader = DataLoader(
        TensorDataset(torch.from_numpy(points), torch.from_numpy(target)), batch_size=32,
        sampler=HardNegativeSampler.of(made, ids, balanced=True), num_workers=1,
    )  # fmt: skip
    for x, y in loader:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model(torch.from_numpy(points)).argmax(1).numpy() == target).mean() > 0.85
    assert sample_weight(made, ids).std() > 0.1

    embed = torch.nn.Linear(64, 16)
    optimizer = torch.optim.SGD(embed.parameters(), lr=0.1)
    x, losses = torch.from_numpy(points), []
    for batch in DataLoader(Triplets(made, ids=ids, n=2), batch_size=64, shuffle=True):
        far = torch.stack([embed(x[rows]) for rows in batch.negatives]).mean(0)
        loss = torch.nn.functional.triplet_margin_loss(embed(x[batch.anchor]), embed(x[batch.positive]), far)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_importing_hardneg_does_not_load_torch() -> None:
    code = "import sys, hardneg as hn; hn.sample_weight; hn.export; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
