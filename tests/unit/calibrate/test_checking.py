"""What judged pairs say of a promise: counted, with exact limits, and a contradiction where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.calibrate import Checked, calibration_lines
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.decisions import Decision
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.table import Relation

RATE = "calibrated(false_negatives=0.1)"


def test_counts_and_limits() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {
        "relation": rng.choice([Relation.UNKNOWN, Relation.NEGATIVE, Relation.POSITIVE], 300).astype(np.uint8),
        "false_negative_rate": rng.uniform(0, 0.3, 300).astype(np.float32),
        "positive_probability": rng.uniform(0, 0.2, 300).astype(np.float32),
    }
    found = columns["relation"] == Relation.POSITIVE
    whole = Checked.of(columns, 0.1, found)
    halves = [
        Checked.of({k: v[part] for k, v in columns.items()}, 0.1, found[part]) for part in (slice(99), slice(99, 300))
    ]
    assert (halves[0] + halves[1]).about(0.1) == whole.about(0.1)
    about = whole.about(0.1)
    assert about["negatives"] == (columns["relation"] == Relation.NEGATIVE).sum()
    interval = stats.binomtest(about["doubted"], about["negatives"]).proportion_ci(method="exact")
    assert about["doubted_share"] == pytest.approx([interval.low, interval.high], abs=1e-4)
    assert about["contradicts"] == (stats.chi2.ppf(0.025, 2 * about["passed"]) / 2 > about["expected"])
    assert about["contradicts"]
    assert Checked.of(columns, 0.1).about(0.1).keys() == {"at", "negatives", "doubted", "doubted_share"}
    assert Checked().about(0.1) == {}


def _judged(out: Path, *, odd: bool) -> tuple[Run, Run]:
    """A review of all that is mined; where ``odd``, unknown positives are far from the anchor and its positives."""
    rng = np.random.default_rng(1)
    topics = rng.normal(size=(40, 16))
    items = np.concatenate(
        [np.repeat(topics, 6, axis=0), np.repeat(rng.normal(size=(40, 16)) if odd else topics, 2, axis=0)]
    )
    items = items + 0.5 * rng.normal(size=items.shape)
    topic = np.append(np.repeat(np.arange(40), 6), np.repeat(np.arange(40), 2))
    anchors = topics[np.arange(80) % 40] + 0.5 * rng.normal(size=(80, 16))
    pairs = [(f"q{row}", f"d{row % 40 * 6 + k}") for row in range(80) for k in range(6)]
    names = [f"q{row}" for row in range(80)], [f"d{row}" for row in range(320)]
    positives = Positives.from_pairs(
        *zip(*pairs, strict=True), anchors=Collection.of(names[0]), items=Collection.of(names[1])
    )
    vectors = Vectors(anchors.astype(np.float32), items.astype(np.float32))
    filters = ["known(shared=false)", RATE]
    run = mine(positives, sources="neighbors(k=320)", filters=filters, encoder=vectors, out=out / f"a{odd}")
    decisions = []
    for part in run.parts():
        for one in part.select(["anchor", "item"]).to_pylist():
            same = topic[int(one["item"][1:])] == int(one["anchor"][1:]) % 40
            decisions.append(
                Decision(one["anchor"], one["item"], "positive" if same else "negative", "ada", "2026-01-01T00:00:00Z")
            )
    return run, refilter(run, decisions=decisions, out=out / f"b{odd}")


@pytest.mark.parametrize("odd", [False, True])
def test_a_review_upholds_or_contradicts_the_promise(tmp_path: Path, odd: bool) -> None:
    run, after = _judged(tmp_path, odd=odd)
    assert "judged" not in run.manifest["calibrated"]
    judged = after.manifest["calibrated"]["judged"]
    assert judged["positives"] == 160
    assert judged["negatives"] == 80 * 320 - 80 * 6 - 160
    assert judged["contradicts"] is odd
    assert any("does not hold" in line for line in calibration_lines(after.manifest)) is odd
    assert any("judged negatives suspect" in line for line in calibration_lines(after.manifest))
    kept = refilter(after, filters="margin(relative=0.05)")
    assert not any("judged" in line for line in calibration_lines(kept.manifest))


def _nearest(run: Run) -> dict[tuple[str, str], str]:
    """The id of each candidate's nearest positive."""
    positive, out = run.positives.positive, {}
    for part in run.parts():
        for one in part.select(["anchor", "item", "nearest_positive"]).to_pylist():
            row = int(run.anchors.positions([one["anchor"]])[0])
            out[one["anchor"], one["item"]] = run.items.ids[int(positive[row][one["nearest_positive"]])].as_py()
    return out


def test_the_nearest_positive_stays_who_it_was_when_others_are_found(tmp_path: Path) -> None:
    run, _ = _judged(tmp_path, odd=False)
    anchor, item = run.anchors.ids[45].as_py(), "d0"
    after = refilter(run, decisions=[Decision(anchor, item, "positive", "ada", "2026-01-01T00:00:00Z")])
    assert item in {one for (a, one) in _nearest(run) if a == anchor}
    assert len(after.positives.positive[45]) == len(run.positives.positive[45]) + 1
    assert _nearest(after) == _nearest(run)


def test_known_negatives_among_the_candidates_of_a_mining_are_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    topics = rng.normal(size=(30, 16))
    items = np.repeat(topics, 6, axis=0) + 0.5 * rng.normal(size=(180, 16))
    anchors = topics + 0.5 * rng.normal(size=(30, 16))
    # Of its topic's six an anchor knows four; the fifth looks like them and is judged irrelevant, as two others are.
    positive = [(row, row * 6 + k) for row in range(30) for k in range(4)]
    negative = [(row, (row * 6 + k) % 180) for row in range(30) for k in (4, 6, 7)]
    qrels: dict[Any, dict[Any, float]] = {f"q{row}": {} for row in range(30)}
    for pairs, grade in ((positive, 1), (negative, 0)):
        for row, item in pairs:
            qrels[f"q{row}"][f"d{item}"] = grade
    anchor_ids, item_ids = [f"q{row}" for row in range(30)], [f"d{row}" for row in range(180)]
    positives = Positives.from_qrels(qrels, anchors=Collection.of(anchor_ids), items=Collection.of(item_ids))
    vectors = Vectors(anchors.astype(np.float32), items.astype(np.float32))
    run = mine(positives, sources="neighbors(k=180)", filters=RATE, encoder=vectors, out=tmp_path / "run")
    judged = run.manifest["calibrated"]["judged"]
    assert judged["negatives"] == 90
    rows = [one for part in run.parts() for one in part.to_pylist() if qrels[one["anchor"]].get(one["item"]) == 0]
    doubted = [(int(one["anchor"][1:]), int(one["item"][1:])) for one in rows if one["false_negative_rate"] > 0.1]
    assert judged["doubted"] == len(doubted) > 10
    assert all(item == row * 6 + 4 for row, item in doubted)
    assert not any(one["verdict"] == "suspect" for one in rows)
    assert "positives" not in judged
