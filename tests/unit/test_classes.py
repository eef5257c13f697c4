from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.classes import Classes, coded, values_of
from hardneg.collection import Collection
from hardneg.context import Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.run import relation_of
from hardneg.sources import Neighbors
from hardneg.table import Relation, Rows

LABELS = st.one_of(st.none(), st.lists(st.sampled_from("abcd"), max_size=3))


def collection(labels: Sequence[object]) -> Collection:
    return Collection(pa.table({"id": [f"i{row}" for row in range(len(labels))], "label": pa.array(labels)}))


@settings(deadline=None, max_examples=60)
@given(st.lists(LABELS, min_size=1, max_size=12))
def test_relations_of_several_labels_are_those_of_sets(labels: list[list[str] | None]) -> None:
    sets = [set(one or ()) for one in labels]
    if not any(sets) or (len(set().union(*sets)) == 1 and all(sets)):
        return
    things = Collection(pa.table({"id": list(range(len(labels))), "label": pa.array(labels, pa.list_(pa.string()))}))
    positives = Positives.from_labels(things, listed=20)
    assert positives.own.tolist() == [row for row, one in enumerate(sets) if one]
    n, m = len(positives.anchors), len(labels)
    anchor, item = np.divmod(np.arange(n * m), m)
    found = relation_of(positives, Rows(anchor, item)).reshape(n, m)
    for at, row in enumerate(positives.own):
        for other in range(m):
            expected = Relation.UNKNOWN if not sets[other] else Relation.OTHERWISE
            if sets[row] & sets[other]:
                expected = Relation.POSITIVE
            if other == row:
                expected = Relation.SELF
            assert found[at, other] == expected
        assert set(positives.positive[at]) == {one for one in range(m) if one != row and sets[one] & sets[row]}


def test_listed_positives_are_spread_evenly_and_do_not_depend_on_the_rest() -> None:
    labels = np.random.default_rng(0).choice(list("abc"), 90, p=[0.6, 0.3, 0.1])
    positives = Positives.from_labels(collection(list(labels)), listed=4)
    counts = np.bincount(positives.positive.values, minlength=90)
    assert (counts == 4).all()
    assert (labels[positives.positive.values] == labels[positives.positive.rows()]).all()
    only = np.flatnonzero(labels != "c")
    fewer = Positives.from_labels(collection(list(labels)).take(only), listed=4)
    again = [only[fewer.positive[at]].tolist() for at in range(len(only))]
    assert again == [positives.positive[int(row)].tolist() for row in only]


def test_what_may_not_be_mined_is_neither_anchor_nor_positive() -> None:
    minable = np.array([True, True, False, True, True])
    positives = Positives.from_labels(collection(["a", "a", "a", "b", None]), minable=minable)
    assert positives.own.tolist() == [0, 1, 3]
    assert [positives.positive[at].tolist() for at in range(3)] == [[1], [0], []]
    assert positives.barred.tolist() == [False, False, True, False, False]


def test_classes_as_anchors_have_all_their_members() -> None:
    positives = Positives.from_labels(collection(["b", "a", None, "b"]), anchors="classes")
    assert positives.anchors.ids.to_pylist() == ["a", "b"]
    assert [positives.positive[at].tolist() for at in range(2)] == [[1], [0, 3]]
    vectors = np.array([[2, 0], [0, 3], [1, 1], [0, 5]], np.float32)
    assert anchors_of(vectors, positives, "cosine")[:].tolist() == [[0, 1], [0.5, 0.5]]
    assert anchors_of(vectors, positives, "dot")[:].tolist() == [[0, 3], [1, 2.5]]


def test_groups_say_nothing_of_other_groups() -> None:
    things = Collection(pa.table({"id": [1, 2, 3, 4], "group": ["x", "x", "y", None]}))
    positives = Positives.from_groups(things)
    rows = Rows(np.zeros(4, np.int64), np.arange(4))
    assert relation_of(positives, rows).tolist() == [
        Relation.SELF, Relation.POSITIVE, Relation.UNKNOWN, Relation.UNKNOWN,
    ]  # fmt: skip


def test_mining_never_gives_an_item_of_the_same_class() -> None:
    rng = np.random.default_rng(1)
    labels = [str(one) for one in rng.choice(list("abc"), 60)]
    positives = Positives.from_labels(collection(labels), listed=2)
    vectors = rng.normal(size=(60, 5)).astype(np.float32)
    run = mine(
        positives, sources=Neighbors(k=7), encoder=Vectors(vectors[positives.own], vectors), filters="known",
        sampler="top(n=5)",
    )  # fmt: skip
    of = dict(zip(positives.items.ids.to_pylist(), labels, strict=True))
    pairs = run.negatives.select(["anchor", "item"]).to_pylist()
    assert len(pairs) == 5 * len(positives.anchors)
    assert all(of[one["anchor"]] != of[one["item"]] for one in pairs)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ unit.T
    scores[np.array(labels)[:, None] == np.array(labels)] = -9
    assert {(one["anchor"], one["item"]) for one in pairs} == {
        (f"i{row}", f"i{item}") for row in range(60) for item in np.argsort(-scores[row])[:5]
    }


