from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.sources import Segments

PEAKS = [None, None, None, 0.5, 0.9, 0.7, 0.9, 0.8]
HEARD = [None, None, None, "yes", "yes", "no", "yes", "yes"]
OUTCOME = [None, None, None, "unlabelled", "false_accept", "unlabelled", "unlabelled", "hit"]


def scene(anchors: str = "classes", **columns: Any) -> Context:
    plain = {
        "id": range(8), "label": ["yes", "yes", "no", None, None, None, None, None], "heard": HEARD, "peak": PEAKS,
        "outcome": OUTCOME, **columns,
    }  # fmt: skip
    things = Collection(pa.table({name: values for name, values in plain.items() if values is not None}))
    positives = Positives.from_labels(things, anchors=anchors)  # type: ignore[arg-type]
    vectors = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    return Context(positives, Vectors(anchors_of(vectors, positives, "cosine"), vectors))


def lists(context: Context, source: Segments) -> dict[str, list[int]]:
    rows = source.prepare(context)(np.arange(len(context.positives.anchors)))
    ids = context.positives.anchors.ids.to_pylist()
    return {str(ids[at]): rows.item[rows.anchor == at].tolist() for at in range(len(ids))}


def test_what_was_heard_as_a_class_comes_by_its_peak_and_what_truly_is_the_keyword_does_not() -> None:
    context = scene()
    assert lists(context, Segments()) == {"no": [5], "yes": [4, 6, 3]}  # the hit is left out, ties in their order
    rows = Segments(k=2).prepare(context)(np.array([1]))
    assert rows["source_score"].tolist() == pytest.approx([0.9, 0.9])
    assert rows["rank"].tolist() == [0, 1]
    assert context.notes["heard"] == {"no": 1, "yes": 3}


def test_anchors_that_are_items_have_what_was_heard_as_their_label() -> None:
    assert lists(scene("items"), Segments(k=1)) == {"0": [4], "1": [4], "2": [5]}


def test_without_outcomes_nothing_is_known_to_be_the_keyword() -> None:
    assert lists(scene(outcome=None), Segments())["yes"] == [4, 6, 7, 3]


def test_an_item_labelled_with_what_was_heard_is_no_candidate() -> None:
    assert lists(scene(label=["yes", "yes", "no", None, "yes", None, None, None]), Segments())["yes"] == [6, 3]


def test_what_is_missing_is_said() -> None:
    without: dict[str, Context] = {"heard": scene(heard=None), "peak": scene(peak=None)}
    for column, context in without.items():
        with pytest.raises(InputError, match=f"needs items with the column '{column}'"):
            Segments().prepare(context)
    with pytest.raises(InputError, match="Heard: maybe; classes: no, yes"):
        Segments().prepare(scene(heard=[None] * 7 + ["maybe"]))
    with pytest.raises(InputError, match="'peak' must hold numbers"):
        Segments().prepare(scene(peak=["much"] * 8))
    with pytest.raises(OptionError, match="k"):
        Segments(k=0)


def test_keywords_that_nobody_wrote_down_are_held_back() -> None:
    """Items of two kinds lie apart; of what was heard as 'yes' every other is one, without a label."""
    rng = np.random.default_rng(0)
    truth = np.repeat(["yes", "no"], 60)
    labels = [one if row % 60 < 30 else None for row, one in enumerate(truth)]
    centres = np.where((truth == "yes")[:, None], [3.0, 0, 0, 0], [0, 3.0, 0, 0])
    vectors = (centres + rng.normal(size=(120, 4)) * 0.5).astype(np.float32)
    things = Collection(
        pa.table(
            {
                "id": range(120), "label": labels, "heard": [None if one else "yes" for one in labels],
                "peak": rng.uniform(0.5, 1, 120),
            }
        )
    )  # fmt: skip
    positives = Positives.from_labels(things, anchors="classes")
    options = {"sources": "segments", "encoder": Vectors.of_items(vectors, positives), "sampler": "top(n=60)"}
    sets = [
        run.negatives.filter(pa.array([one == "yes" for one in run.negatives.column("anchor").to_pylist()]))
        for run in (mine(positives, filters=filters, **options) for filters in (["known"], ["known", "unlabelled"]))  # type: ignore[arg-type]
    ]
    kept = [truth[one.column("item").to_pylist()] for one in sets]
    assert [(one == "yes").sum() for one in kept] == [30, 0]
    assert [(one == "no").sum() for one in kept][1] >= 25
