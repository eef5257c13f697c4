"""Balance in minings of labelled data: classes, confusions and grades, and the same again without a new search."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from tests.worlds import scene

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.table import grades


def mined(*sampler: str, several: bool = False, anchors: str = "items", seed: int = 0) -> Run:
    rng = np.random.default_rng(seed)
    label = np.array(list("abcd"))[np.minimum(rng.geometric(0.4, 80) - 1, 3)]
    vectors = (np.eye(4, 6)[label.view(np.int32) - ord("a")] + 0.6 * rng.normal(size=(80, 6))).astype(np.float32)
    values: list[object] = [None if row % 9 == 0 else str(one) for row, one in enumerate(label)]
    if several:
        values = [None if one is None else [one, "a"] if row % 5 == 0 else [one] for row, one in enumerate(values)]
    things = Collection(pa.table({"id": [f"i{row}" for row in range(80)], "label": pa.array(values)}))
    positives = Positives.from_labels(things, anchors=anchors)  # type: ignore[arg-type]
    if anchors == "classes":
        means = np.stack([vectors[members].mean(axis=0) for members in (positives.positive[row] for row in range(4))])
        return mine(positives, encoder=Vectors(means, vectors), filters=["known"], sampler=list(sampler))
    return mine(positives, encoder=Vectors(vectors[positives.own], vectors), filters=["known"], sampler=list(sampler))


def classes_at(run: Run) -> list[tuple[object, str, str]]:
    """(anchor, the anchor's labels, the item's labels) of each negative."""
    tables = (run.anchors.table, run.items.table)
    of = [
        dict(zip(one.column("id").to_pylist(), map(str, one.column("label").to_pylist()), strict=True))
        for one in tables
    ]
    pairs = zip(*(run.negatives.column(side).to_pylist() for side in ("anchor", "item")), strict=True)
    return [(anchor, of[0][anchor], of[1][item]) for anchor, item in pairs]


@pytest.mark.parametrize("several", [False, True])
def test_classes_and_confusions_are_held_back(several: bool) -> None:
    run = mined("top(n=6)", "quotas(per_class=2)", several=several)
    counts = Counter((anchor, theirs) for anchor, _, theirs in classes_at(run) if theirs != "None")
    assert max(counts.values()) == 2
    run = mined("top(n=6)", "caps(per_pair=7)", several=several)
    counts = Counter((mine_, theirs) for _, mine_, theirs in classes_at(run) if theirs != "None")
    assert max(counts.values()) == 7
    assert any(theirs == "None" for *_, theirs in classes_at(run))


def test_anchors_that_are_classes() -> None:
    run = mined("top(n=9)", "caps(per_pair=3)", anchors="classes")
    counts = Counter((mine_, theirs) for _, mine_, theirs in classes_at(run) if theirs != "None")
    assert max(counts.values()) == 3


@pytest.mark.parametrize("limit", ["quotas(per_class=2)", "caps(per_pair=7)", "caps(per_pair=9, per_item=2)"])
def test_the_same_without_a_new_search(limit: str) -> None:
    for several in (False, True):
        whole = mined("tempered(n=5)", limit, several=several)
        again = refilter(mined("top(n=2)", several=several), sampler=["tempered(n=5)", limit])
        assert again.negatives.equals(whole.negatives)


def test_a_mix_of_grades_against_the_listed_members_of_the_class() -> None:
    run = mined("top(n=8)", "quotas(hard=0.5, semi_hard=0.25, easy=0.25)")
    found = Counter(zip(*(run.negatives.column(one).to_pylist() for one in ("anchor", "grade")), strict=True))
    assert all(found[anchor, grade] <= most for anchor in run.anchors.ids.to_pylist()
               for grade, most in (("hard", 4), ("semi_hard", 2), ("easy", 2)))  # fmt: skip
    table = run.negatives
    wanted = grades(table.column("score").to_numpy(), table.column("positive_score").to_numpy())
    assert table.column("grade").to_pylist() == [["easy", "semi_hard", "hard"][one] for one in wanted]
    of_anchor: dict[str, list[float]] = {}
    for one in run.relations.to_pylist():
        if one["relation"] == "positive":
            of_anchor.setdefault(one["anchor"], []).append(one["score"])
    for row in table.to_pylist():
        assert row["positive_score"] == pytest.approx(np.mean(of_anchor[row["anchor"]]), abs=1e-6)


def test_any_column_of_whole_numbers_or_names_groups_and_no_other() -> None:
    run = mined("top(n=8)")
    again = refilter(run, sampler=["top(n=8)", "quotas(per_group=1, group=grade)"])
    found = Counter(zip(*(again.negatives.column(one).to_pylist() for one in ("anchor", "grade")), strict=True))
    assert set(found.values()) == {1}
    for name in ("anchor", "score", "colour"):
        with pytest.raises(InputError, match=f"no column '{name}'"):
            refilter(run, sampler=["top(n=8)", f"quotas(per_group=1, group={name})"])


def test_limits_on_classes_are_refused_before_the_search() -> None:
    positives, vectors = scene()
    with pytest.raises(OptionError, match=r"caps\(per_pair=3\) needs items with labels"):
        mine(positives, encoder=vectors, sampler=["top", "caps(per_pair=3)"])
    run = mine(positives, encoder=vectors, sources="neighbors(k=9)", sampler="top(n=2)")
    with pytest.raises(OptionError, match=r"quotas\(per_class=1\) needs items with labels"):
        refilter(run, sampler=["top", "quotas(per_class=1)"])
