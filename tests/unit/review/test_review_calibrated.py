"""A hundred answers from the queue of doubt, and what the calibrated filter makes of them in the next mining."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.replay import replayed
from hardneg.review.desk import Desk
from hardneg.review.queues import QUEUES

TOPICS = 40


def test_a_hundred_answers_sharpen_the_calibrated_filter() -> None:
    """Items of a topic are all right answers to its anchor, but only three of fifteen are known."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(TOPICS, 16))
    items = (centres[np.arange(600) % TOPICS] + 0.35 * rng.normal(size=(600, 16))).astype("f4")
    anchors = (centres + 0.3 * rng.normal(size=(TOPICS, 16))).astype("f4")
    known = [(at, at + TOPICS * copy) for at in range(TOPICS) for copy in range(3)]
    relations = Positives.from_pairs(*zip(*known, strict=True), items=Collection.of(range(600)))
    steps: dict[str, Any] = {
        "sources": "neighbors(k=60)", "filters": ["known", "calibrated(false_negatives=0.02)"],
        "sampler": "top(n=6)", "encoder": Vectors(anchors, items),
    }  # fmt: skip
    run = mine(relations, **steps)
    desk = Desk.of(run)
    decisions = []
    for row in QUEUES["doubt"].rows(desk)[:100].tolist():
        anchor, item = (int(ids[int(rows[row])].as_py()) for ids, rows in
                        ((run.anchors.ids, desk.facts.anchor), (run.items.ids, desk.facts.item)))  # fmt: skip
        decisions.append(desk.decision(row, "positive" if item % TOPICS == anchor else "negative", "ada"))
    found = replayed(relations, decisions)
    assert found.counts["by_id"] == 100
    again = mine(found.positives, **steps)
    before, after = run.manifest["calibrated"], again.manifest["calibrated"]
    assert after["hidden"] == before["hidden"] + found.counts["positive"]
    pairs = [one.negatives.select(["anchor", "item"]).to_pylist() for one in (run, again)]
    false = [np.mean([int(one["item"]) % TOPICS == int(one["anchor"]) for one in mined]) for mined in pairs]
    assert false[1] <= false[0] <= 0.02
    unknown = [one["unknown_positives"]["at_most"] for one in (before, after)]
    assert unknown[1] < unknown[0]
    assert again.negatives != run.negatives
