from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.positives import Positives
from hardneg.sources import Detections

PREDICTED = [None, None, "cat", "dog", "cat", "cat"]
SCORES = [None, None, 0.4, 0.9, 0.8, None]


def scene(**columns: Any) -> Context:
    plain = {"id": range(6), "label": ["cat", "dog", "dog", None, None, None], **columns}
    items = Collection(pa.table(plain))
    positives = Positives.from_labels(items, anchors="classes")
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    return Context(positives, Vectors(anchors_of(vectors, positives, "cosine"), vectors))


def test_what_was_taken_for_a_category_comes_by_its_score() -> None:
    context = scene(predicted=PREDICTED, detector_score=SCORES)
    rows = Detections().prepare(context)(np.arange(2))
    assert (rows.anchor.tolist(), rows.item.tolist()) == ([0, 0, 1], [4, 2, 3])
    assert rows["source_score"].tolist() == pytest.approx([0.8, 0.4, 0.9])
    assert context.notes["detected"] == {"cat": 2, "dog": 1}


def test_a_detector_without_a_mistake_proposes_nothing() -> None:
    context = scene(predicted=pa.array([None] * 6, pa.string()), detector_score=SCORES)
    assert not len(Detections().prepare(context)(np.arange(2)).item)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(InputError, match=r"needs items with the column 'detector_score'.*--predictions"):
        Detections().prepare(scene(predicted=PREDICTED))
    with pytest.raises(InputError, match="Detected: cow; classes: cat, dog"):
        Detections().prepare(scene(predicted=["cow"] * 6, detector_score=SCORES))
    with pytest.raises(OptionError, match="k"):
        Detections(k=0)