def test_without_a_margin_the_mean_positive_grades() -> None:
    positives = Positives.from_labels(collection(["a", "a", "a", "b"]))
    vectors = np.array([[1, 0], [1, 0.2], [0, 1], [0.9, 0.3]], np.float32)
    options: dict[str, Any] = {"encoder": Vectors.of_items(vectors, positives), "sampler": "top(n=1)"}
    run = mine(positives, filters="known", **options)
    assert run.manifest["reference"] == "mean"
    assert mine(positives, filters="margin(relative=0.1, reference=max)", **options).manifest["reference"] == "max"
    assert refilter(run, sampler="top(n=2)").manifest["reference"] == "mean"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, None], "No item has a value in 'label'"),
        (["a", "a"], "All items have the label 'a'"),
    ],
)
def test_labels_that_say_nothing(labels: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Positives.from_labels(Collection(pa.table({"id": [1, 2], "label": pa.array(labels, pa.string())})))


def test_one_class_and_an_unlabelled_pool_can_be_mined() -> None:
    assert Positives.from_labels(collection(["a", "a", None])).classes is not None


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match=r"no column 'klass'.*They have: label"):
        Positives.from_labels(collection(["a"]), label="klass")


def test_several_labels_where_one_is_needed() -> None:
    classes = Classes(("a", "b"), np.array([0]), Ragged.from_lists([[0, 1]]))
    with pytest.raises(InputError, match="'clusters' needs one label for each item"):
        classes.of_items("clusters")


def test_numbers_are_read_as_text() -> None:
    column = pa.array([3, None, 7])
    assert Ragged.from_codes(coded(column, values_of(column))).values.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "scale", "message"),
    [
        (["a", "b", "c"], 1, "alone in its class"),
        (["a", "a", "b"], 0, "zero vector, which cosine cannot compare"),
    ],
)
def test_nothing_to_mine_for_says_why(labels: list[str], scale: float, message: str) -> None:
    positives = Positives.from_labels(collection(labels))
    vectors = scale * np.eye(3, dtype=np.float32)
    with pytest.raises(InputError, match=message):
        mine(positives, encoder=Vectors.of_items(vectors, positives), filters="known")


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'minable' must be of shape \(2,\)\. Got shape \(3,\)"):
        Positives.from_labels(collection(["a", "b"]), minable=np.ones(3, bool))


def test_labels_that_are_neither_text_nor_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"or lists of these\. Got struct"):
        Positives.from_labels(collection([{"x": 1}, {"x": 2}]))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("anchors", ["items", "classes"])
def test_equal_vectors_are_mined_with_the_usual_filters(several: bool, anchors: Any) -> None:
    pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')
    names = [["a"], ["b"], None] * 12 if several else ["a", "b", None] * 12
    positives = Positives.from_labels(collection(names), anchors=anchors)
    encoder, pairs = Vectors.of_items(np.ones((36, 4), np.float32), positives), len(positives.anchors) * 24
    run = mine(positives, encoder=encoder, sampler="top(n=2)")
    assert run.manifest["ledger"]["reasons"] == {"duplicates.near_copy": pairs}  # nothing is lost, nothing passes
    assert run.manifest["shortage"]["without_any"] == len(positives.anchors)
    assert all(one["too_weak"] for one in run.manifest["predictions"].values())
    run = mine(positives, encoder=encoder, sampler="top(n=2)", filters=["known", "mislabelled", "unlabelled"])
    assert run.manifest["ledger"]["reasons"] == {"unlabelled.unsure": pairs // 2}  # a label is believed
    assert run.manifest["ledger"]["sampled"] == 2 * len(positives.anchors)


def test_classes_of_one_are_mined_with_the_usual_filters() -> None:
    pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')
    rng = np.random.default_rng(0)
    labels = ["a"] * 20 + ["b"] * 20 + ["alone", "single"] + [None] * 10
    positives = Positives.from_labels(collection(labels))
    vectors = (
        rng.normal(size=(52, 4)).astype(np.float32)
        + 3 * np.eye(4, dtype=np.float32)[[0] * 20 + [1] * 20 + [2, 3] + [0] * 5 + [2] * 5]
    )
    run = mine(positives, encoder=Vectors.of_items(vectors, positives), sampler="top(n=3)")
    (skipped,) = run.manifest["skipped"]
    assert skipped["reason"] == "anchor_without_positive"
    assert (skipped["count"], skipped["examples"]) == (2, ["i40", "i41"])
    items = set(run.candidates.table.column("item").to_pylist())
    assert {"i40", "i41"} <= items  # alone in their class they are no anchors, but negatives of the others
    said = " ".join(run.manifest["predictions"]["logistic"]["warnings"])
    assert "2 labelled items could not be held out" in said
