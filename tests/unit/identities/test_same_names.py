"""Names that may be one person are not mined against one another."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import hardneg as hn
from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.identities import same_names
from hardneg.positives import Positives


def _items(column: pa.Array | None = None) -> Collection:
    labels = pa.array(["ann", "anna", "bob", "eve"] * 5) if column is None else column
    return Collection(pa.table({"id": range(len(labels)), "label": labels}))


@pytest.mark.parametrize("anchors", ["items", "classes"])
def test_mining_passes_over_them(anchors: str) -> None:
    items = _items()
    labels = items.table.column("label").to_pylist()
    vectors = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    positives = same_names(Positives.from_labels(items, anchors=anchors), [("ann", "anna")])  # type: ignore[arg-type]
    encoder = hn.Vectors.of_items(vectors, positives)
    run = hn.mine(positives, sources="neighbors(k=20)", filters=["known"], sampler="top(n=20)", encoder=encoder)
    pairs = set()
    for row in run.negatives.to_pylist():
        anchor = row["anchor"] if anchors == "classes" else labels[row["anchor"]]
        pairs.add((anchor, labels[row["item"]]))
    every = {(a, b) for a in set(labels) for b in set(labels) if a != b}
    assert pairs == every - {("ann", "anna"), ("anna", "ann")}


def test_who_is_of_both_stays_positive() -> None:
    labels = pa.array([["ann"], ["anna"], ["ann", "anna"], ["bob"]])
    positives = same_names(Positives.from_labels(_items(labels)), [("anna", "ann")])
    assert positives.ignored[0].tolist() == [1]
    assert positives.ignored[2].tolist() == []
    assert positives.ignored[3].tolist() == []


def test_unknown_names_are_said() -> None:
    with pytest.raises(InputError, match="1 of the names that may be one are not in the data"):
        same_names(Positives.from_labels(_items()), [("ann", "zoe")])
    with pytest.raises(InputError, match="no labels"):
        same_names(Positives.from_pairs(["q"], ["a"]), [])
    positives = Positives.from_labels(_items())
    assert len(same_names(positives, []).ignored.values) == 0
