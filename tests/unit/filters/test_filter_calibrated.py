"""The calibrated filter in a mining: what it learns, says, keeps for later, and does where it cannot learn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.calibrate import Calibration, calibrated, calibration_lines, setting_used
from hardneg.calibrate.evidence import Evidence
from hardneg.calibrate.learning import cases, folds_of, learn
from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.io.writers import export
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.report import write_report
from hardneg.run import Run
from hardneg.steps import usual_filters
from hardneg.table import Rows

TOPICS, EACH, ANCHORS, SPREAD = 40, 8, 60, 0.9


def _world(seed: int = 0, known: int = 4) -> tuple[Positives, Vectors, Ragged]:
    """Topics of eight items, anchors that know some of a topic's items, and what is hidden from them."""
    rng = np.random.default_rng(seed)
    topics = rng.normal(size=(TOPICS, 16))
    items = np.repeat(topics, EACH, axis=0) + SPREAD * rng.normal(size=(TOPICS * EACH, 16))
    of = rng.integers(0, TOPICS, ANCHORS)
    anchors = topics[of] + SPREAD * rng.normal(size=(ANCHORS, 16))
    shown = [np.sort(rng.choice(EACH, known, replace=False)) + one * EACH for one in of]
    away = [np.setdiff1d(np.arange(EACH) + one * EACH, mine) for one, mine in zip(of, shown, strict=True)]
    none = Ragged.empty(ANCHORS)
    texts = [f"item {row}" for row in range(TOPICS * EACH)]
    sides = Collection.of([f"q{row}" for row in range(ANCHORS)], texts=[f"anchor {row}" for row in range(ANCHORS)])
    positives = Positives(
        sides, Collection.of([f"d{row}" for row in range(TOPICS * EACH)], texts=texts), Ragged.from_lists(shown), none,
        none, np.full(ANCHORS, -1), np.zeros(TOPICS * EACH, bool),
    )  # fmt: skip
    return positives, Vectors(anchors.astype(np.float32), items.astype(np.float32)), Ragged.from_lists(away)


def _mined(out: Path, filters: str | list[str] | None, seed: int = 0, known: int = 4) -> tuple[Run, Ragged]:
    positives, vectors, away = _world(seed, known)
    run = mine(positives, encoder=vectors, filters=filters, sampler="top(n=4)", out=out)
    return run, away


def _false(run: Run, away: Ragged) -> float:
    anchor = [int(one[1:]) for one in run.negatives.column("anchor").to_pylist()]
    item = [int(one[1:]) for one in run.negatives.column("item").to_pylist()]
    return float(away.contains(np.array(anchor), np.array(item)).mean())


def test_fewer_false_negatives_than_a_margin_at_the_same_hardness(tmp_path: Path) -> None:
    run, away = _mined(tmp_path / "a", ["known(shared=false)", "calibrated(false_negatives=0.1)"])
    other, _ = _mined(tmp_path / "b", ["known(shared=false)", "margin(relative=0.05, reference=max)"])
    hardness = [float(np.mean(one.negatives.column("score").to_numpy())) for one in (run, other)]
    assert _false(run, away) < _false(other, away) / 2
    assert hardness[0] > hardness[1] - 0.1


def test_another_rate_needs_no_new_search(tmp_path: Path) -> None:
    loose, _ = _mined(tmp_path / "loose", "calibrated(false_negatives=0.2)")
    strict = refilter(loose, filters="calibrated(false_negatives=0.05)", out=tmp_path / "strict")
    suspects = [one.ledger["suspect"] for one in (loose, strict)]
    assert suspects[0] < suspects[1]
    assert strict.manifest["calibrated"] == loose.manifest["calibrated"]
    assert strict.manifest["frontier"] == loose.manifest["frontier"]


def test_by_default_where_there_is_enough_to_learn_from(tmp_path: Path) -> None:
    run, _ = _mined(tmp_path / "run", None)
    assert run.manifest["steps"]["filters"][-1] == "calibrated(false_negatives=0.02)"
    assert "60 anchors have two positives or more" in run.manifest["filters_chosen"]
    few, _ = _mined(tmp_path / "few", None, known=1)
    assert few.manifest["steps"]["filters"][-1].startswith("margin(")
    assert "0 anchors have two positives" in few.manifest["filters_chosen"]
    assert "20 are needed" in few.manifest["filters_chosen"]
    assert usual_filters(_world()[0])[-1].startswith("calibrated")


