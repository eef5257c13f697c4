"""Small runs with what real ones have: several positives, short anchors, awkward texts, judged pairs, suspects."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors, Uniform

os.environ.setdefault("HF_HUB_OFFLINE", "1")

AWKWARD = [
    'say "hello", {world}',
    "tabs\tand\nlines\r\nbreak",
    "Zoë 東京 🦊",
    "back\\slash 'quote'",
    "line\u2028end\x85s",
]
N_ANCHORS, N_ITEMS, WANTED = 8, 24, 3
FEW, NONE, LOST = 5, 6, 7  # anchors with one candidate, with none, and without a positive

MakeRun = Callable[..., Run]


def _collections(kind: type, *, texts: bool, titles: bool) -> tuple[Collection, Collection]:
    anchor_ids = list(range(100, 100 + N_ANCHORS)) if kind is int else [f"q{i}" for i in range(N_ANCHORS)]
    item_ids = list(range(N_ITEMS)) if kind is int else [f"d{i}" for i in range(N_ITEMS)]
    if not texts:
        return Collection.of(anchor_ids), Collection.of(item_ids)
    queries = [f"query {i} {AWKWARD[i % len(AWKWARD)]}" for i in range(N_ANCHORS)]
    bodies = [f"body {i} {AWKWARD[i % len(AWKWARD)]}" for i in range(N_ITEMS)]
    columns: dict[str, Any] = {"id": item_ids, "text": pa.array(bodies, pa.large_string())}
    if titles:
        names = [f"Title {i}" if i % 3 else "" for i in range(N_ITEMS)]
        joined = [f"{title} {body}".strip() for title, body in zip(names, bodies, strict=True)]
        columns = {"id": item_ids, "text": pa.array(joined, pa.large_string()), "title": names, "body": bodies}
    return Collection.of(anchor_ids, texts=queries), Collection(pa.table(columns))


def _judgements(anchors: Collection, items: Collection) -> Positives:
    """Two positives for the first anchor; FEW has one item left, NONE has none, LOST has no positive."""
    pairs = [(row, row, 1.0) for row in range(N_ANCHORS) if row != LOST]
    pairs += [(0, 9, 1.0), (0, 10, 0.0), (1, 11, 0.5)]
    pairs += [(FEW, item, 0.5) for item in range(N_ITEMS) if item not in (FEW, 20)]
    pairs += [(NONE, item, 0.5) for item in range(N_ITEMS) if item != NONE]
    rows, columns, grades = zip(*pairs, strict=True)
    return Positives.from_pairs(
        anchors.ids.take(pa.array(rows)), items.ids.take(pa.array(columns)),
        anchors=anchors, items=items, grades=np.array(grades),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    def make(
        kind: type = str,
        *,
        texts: bool = True,
        titles: bool = True,
        filters: str = "margin(relative=0.05)",
        sampler: str = f"top(n={WANTED})",
    ) -> Run:
        draw = np.random.default_rng(0)
        item_vectors = draw.normal(size=(N_ITEMS, 8)).astype(np.float32)
        noise = 0.7 * draw.normal(size=(N_ANCHORS, 8))
        anchor_vectors = (item_vectors[:N_ANCHORS] + noise).astype(np.float32)
        positives = _judgements(*_collections(kind, texts=texts, titles=titles))
        return mine(
            positives, sources=[Neighbors(anchor_vectors, item_vectors, k=12), Uniform(k=4)],
            filters=filters, sampler=sampler, out=tmp_path_factory.mktemp("runs") / "run",
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def run(make_run: MakeRun) -> Run:
    """Ids that are text, items with titles."""
    return make_run()


@pytest.fixture(scope="session")
def number_run(make_run: MakeRun) -> Run:
    """Ids that are numbers, items without titles."""
    return make_run(int, titles=False)


@pytest.fixture(scope="session")
def empty_run(make_run: MakeRun) -> Run:
    """A run in which nothing was sampled."""
    return make_run(sampler="band(n=3,skip=1000,within=2000)")


@pytest.fixture(scope="session")
def read_lines() -> Callable[[Path], list[Any]]:
    def read(path: Path) -> list[Any]:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]

    return read


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """``datasets.load_dataset`` without the network and with a cache of its own."""
    datasets = pytest.importorskip("datasets")

    def one(*args: Any, **options: Any) -> Any:
        return datasets.load_dataset(*args, split="train", cache_dir=str(tmp_path / "cache"), **options)

    return one
