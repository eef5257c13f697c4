"""Answers of every library come out as the same arrays, and what cannot be read is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hardneg.detect import answer_of, detections_of
from hardneg.errors import InputError

XYXY, SCORES, LABELS = [[10.0, 20.0, 30.0, 50.0], [0.0, 0.0, 5.0, 5.0]], [0.25, 0.75], [2, 1]
NAMES = {0: "person", 1: "cat", 2: "dog"}


def _ultralytics(**changed: Any) -> SimpleNamespace:
    boxes = {"xyxy": np.array(XYXY, np.float32), "conf": np.array(SCORES, np.float32), "cls": np.array([2.0, 1.0])}
    return SimpleNamespace(boxes=SimpleNamespace(**boxes | changed), names=NAMES, masks=None)


def _supervision(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        xyxy=np.array(XYXY), class_id=np.array(LABELS), confidence=np.array(SCORES), mask=None, **more
    )


def test_all_forms_say_the_same() -> None:
    rows = np.column_stack([XYXY, SCORES, LABELS])
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(rows, dtype=torch.bfloat16, requires_grad=True)
    dict_of = {"boxes": XYXY, "scores": SCORES, "labels": LABELS}
    given = {
        "dict": dict_of, "ultralytics": _ultralytics(), "supervision": _supervision(data={}), "array": rows,
    }  # fmt: skip
    found = {form: answer_of(one, "here") for form, one in given.items()} | {"tensor": answer_of(tensor, "here")}
    for form, one in found.items():
        assert one.form == ("array" if form == "tensor" else form)
        np.testing.assert_allclose(one.box, [[10, 20, 20, 30], [0, 0, 5, 5]])
        np.testing.assert_allclose(one.score, SCORES)
        assert one.label is not None
        assert one.label.tolist() == LABELS
        assert one.name == (["dog", "cat"] if form == "ultralytics" else None)
    assert detections_of([rows.tolist(), _ultralytics()]).category.tolist() == [2, 1, 2, 1]


def test_names_are_kept() -> None:
    assert answer_of({"boxes": XYXY, "scores": SCORES, "labels": ["dog", "cat"]}, "here").name == ["dog", "cat"]
    named = _supervision(data={"class_name": np.array(["dog", "cat"])})
    assert answer_of(named, "here").name == ["dog", "cat"]
    unknown = _ultralytics(cls=np.array([2.0, 9.0]))
    assert answer_of(unknown, "here").name is None  # rather the number than a name for some alone
    with pytest.raises(InputError, match="'labels' of image 0 must be numbers"):
        detections_of([{"boxes": XYXY, "scores": SCORES, "labels": ["dog", "cat"]}])


@pytest.mark.parametrize(
    "nothing", [[], {"boxes": []}, np.zeros((0, 6)), np.zeros((0, 4)), {"boxes": np.zeros((0, 4))}]
)
def test_nothing_found(nothing: Any) -> None:
    assert len(answer_of(nothing, "here")) == 0


def test_what_is_left_out_of_the_label_is_none() -> None:
    assert answer_of({"boxes": XYXY, "scores": SCORES}, "here").label is None
    assert answer_of([[*box, score] for box, score in zip(XYXY, SCORES, strict=True)], "here").label is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "result of 'a.png' is no supervision.Detections and no dict with 'boxes'. Got NoneType"),
        ("boxes", "Got str"),
        ({}, "Got dict"),
        ([["a", "b"]], "Got list"),
        ([[1, 2, 3, 4]], r"rows of 'a.png' must be left, top, right, bottom, score .* Got shape \(1, 4\)"),
        ({"boxes": [[1, 2, 3]], "scores": [1]}, r"boxes of 'a.png' must be left, top, right and bottom.*\(1, 3\)"),
        ({"boxes": XYXY, "labels": LABELS}, "'scores' of 'a.png' must be one for each of 2 boxes. Got 0"),
        ({"boxes": XYXY, "scores": SCORES, "labels": [1]}, "'labels' of 'a.png' must be one for each of 2"),
        ({"boxes": XYXY, "scores": SCORES, "labels": ["a"]}, "'labels' of 'a.png' must be one for each of 2"),
        ({"boxes": XYXY, "scores": SCORES, "labels": [1.5, 2]}, "must be whole numbers or names. Got 1.5"),
        ({"boxes": XYXY, "scores": SCORES, "labels": [np.nan, 2]}, "must be whole numbers or names. Got nan"),
        ({"boxes": XYXY, "scores": SCORES, "labels": ["a", 2]}, "'labels' of 'a.png' must be numbers"),
        (SimpleNamespace(boxes=None, names=NAMES), "has no boxes: its model is for another task"),
    ],
)
def test_answers_that_cannot_be_read(given: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        answer_of(given, "'a.png'")