def _few(single: int, noise: float = 0) -> tuple[Positives, Vectors]:
    """Twenty anchors with four known positives each, and some with one; vectors with noise as long as they are."""
    positives, vectors, _ = _world()
    rows = np.arange(20 + single)
    kept = [positives.positive[row][: 4 if row < 20 else 1] for row in range(len(rows))]
    none = Ragged.empty(len(rows))
    things = positives.anchors.take(rows), positives.items
    few = Positives(*things, Ragged.from_lists(kept), none, none, np.full(len(rows), -1), positives.barred)
    rng = np.random.default_rng(0)
    sides = (np.asarray(vectors.anchors)[rows], np.asarray(vectors.items))
    noisy = [one + noise * np.linalg.norm(one, axis=1).mean() / 4 * rng.normal(size=one.shape) for one in sides]
    return few, Vectors(noisy[0].astype(np.float32), noisy[1].astype(np.float32))


@pytest.mark.parametrize(
    ("noise", "rate", "decides"),
    [(2.6, 0.02, "a fixed rule"), (0.0, 0.05, "learnt")],
)
def test_with_few_anchors_it_chooses_and_is_then_what_it_chose(
    noise: float, rate: float, decides: str, tmp_path: Path
) -> None:
    positives, vectors = _few(0, noise)
    given: dict[str, Any] = {"encoder": vectors, "sampler": "top(n=4)"}
    run = mine(positives, filters=["known", f"calibrated(false_negatives={rate})"], out=tmp_path / "run", **given)
    used, about = setting_used(run.manifest), run.manifest["calibrated"]
    lines = calibration_lines(run.manifest)
    if decides == "learnt":
        assert (used, about["decides"]) == (f"calibrated(false_negatives={rate})", "calibrated")
        assert any("Decided by what was learnt" in line for line in lines)
        return
    same = mine(positives, filters=["known", used], out=tmp_path / "same", **given)
    assert run.negatives.column("item").to_pylist() == same.negatives.column("item").to_pylist()
    assert any(used in line and about["why"] in line for line in lines)
    page = write_report(run).read_text(encoding="utf-8")
    assert page.count('<circle class="chosen"') == 1
    assert f"<code>{used}</code> <span" in page
    assert "what was learnt" in about["why"]
    looser = refilter(run, filters=["known", "calibrated(false_negatives=0.9)"], out=tmp_path / "looser")
    again = setting_used(looser.manifest)
    assert again != used
    by_name = mine(positives, filters=["known", again] if again else "known", out=tmp_path / "named", **given)
    assert looser.negatives.column("item").to_pylist() == by_name.negatives.column("item").to_pylist()


def test_a_rule_that_keeps_no_rate_says_only_what_passes() -> None:
    positives, vectors = _few(0)
    anchor, item = (one.ravel() for one in np.indices((20, TOPICS * EACH)))
    score = vectors.pairs(anchor, item)
    rank = (-score.reshape(20, -1)).argsort(axis=1).argsort(axis=1).ravel().astype(np.int32)
    rows = Rows(anchor, item, {"score": score, "rank": rank})
    rows = rows.take(~positives.positive.contains(anchor, item))
    made = calibrated(Context(positives, vectors, propose=lambda some: rows.take(np.isin(rows.anchor, some))), 0.02)
    assert isinstance(made, Calibration)
    assert made.several.choice is not None
    point = replace(made.several.choice.point, filter="rank(skip=10)")
    lowest = replace(
        made.several, choice=replace(made.several.choice, family="rank", point=point, kept=False, cut=-9.5)
    )
    assert (lowest.fallback, lowest.rule) == ("rank(skip=10)", "rank(skip=10)")
    assert replace(made, several=lowest).judge(rows).rate.tolist() == (rows["rank"] < 10).astype(float).tolist()


def test_the_default_of_few_anchors_measures_them(tmp_path: Path) -> None:
    positives, vectors = _few(30)
    run = mine(positives, encoder=vectors, sampler="top(n=4)", out=tmp_path / "run")
    assert run.manifest["steps"]["filters"][0] == "known"
    assert run.manifest["steps"]["filters"][-1] == "calibrated(false_negatives=0.02)"
    assert "20 anchors have two positives or more, enough to measure" in run.manifest["filters_chosen"]
    assert run.manifest["frontier"]


def test_a_margin_takes_its_place_and_says_why(tmp_path: Path) -> None:
    run, _ = _mined(tmp_path / "run", "calibrated", known=1)
    same, _ = _mined(tmp_path / "same", "margin(relative=0.05, reference=mean)", known=1)
    assert run.negatives.column("item").to_pylist() == same.negatives.column("item").to_pylist()
    assert "0 known positives could be hidden" in run.manifest["calibrated"]["why"]


