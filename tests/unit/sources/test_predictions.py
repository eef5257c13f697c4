from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.positives import Positives
from hardneg.predict import Predictions as Predicted
from hardneg.sources import Predictions

NAMES = ("a", "b", "c")


def scene(
    labels: list[str | None],
    found: list[list[float]],
    minable: NDArray[np.bool_] | None = None,
    anchors: str = "classes",
) -> Context:
    things = Collection(pa.table({"id": np.arange(len(labels)), "label": labels}))
    positives = Positives.from_labels(things, anchors=anchors, minable=minable)  # type: ignore[arg-type]
    given = Predicted(np.array(found, np.float32), np.ones(len(labels), bool), NAMES)
    vectors = np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32)
    positives = positives.with_predictions(given)
    return Context(positives, Vectors(anchors_of(vectors, positives, "cosine"), vectors))


LABELS = ["a", "a", "b", "b", "c", None]
FOUND = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.7, 0.2, 0.1], [0.1, 0.9, 0], [0.4, 0.3, 0.3], [0.6, 0.3, 0.1]]


def lists(context: Context, source: Predictions) -> dict[str, list[int]]:
    rows = source.prepare(context)(np.arange(len(context.positives.anchors)))
    ids = context.positives.anchors.ids.to_pylist()
    return {str(ids[at]): rows.item[rows.anchor == at].tolist() for at in range(len(ids))}


def test_what_is_taken_for_a_class_comes_in_the_order_of_the_margin() -> None:
    context = scene(LABELS, FOUND)
    assert lists(context, Predictions(like=0)) == {"a": [2, 4], "b": [1], "c": []}
    rows = Predictions(like=0).prepare(context)(np.array([0]))
    assert rows["source_score"].tolist() == pytest.approx([0.5, 0.1])
    assert rows["rank"].tolist() == [0, 1]
    assert context.notes["errors"] == {"a": 2, "b": 1}
    assert lists(context, Predictions(k=1, like=0)) == {"a": [2], "b": [1], "c": []}


def test_near_misses_count_within_the_margin() -> None:
    # Item 1 is best as b (0.5); as c it misses by 0.2, item 4 as b by 0.1.
    assert lists(scene(LABELS, FOUND), Predictions(like=0, margin=0.25)) == {"a": [2, 4], "b": [1, 4], "c": [1]}


def test_errors_of_a_validation_split_point_at_what_may_be_mined() -> None:
    minable = np.array([True, True, False, True, True, True])
    context = scene(LABELS, FOUND, minable)
    vectors = context.vectors(None).items[:]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = unit @ unit.T
    near[:, [0, 1, 2]] = -9  # of the class, or barred
    expected = {int(np.argmax(near[2])), 4, int(np.argmax(np.where(np.arange(6) == 4, -9, near[4])))}
    assert set(lists(context, Predictions(like=1))["a"]) == expected
    assert lists(context, Predictions(like=0))["a"] == [4]


def test_an_item_as_anchor_gets_what_is_taken_for_its_class() -> None:
    found = lists(scene(LABELS, FOUND, anchors="items"), Predictions(like=0))
    assert found == {"0": [2, 4], "1": [2, 4], "2": [1], "3": [1], "4": []}


def test_several_labels() -> None:
    things = Collection(pa.table({"id": [0, 1, 2], "label": [["a"], ["a", "b"], ["b"]]}))
    positives = Positives.from_labels(things, anchors="classes")
    given = Predicted(np.array([[0.9, 0.6], [0.9, 0.9], [0.4, 0.7]], np.float32), np.ones(3, bool), ("a", "b"), True)
    context = Context(positives.with_predictions(given), Vectors(np.ones((2, 2), "f4"), np.ones((3, 2), "f4")))
    assert lists(context, Predictions(like=0)) == {"a": [], "b": [0]}


def test_predictions_that_saw_the_label_are_no_errors() -> None:
    context = scene(LABELS, FOUND)
    given = context.positives.predictions
    assert given is not None
    seen = Predicted(given.probabilities, np.array([True, True, False, True, True, True]), NAMES)
    context.positives = context.positives.with_predictions(seen)
    assert lists(context, Predictions(like=0))["a"] == [4]


def test_what_nothing_was_predicted_for_has_the_score_of_the_error_it_is_like() -> None:
    minable = np.array([True, True, False, True, True, True])
    found = [[np.nan] * 3] * 2 + [FOUND[2]] + [[np.nan] * 3] * 3  # predictions of the validation split alone
    context = scene(LABELS, found, minable)
    rows = Predictions(like=2).prepare(context)(np.array([0]))
    assert len(rows) == 2
    assert set(rows.item.tolist()) <= {3, 4, 5}
    assert rows["source_score"].tolist() == pytest.approx([0.5, 0.5])


def test_predictions_of_which_none_is_held_out_are_refused() -> None:
    context = scene(LABELS, FOUND)
    given = context.positives.predictions
    assert given is not None
    seen = Predicted(given.probabilities, np.zeros(6, bool), NAMES)
    context.positives = context.positives.with_predictions(seen)
    with pytest.raises(InputError, match=r"no error is known.*--held-out"):
        Predictions().prepare(context)


def test_wrong_options() -> None:
    for text in ("k=0", "margin=1", "like=-1"):
        name, value = text.split("=")
        with pytest.raises(OptionError, match=f"'{name}' must be"):
            Predictions(**{name: float(value) if "." in value else int(value)})  # type: ignore[arg-type]
