"""The page's parts about a detector: mistakes, curves, and boxes on their pictures within a budget."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.detected import FOUND, TRUTH, mined, write_data

from hardneg.detect import Boxes, Kind, Outcomes, Truth
from hardneg.evaluation import judge
from hardneg.io.found import read_scenes
from hardneg.io.readers import ReadOptions
from hardneg.report.boxes import MISSED, Shots, looks
from hardneg.report.curves import curves
from hardneg.report.detected import Behind, boxes_of_run
from hardneg.report.detector import before_and_after, mistakes_of_run
from hardneg.report.evaluation import render_evaluation
from hardneg.report.facts import Facts, State
from hardneg.report.gallery import BUDGET
from hardneg.report.page import render
from hardneg.report.scenery import Scenery
from hardneg.run import Run

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return mined(tmp_path_factory.mktemp("detection"))


def test_mistakes_are_counted_by_kind_and_category(run: Run) -> None:
    part = mistakes_of_run(Facts.gather(run))
    assert part is not None
    assert part.found is not None
    counts = {row.kind: row.counts for row in part.found.kinds}
    assert counts == {
        "correct": [1], "background": [2], "confusion": [1], "localisation": [0], "both": [0], "duplicate": [0],
        "missed": [3],
    }  # fmt: skip
    assert part.found.categories[0] == ("cat", 3, [(2, 8), (1, 6), (0, 0), (0, 0), (0, 0)], 2)
    assert "4 finds in 6 images" in part.sentences[0]


def test_before_and_after_is_called_an_upper_bound(run: Run) -> None:
    facts = Facts.gather(run)
    assert isinstance(facts.behind, Behind)
    sampled = int(facts.behind.sampled.sum())
    assert sampled == len(run.negatives)
    part = before_and_after(facts)
    assert part is not None
    assert "an upper bound" in " ".join(part.sentences)
    assert [one.name for one in part.charts[0].lines] == ["as mined", "if the mined were gone"]


def test_each_mistake_has_its_verdict_and_its_place(run: Run) -> None:
    facts = Facts.gather(run)
    gallery = facts.boxes
    assert gallery is not None
    shown = {(one.scene.image, one.kind, one.style, one.chip, one.label) for one in gallery.looks}
    assert shown == {
        ("2", "background", "suspect", "suspect", None),
        ("2", "background", "found", "negative", None),
        ("1", "confusion", "found", "negative", "dog"),
    }
    assert [one.score for one in gallery.looks] == [0.9, 0.75, 0.55]
    second = next(one.scene for one in gallery.looks if one.scene.image == "2")
    assert (second.view.width, second.view.height) == (160, 120)
    assert [(one.x, one.y, one.width, one.height) for one in second.suspects] == [(100, 20, 40, 40)]
    assert all(one.crop.data and one.scene.view.thumb.data for one in gallery.looks)
    assert dict(gallery.styles).keys() == {"truth", "found", "suspect"}


def test_the_same_page_wherever_it_lies(run: Run, tmp_path: Path) -> None:
    page = render(Facts.gather(run))
    assert render(Facts.gather(Run.open(run.path))) == page
    shutil.copytree(run.path.parent, tmp_path / "moved")
    assert render(Facts.gather(Run.open(tmp_path / "moved/run"))) == page
    assert str(run.path.parent) not in page


def test_without_its_data_a_run_shows_what_it_holds(tmp_path: Path) -> None:
    run = mined(tmp_path)
    (tmp_path / "found.json").unlink()
    facts = Facts.gather(run)
    part = mistakes_of_run(facts)
    assert part is not None
    assert part.found is None
    assert ("Background", 2) in part.counts
    assert "'found.json' is not there any more" in part.note
    assert before_and_after(facts) is None
    assert facts.boxes is not None
    assert {(one.scene.image, one.chip) for one in facts.boxes.looks} == {
        ("2", "suspect"), ("2", "negative"), ("1", "negative"),
    }  # fmt: skip
    assert len(next(one for one in facts.boxes.scenes if one.image == "1").truth) == 2
    assert "is not there any more" in render(facts)


def test_pictures_that_are_gone_are_said_and_boxes_stay(tmp_path: Path) -> None:
    run = mined(tmp_path)
    shutil.rmtree(tmp_path / "images")
    facts = Facts.gather(run)
    assert facts.boxes is not None
    assert not facts.boxes.pictures
    assert facts.boxes.looks[0].scene.view.width == 160  # COCO says so
    page = render(facts)
    assert "The pictures are not at hand" in page
    assert 'class="plane"' in page


def test_texts_of_the_data_are_no_markup(tmp_path: Path) -> None:
    attack = "<img src=x onerror=\"window.pwned='box'\">"
    truth: dict[str, Any] = json.loads(json.dumps(TRUTH))
    truth["categories"][0]["name"] = attack
    page = render(Facts.gather(mined(tmp_path, truth)))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_boxes_fit_their_budget(run: Run) -> None:
    facts = Facts.gather(run)
    for budget in (8000, 20_000, 1_000_000):
        gallery = boxes_of_run(facts, facts.behind, budget)
        assert gallery is not None
        assert gallery.looks
        assert gallery.bytes <= max(budget, 8000)
    assert len(render(facts).encode()) < BUDGET


def _shots(kinds: list[int], scores: list[float], categories: list[int], states: list[int] | None = None) -> Shots:
    size = len(kinds)
    box = np.array([[0.0, 0, 4, 4 + row] for row in range(size)]).reshape(-1, 4)
    return Shots(
        Boxes(np.arange(size), np.array(categories, int), box),
        np.array(kinds, int), np.full(size, -1), np.array(scores), np.zeros(size),
        np.array(states or [-1] * size, int), [""] * size,
    )  # fmt: skip


def test_groups_take_turns() -> None:
    background, confusion = int(Kind.BACKGROUND), int(Kind.CONFUSION)
    shots = _shots(
        [background] * 3 + [confusion, MISSED, MISSED, background],
        [0.9, 0.8, 0.7, 0.2, np.nan, np.nan, 0.6],
        [0, 0, 0, 0, 0, 0, 1],
    )
    from hardneg.report.boxes import _in_turn

    # First the foremost of each group, the larger of what was missed; then the others.
    assert set(_in_turn(shots)[:4].tolist()) == {0, 3, 5, 6}
    assert set(_in_turn(shots)[4:6].tolist()) == {1, 4}
    assert _in_turn(shots)[6] == 2


def test_nothing_to_look_at() -> None:
    from hardneg.collection import Collection

    none = Truth(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)))
    assert looks(_shots([], [], []), none, Scenery(Collection.of([]), []), [], 1000) is None


def test_suspects_are_told_by_their_state() -> None:
    shots = _shots([int(Kind.BACKGROUND)] * 2, [0.5, 0.4], [0, 0], [State.SUSPECT, State.SAMPLED])
    from hardneg.collection import Collection

    none = Truth(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)))
    gallery = looks(shots, none, Scenery(Collection.of(["a", "b"]), [None, None]), ["x"], 100_000)
    assert gallery is not None
    assert [one.style for one in gallery.looks] == ["suspect", "found"]
    assert gallery.suspects
    assert gallery.looks[0].scene.view.height == pytest.approx(4 * 1.04)  # as far as its boxes reach


def _outcomes(hits: Any, images: int = 50, boxes: int = 40) -> Outcomes:
    hits = np.array(hits, bool)
    return Outcomes(np.zeros(len(hits), int), np.linspace(1, 0, len(hits)), hits, np.zeros(boxes, int), images)


def test_curves_are_drawn_where_their_figures_are() -> None:
    precision, misses = curves([("one", _outcomes([1, 0, 1, 0]))])
    assert precision.lines[0].points.split()[0] == "0,0"
    assert precision.lines[0].points.split()[-1] == "5,100"
    assert precision.rows[1] == ["0.05", "0.667", "0.333"]
    assert precision.rows[2] == ["0.10", "–", "–"]
    assert misses.rows[0] == ["0.01", "0.975", "1.000"]
    assert misses.rows[-1] == ["1", "0.950", "0.000"]
    assert [label for _, label in misses.xticks] == ["0.01", "0.1", "1"]


def test_curves_of_many_finds_stay_small_and_whole() -> None:
    hits = np.random.default_rng(0).random(200_000) < np.linspace(0.9, 0.0, 200_000)
    for chart in curves([("a", _outcomes(hits, 100, 150_000)), ("b", _outcomes(hits[:1000], 100, 150_000))]):
        for line in chart.lines:
            assert len(line.points) < 12_000
            x = [float(one.split(",")[0]) for one in line.points.split()]
            assert x == sorted(x)
            assert all(0 <= one <= 100 for one in x)


@pytest.mark.parametrize("hits", [[], [0, 0], [1] * 40])
def test_curves_of_extremes(hits: list[int]) -> None:
    for chart in curves([("one", _outcomes(hits)), ("none", _outcomes([]))]):
        assert not re.search("nan|inf", str(chart))
    assert curves([("one", _outcomes(hits, boxes=0))]) == []


def test_the_page_of_an_evaluation(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    second = tmp_path / "second.json"
    second.write_text(json.dumps(FOUND[:2]))
    options = ReadOptions(media_root=tmp_path / "images")
    verdicts = judge(
        read_scenes(file, [tmp_path / "found.json", second], options=options), ["found", "second"], draws=20
    )
    page = render_evaluation(verdicts)
    assert page == render_evaluation(verdicts)
    for words in ("Detector evaluation", "no difference shown", "labelled, and missed", "Log-average", "cat, missed"):
        assert words.lower() in page.lower()
    assert "hard negatives</title>" not in page
    alone = judge(read_scenes(file, [second], options=ReadOptions()), ["second"], draws=0)
    assert "The pictures are not at hand" in render_evaluation(alone)