def test_no_anchor_judges_itself() -> None:
    """What is known of an anchor may change: the model that judges it stays the same to the bit."""
    positives, vectors, _ = _world()
    context = Context(positives, vectors)
    known = cases(context, Evidence(context))
    keys = positives.anchors.keys, positives.items.keys
    before = learn(known, *keys)
    mine = folds_of(keys[0][known.rows.anchor]) == 0
    known.found.figures[mine] = np.random.default_rng(0).normal(size=known.found.figures[mine].shape)
    after = learn(known, *keys)
    assert before.models[0].pieces == after.models[0].pieces
    assert before.models[1].pieces != after.models[1].pieces


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    first, _ = _mined(tmp_path / "a", "calibrated")
    again, _ = _mined(tmp_path / "b", "calibrated")
    assert first.manifest == again.manifest  # which holds the hashes of all candidates


def test_new_positives_are_exported_with_reasons(tmp_path: Path) -> None:
    run, away = _mined(tmp_path / "run", ["known(shared=false)", "calibrated(false_negatives=0.1)"])
    report = export(run, "new-positives", tmp_path / "new.tsv")
    lines = (tmp_path / "new.tsv").read_text().splitlines()
    assert lines[0] == "query-id\tcorpus-id\tscore"
    pairs = [line.split("\t") for line in lines[1:]]
    assert report.counts["rows"] == len(pairs) > 20
    right = [away.contains(np.array([int(q[1:])]), np.array([int(d[1:])]))[0] for q, d, _ in pairs]
    assert np.mean(right) > 0.7
    export(run, "new-positives", tmp_path / "new.jsonl")
    records = [json.loads(line) for line in (tmp_path / "new.jsonl").read_text().splitlines()]
    assert [one["probability"] for one in records] == sorted((one["probability"] for one in records), reverse=True)
    first = records[0]
    positive = run.positives.positive[int(run.anchors.positions([first["anchor"]])[0])]
    assert first["nearest_positive"] in run.items.ids.take(positive.tolist()).to_pylist()
    plain, _ = _mined(tmp_path / "plain", "known")
    with pytest.raises(OptionError, match="filter calibrated"):
        export(plain, "new-positives", tmp_path / "none.tsv")


def test_the_page_shows_the_frontier_with_the_chosen_point_on_it(tmp_path: Path) -> None:
    run, _ = _mined(tmp_path / "run", "calibrated(false_negatives=0.1)")
    page = write_report(run).read_text(encoding="utf-8")
    points = run.manifest["frontier"]
    assert {one["family"] for one in points} >= {"naive", "rank", "margin of the best", "calibrated"}
    assert page.count('<circle class="dot') == len([one for one in points if one["mined"]])
    assert page.count('<circle class="chosen"') == 1
    naive = next(one for one in points if one["family"] == "naive")
    mine = next(one for one in points if one["filter"] == "calibrated(false_negatives=0.1)")
    assert mine["share"] < naive["share"]
    none, _ = _mined(tmp_path / "none", "known")
    assert 'id="frontier"' not in write_report(none).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["calibrated(false_negatives=0)", "calibrated(false_negatives=1)", "calibrated(likely=0)"]
)
def test_a_rate_is_a_share(text: str) -> None:
    with pytest.raises(OptionError, match="above 0 and below 1"):
        FILTERS.make(text)


@pytest.mark.parametrize(("column", "instead"), [("label", "--filter mislabelled"), ("group", "--filter 'margin")])
def test_labels_of_everything_and_groups_are_refused_and_what_serves_is_named(column: str, instead: str) -> None:
    """A bound for groups would be false: of two names for one topic a third of the mined were the same topic."""
    of = np.repeat(np.arange(20), 6)
    items = Collection(pa.table({"id": list(range(120)), column: [f"c{one}" for one in of]}))
    positives = Positives.from_labels(items) if column == "label" else Positives.from_groups(items)
    x = np.random.default_rng(0).normal(size=(120, 8)).astype(np.float32)
    with pytest.raises(OptionError, match=instead):
        mine(positives, encoder=Vectors.of_items(x, positives), filters="calibrated")


@pytest.mark.parametrize("known", [32, 33])
def test_the_nearest_positive_is_named_only_where_all_are_compared(known: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    topics = rng.normal(size=(20, 16))
    items = np.repeat(topics, 40, axis=0) + 0.5 * rng.normal(size=(800, 16))
    pairs = [(row, row * 40 + k) for row in range(20) for k in range(known)]
    positives = Positives.from_pairs(*zip(*pairs, strict=True), items=Collection.of(list(range(800))))
    vectors = Vectors(topics.astype(np.float32), items.astype(np.float32))
    run = mine(positives, encoder=vectors, filters="calibrated(false_negatives=0.1)", out=tmp_path / "run")
    unit = items / np.linalg.norm(items, axis=1, keepdims=True)
    for one in (one for part in run.parts() for one in part.to_pylist()):
        likeness = unit[one["item"]] @ unit[one["anchor"] * 40 + np.arange(known)].T
        assert one["nearest_positive"] == (likeness.argmax() if known == 32 else -1)
        assert one["positive_similarity"] == pytest.approx(likeness.max(), abs=1e-5)
