"""Label errors and unlabelled pools, on digits with planted flips."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.filters import FILTERS, Mislabelled, Unlabelled
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.predict import Predictions
from hardneg.run import Run
from hardneg.steps import usual_filters

datasets = pytest.importorskip("sklearn.datasets", reason='needs: pip install "hardneg[labels]"')

FLIPPED, HIDDEN = 0.1, 0.3


@cache
def digits() -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Vectors, true classes, given classes (a tenth flipped), which of them are hidden."""
    found = datasets.load_digits()
    vectors = (found.data / 16 - (found.data / 16).mean(axis=0)).astype(np.float32)
    truth = found.target.astype(np.int64)
    rng = np.random.default_rng(0)
    flipped = rng.random(len(truth)) < FLIPPED
    given = np.where(flipped, (truth + rng.integers(1, 10, len(truth))) % 10, truth)
    return vectors, truth, given, rng.random(len(truth)) < HIDDEN


@cache
def run(kind: str, source: str) -> Run:
    vectors, _, given, hidden = digits()
    labels = [None if gone else str(one) for one, gone in zip(given, hidden, strict=True)]
    things = Collection(pa.table({"id": np.arange(len(given)), "label": labels}))
    positives = Positives.from_labels(things, anchors=kind)  # type: ignore[arg-type]
    encoder = Vectors(anchors_of(vectors, positives, "cosine"), vectors)
    return mine(
        positives, sources=source, filters=["known", "mislabelled", "unlabelled"], sampler="top(n=20)", encoder=encoder
    )


