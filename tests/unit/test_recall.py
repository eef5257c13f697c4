"""What is said where a detector may find less: each figure by a plain count, and the remedy named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.samplers.test_boxes_balanced import boxes, mined, rows_of

from hardneg.balance import measured
from hardneg.collection import Collection

NAMES = ["cat", "dog"]


def facts(counts: list[int], positives: list[int], hard: list[int], doubted: int = 0) -> dict[str, Any]:
    """The balance of so many negatives of each category, of which so many are hard; some are suspect for others."""
    anchor = [name for name, count in zip(NAMES, counts, strict=True) for _ in range(count)]
    grade = [
        part for count, most in zip(counts, hard, strict=True) for part in ["hard"] * most + ["easy"] * (count - most)
    ]
    items = pa.table({"id": np.arange(len(anchor)), "box": [[0.0] * 4] * len(anchor), "predicted": anchor})
    table = pa.table({"anchor": anchor, "item": np.arange(len(anchor)), "grade": grade})
    sides = Collection(pa.table({"id": NAMES, "positives": positives})), Collection(items)
    mask = np.arange(len(anchor)) < doubted
    ledger = {"suspect": 0, "candidates": 1000}
    return measured(table, sides, None, np.ones(len(anchor), bool), ledger, mask)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (([120, 30], [100, 60], [0, 20]), ["'cat' has 120 negatives and 100 boxes: recall", "per_positive=1",
                                          "67% of the negatives of 'dog' are nearer"]),
        (([120, 30], [100, 20], [30, 10]), ["'dog' has 30 negatives and 20 boxes, and 1 more categories have"]),
        (([100, 30], [100, 60], [60, 20]), ["67% of the negatives of 'dog' are nearer to it than its boxes are on "
                                           "average, and 1 more categories have such", "margin(relative=0.05"]),
        (([100, 50], [100, 60], [40, 20], 12), ["8% of the negatives are suspect as another category"]),
    ],
)  # fmt: skip
def test_each_warning_has_its_figure_and_its_remedy(given: Any, words: list[str]) -> None:
    said = " ".join(facts(*given)["warnings"])
    assert all(one in said for one in words)


def test_nothing_is_said_where_nothing_is_off_or_little_is_known() -> None:
    assert facts([100, 50], [100, 60], [40, 20], 3)["warnings"] == []
    found = facts([100, 19], [100, 2], [40, 19])["recall"]  # nineteen dogs may be chance
    assert (found["crowded"], found["alike"]) == ([], [])
    assert "recall" not in measured(
        pa.table({"anchor": ["q"], "item": [0], "grade": ["easy"]}),
        (Collection.of(["q"]), Collection.of([0])), None, np.ones(1, bool), {"suspect": 0, "candidates": 1},
    )  # fmt: skip


def test_a_run_says_it() -> None:
    run = mined(boxes(), "top(n=200)")
    found = run.manifest["balance"]["recall"]
    counts = {name: sum(one["anchor"] == name for one in rows_of(run)) for name in ("cat", "dog", "hen")}
    (first, *_) = found["crowded"]
    assert first["category"] == "hen"
    assert first["negatives"] == counts["hen"]
    assert first["boxes"] == run.anchors.table.column("positives").to_pylist()[2]
    assert any("'hen' has" in one for one in run.manifest["balance"]["warnings"])


def test_each_category_is_told_how_many_it_wanted() -> None:
    run = mined(boxes(), "top(n=60, per_positive=1)")
    there = run.anchors.table.column("positives").to_pylist()
    assert run.wanted.tolist() == [min(60, one) for one in there]
    short = {one["anchor"]: one["wanted"] for one in run.short().to_pylist()}
    got = {name: sum(one["anchor"] == name for one in rows_of(run)) for name in ("cat", "dog", "hen")}
    assert short == {name: most for name, most in zip(got, run.wanted.tolist(), strict=True) if got[name] < most}
    assert mined(boxes(), "top(n=7)").wanted.tolist() == [7, 7, 7]
