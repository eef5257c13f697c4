from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hardneg.detect import detections_of, matched, truth_of
from hardneg.errors import InputError

XYXY = [[10.0, 20.0, 30.0, 50.0], [0.0, 0.0, 5.0, 5.0]]


def _dict(**changed: Any) -> dict[str, Any]:
    return {"boxes": XYXY, "labels": [2, 1], "scores": [0.25, 0.75]} | changed


def test_boxes_of_all_forms_are_the_same() -> None:
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(value, requires_grad=name != "labels") for name, value in _dict().items()}
    seen = SimpleNamespace(xyxy=np.array(XYXY), class_id=np.array([2, 1]), confidence=np.array([0.25, 0.75]))
    found = detections_of([_dict(), _dict(boxes=[], labels=[], scores=[]), tensors, seen])
    assert found.image.tolist() == [0, 0, 2, 2, 3, 3]
    assert found.category.tolist() == [2, 1] * 3
    assert found.score.tolist() == [0.25, 0.75] * 3
    np.testing.assert_allclose(found.box, [[10, 20, 20, 30], [0, 0, 5, 5]] * 3)


def test_supervisions_own_detections_are_read() -> None:
    sv = pytest.importorskip("supervision")
    one = sv.Detections(xyxy=np.array(XYXY), class_id=np.array([2, 1]), confidence=np.array([0.25, 0.75]))
    found = detections_of([sv.Detections.empty(), one])
    assert found.image.tolist() == [1, 1]
    assert found.category.tolist() == [2, 1]


def test_targets_say_what_is_crowded_or_ignored() -> None:
    truth = truth_of(
        [{"boxes": XYXY, "labels": [1, 1], "iscrowd": [0, 1]}, {"boxes": XYXY[:1], "labels": [1], "difficult": [1]}]
    )
    assert truth.crowd.tolist() == [False, True, False]
    assert truth.ignored.tolist() == [False, False, True]
    assert matched(
        truth, detections_of([_dict(labels=[1, 1]), _dict(boxes=[], labels=[], scores=[])])
    ).truth.tolist() == [0, 1]


def test_labels_are_numbered_as_told() -> None:
    assert detections_of([_dict()], {1: 0, 2: 7}).category.tolist() == [7, 0]
    with pytest.raises(InputError, match="label 2 of image 0 has no number"):
        detections_of([_dict()], {1: 0})


def test_nothing_gives_nothing() -> None:
    assert len(detections_of([])) == len(truth_of([])) == 0
    assert len(detections_of([{"boxes": []}])) == 0


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("boxes", "result of image 0 is no supervision.Detections and no dict with 'boxes'. Got str"),
        ({}, "Got dict"),
        (_dict(scores=[0.5]), "'scores' of image 0 must be one for each of 2 boxes. Got 1"),
        (_dict(scores=None), "'scores' of image 0"),
        (_dict(labels=None), "'labels' of image 0"),
        (_dict(scores=[0.5, float("nan")]), "1 detections have no score"),
        (_dict(boxes=[[10, 10, 5, 20], [0, 0, 1, 1]]), "negative side"),
    ],
)
def test_results_that_are_no_use(result: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        detections_of([result])