def told(kind: str, source: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each candidate whose anchor is rightly labelled: is it truly of the class, is it suspect, has it a label."""
    _, truth, given, hidden = digits()
    table = run(kind, source).candidates.table
    item = np.array(table.column("item").to_pylist(), np.int64)
    anchor = np.array(table.column("anchor").to_pylist()).astype(np.int64)
    wanted = anchor if kind == "classes" else given[anchor]
    suspect = np.array(table.column("verdict").cast(pa.string()).to_pylist()) == "suspect"
    right = np.ones(len(item), bool) if kind == "classes" else truth[anchor] == wanted
    return (truth[item] == wanted)[right], suspect[right], ~hidden[item][right]


@pytest.mark.parametrize("kind", ["classes", "items"])
@pytest.mark.parametrize("source", ["predictions", "neighbors(k=100)"])
def test_flips_are_suspect_and_hard_negatives_are_not(kind: str, source: str) -> None:
    positive, suspect, labelled = told(kind, source)
    assert positive[labelled].sum() > 100
    assert suspect[labelled & positive].mean() > 0.88
    assert suspect[labelled & ~positive].mean() < 0.05


def test_anchors_with_a_flipped_label_get_no_negatives() -> None:
    _, truth, given, _ = digits()
    ids = set(run("items", "neighbors(k=100)").negatives.column("anchor").to_pylist())
    asked = np.array(run("items", "neighbors(k=100)").anchors.ids.to_pylist())
    flipped = truth[asked] != given[asked]
    got = np.array([one in ids for one in asked])
    assert got[flipped].mean() < 0.2
    assert got[~flipped].mean() > 0.98


@pytest.mark.parametrize("kind", ["classes", "items"])
@pytest.mark.parametrize("source", ["predictions", "neighbors(k=100)"])
def test_hardly_a_member_of_the_class_comes_out_of_the_pool(kind: str, source: str) -> None:
    positive, suspect, labelled = told(kind, source)
    assert positive[~labelled].sum() > 100
    assert suspect[~labelled & positive].mean() > 0.98  # the promise is 1 - error
    assert suspect[~labelled & ~positive].mean() < 1  # and something is left


def test_negatives_are_not_of_their_class_far_more_often_than_without() -> None:
    _, truth, given, _ = digits()
    table = run("items", "neighbors(k=100)").negatives
    item, anchor = (np.array(table.column(name).to_pylist(), np.int64) for name in ("item", "anchor"))
    assert (truth[item] == given[anchor]).mean() < 0.03


def test_the_manifest_says_how_good_the_models_were() -> None:
    manifest = run("classes", "predictions").manifest
    assert set(manifest["predictions"]) == {"logistic", "knn"}
    assert manifest["predictions"]["logistic"]["accuracy"] > 0.8
    assert 0.05 < manifest["label_errors"]["mislabelled"]["noise"] < 0.2
    assert sum(manifest["errors"].values()) > 50


def test_other_bounds_need_no_new_model() -> None:
    old = run("classes", "predictions")
    stricter = refilter(old, filters=["mislabelled(mislabelled=0.05, negative=0.05)", "unlabelled(error=0.2)"])
    names = ("mislabelled.likely_mislabelled", "unlabelled.unsure")
    before, after = ([one.ledger["reasons"].get(name, 0) for name in names] for one in (old, stricter))
    assert after[0] > before[0]
    assert after[1] < before[1]


def pair(truth: float, relation: int, anchor: float = 1.0) -> dict[str, NDArray[np.generic]]:
    columns = {"true_class": np.array([truth], np.float32), "anchor_class": np.array([anchor], np.float32)}
    return {"relation": np.array([relation]), **columns}


@pytest.mark.parametrize(
    ("truth", "rule"), [(0.9, 0), (0.5, 0), (0.3, 1), (0.1, 1), (0.09, -1), (float("nan"), -1)]
)  # fmt: skip
def test_what_is_said_of_a_labelled_item(truth: float, rule: int) -> None:
    assert Mislabelled().judge(pair(truth, 7)).rule.tolist() == [rule]
    assert Mislabelled().judge(pair(truth, 0)).rule.tolist() == [-1]  # unlabelled


def test_what_is_said_where_the_anchor_itself_is_mislabelled() -> None:
    for relation in (0, 7):
        found = Mislabelled().judge(pair(0.05, relation, anchor=0.3))
        assert found.rule.tolist() == [2]
        assert found.figure.tolist() == pytest.approx([0.7])
    assert Mislabelled().judge(pair(0.05, 7, anchor=0.5)).rule.tolist() == [-1]


@pytest.mark.parametrize(("member", "other", "rule"), [(0.5, 0.01, 0), (0.5, 0.5, 1), (0.02, 0.3, 1), (0.019, 0.9, -1)])
def test_what_is_said_of_an_unlabelled_item(member: float, other: float, rule: int) -> None:
    columns = {"member": np.array([member], np.float64), "other": np.array([other]), "relation": np.array([0])}
    assert Unlabelled().judge(columns).rule.tolist() == [rule]
    assert Unlabelled().judge(columns | {"relation": np.array([7])}).rule.tolist() == [-1]


def test_predictions_that_came_with_the_data_are_taken() -> None:
    things = Collection(pa.table({"id": [1, 2, 3, 4], "label": ["a", "a", "b", "b"]}))
    given = Predictions(np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.float32), np.ones(4, bool), ("a", "b"))
    positives = Positives.from_labels(things, anchors="classes").with_predictions(given)
    vectors = np.eye(4, dtype=np.float32)
    context = Context(positives, Vectors(vectors[:2], vectors))
    assert context.predictions(None, "a test") is given
    assert context.predictions("knn(k=1, folds=2)", "a test") is not given
    with pytest.raises(ValueError, match="3 items and 2 classes; there are 4 items"):
        positives.with_predictions(Predictions(given.probabilities[:3], np.ones(3, bool), ("a", "b")))


@pytest.mark.parametrize("step", [Mislabelled(), Unlabelled()])
def test_given_predictions_that_cannot_judge_give_way_to_models(step: Mislabelled | Unlabelled) -> None:
    vectors, _, given, hidden = digits()
    labels = [None if gone else str(one) for one, gone in zip(given, hidden, strict=True)]
    positives = Positives.from_labels(Collection(pa.table({"id": np.arange(len(given)), "label": labels})))
    assert positives.classes is not None
    flat = np.full((len(given), 10), 0.1, np.float32)
    only_labelled = Predictions(np.where(hidden[:, None], np.float32(np.nan), flat), ~hidden, positives.classes.names)
    none_held_out = Predictions(flat, hidden, positives.classes.names)
    for found, usable in ((only_labelled, isinstance(step, Mislabelled)), (none_held_out, False)):
        context = Context(positives.with_predictions(found), Vectors.of_items(vectors, positives))
        step.gather(context)
        assert set(context.notes["predictions"]) == ({"given"} if usable else {"logistic", "knn"})


@pytest.mark.parametrize("text", ["mislabelled", "unlabelled"])
def test_without_labels_it_says_what_is_missing(text: str) -> None:
    positives = Positives.from_pairs(["q"], ["a"])
    with pytest.raises(OptionError, match=f"'{text}' needs items with labels"):
        FILTERS.make(text).gather(Context(positives, Vectors(np.ones((1, 2), "f4"), np.ones((1, 2), "f4"))))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mislabelled(mislabelled=1)", "'mislabelled' must be above 0 and below 1"),
        ("mislabelled(negative=0.9)", "'negative' must be above 0 and at most 'mislabelled'"),
        ("unlabelled(error=0.5)", "'error' must be above 0 and below 0.5"),
        ("mislabelled(models=logistik)", "no model 'logistik'"),
    ],
)
def test_wrong_options(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        FILTERS.make(text)


def test_of_one_class_next_to_none_of_its_members_pass_and_most_others_do() -> None:
    vectors, truth, _, _ = digits()
    rng = np.random.default_rng(1)
    labelled = (truth == 3) & (rng.random(len(truth)) < 0.5)
    things = Collection(pa.table({"id": np.arange(len(truth)), "label": [("3" if one else None) for one in labelled]}))
    positives = Positives.from_labels(things, anchors="classes")
    assert usual_filters(positives)[-1] == "unlabelled"
    encoder = Vectors(anchors_of(vectors, positives, "cosine"), vectors)
    found = mine(positives, sources="neighbors(k=2000)", filters=["known", "unlabelled(error=0.05)"], encoder=encoder)
    table = found.candidates.table
    item, kept = np.array(table.column("item").to_pylist()), np.array(table.column("verdict").to_pylist()) == "keep"
    hidden = truth[item] == 3
    assert kept[hidden].mean() <= 0.12  # 0.05 of 92, and what chance adds
    assert kept[~hidden].mean() > 0.7
    mine(positives, sources="neighbors(k=5)", filters=["known", "unlabelled"], encoder=encoder)
    with pytest.raises(InputError, match="at least two classes"):
        mine(positives, filters=["known", "unlabelled(models=knn)"], encoder=encoder)
