"""A detector of one's own trained with each set of negatives: worlds, figures against pycocotools', what is refused."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from tests import boxed

import hardneg as hn
from hardneg.detect import Boxes, Detections, Truth, evaluate, mean_of, overlap
from hardneg.errors import InputError, OptionError
from hardneg.impact import Budget, Plan, Probe
from hardneg.impact.boxes.arms import BoxArm, dosed, random_windows
from hardneg.impact.boxes.data import BoxData, box_data
from hardneg.impact.boxes.exam import FPPI, BoxExam
from hardneg.impact.boxes.work import box_arms
from hardneg.impact.called import Called
from hardneg.progress import Silent
from hardneg.run import Run

pytest.importorskip("hotcoco")

PLAN = Plan(seeds=5, doses=())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return boxed.mined(tmp_path_factory.mktemp("boxes") / "world")


@pytest.fixture(scope="module")
def data(run: Run) -> BoxData:
    return box_data(run, None, 0, Silent())


def training(run: Run, name: str = "train") -> Called:
    return Called(f"{run.path.parent / 'training.py'}:{name}")


def test_where_mining_helps_a_detector_it_says_so(run: Run, tmp_path: Path) -> None:
    found = hn.measure_impact(run, learner=training(run), plan=PLAN, out=tmp_path / "impact.json")
    assert found.verdict == "helped"
    assert found.sentence.startswith("Mining helped: AP50 ")
    assert "12 held-out pictures, 5 seeds, equal budget" in found.sentence
    assert [arm.name for arm in found.arms] == ["run", "random", "none", "naive"]
    mined, drawn, none, _ = found.arms
    assert mined.negatives == drawn.negatives > 0 == none.negatives
    assert mined.mean[0] > drawn.mean[0] + 0.05
    assert drawn.mean[2] > 1  # more than one false positive per image, so no share
    for arm in found.arms:
        assert (arm.low <= arm.mean + 1e-9).all()
        assert (arm.mean <= arm.high + 1e-9).all()
    about = json.loads((tmp_path / "impact.json").read_text())
    assert about["kind"] == "detection"
    assert about["operating"]["across"] == "false positives per image"
    assert len(about["operating"]["rates"]) == len(FPPI) == len(about["operating"]["arms"][0]["value"])
    assert about["changes"]["better"] > 0
    assert not list(tmp_path.glob("*.partial"))


def test_pictures_are_held_out_and_nothing_is_mined_from_them(run: Run, data: BoxData) -> None:
    assert len(data.test.ids) == 12
    assert set(data.train.ids).isdisjoint(data.test.ids)
    assert not data.leaks
    mined, drawn, none, naive = box_arms(data, run, ["naive"])
    items = run.items.table
    held = {str(one) for one in data.test.ids}
    total = sum(
        str(image) not in held for image in items.filter(items.column("predicted").is_valid())["image_id"].to_pylist()
    )
    assert 0 < len(mined.boxes(0)) <= total
    assert len(none.boxes(0)) == 0
    assert len(naive.boxes(0)) == len(mined.boxes(0))
    for boxes in (mined.boxes(0), naive.boxes(0)):
        assert boxes.image.max() < len(data.train.ids)
    windows, other = drawn.boxes(1), drawn.boxes(2)
    assert np.array_equal(windows.box, drawn.boxes(1).box)
    assert not np.array_equal(windows.box, other.box)


def test_what_a_mining_doubts_is_ignored_in_its_training_and_in_no_other(tmp_path: Path) -> None:
    run = boxed.mined(tmp_path / "world", 24, ("known", "margin(ceiling=0.75)"))
    seen: dict[int, list[Any]] = {}

    def watching(lesson: Any, seed: int) -> Any:
        seen[len(seen)] = [seed, *lesson.pictures]
        return lambda pictures: [{"boxes": [], "scores": [], "labels": []} for _ in pictures]

    found = hn.measure_impact(
        run, learner=Called("watching", call=watching), plan=Plan(seeds=1, doses=()), against=["naive", "known"],
        out=tmp_path / "impact.json",
    )  # fmt: skip
    assert [arm.name for arm in found.arms] == ["run", "random", "none", "naive", "known"]
    there = {(str(one["image_id"]), *one["box"]) for one in run.items.table.to_pylist() if one["detector_score"]}
    doubted = pa.concat_tables(run.parts()).filter(pc.field("verdict") == "suspect")
    names = run.items.table.take(pa.array(run.items.positions(doubted.column("item")))).to_pylist()
    pictures = {str(one.id) for one in seen[0][1:]}
    expected = {(str(one["image_id"]), *one["box"]) for one in names if str(one["image_id"]) in pictures}
    assert 3 < len(expected) < len(there)

    def told(arm: int, what: str) -> set[tuple[Any, ...]]:
        return {(str(one.id), *box) for one in seen[arm][1:] for box in getattr(one, what).tolist()}

    assert told(0, "ignored") == expected
    assert told(0, "negatives").isdisjoint(expected)
    for arm in (1, 2, 3, 4):
        assert told(arm, "ignored") == set()
    assert told(4, "negatives") > expected  # a filter that doubts nothing teaches them
    assert found.arms[0].words == f"the run's negatives; {len(expected)} doubted areas ignored"
    assert found.arms[4].words == "negatives by known"


def test_random_windows_are_as_large_and_lie_on_no_box() -> None:
    rng = np.random.default_rng(0)
    truth = Truth(
        np.repeat(np.arange(5), 4), np.zeros(20, int), np.column_stack([rng.uniform(0, 60, (20, 2)), [[25, 20]] * 20])
    )
    like = Boxes(
        np.zeros(300, int), rng.integers(0, 3, 300), np.column_stack([np.zeros((300, 2)), rng.uniform(5, 40, (300, 2))])
    )
    sizes = np.array([[100, 80]] * 5)
    drawn = random_windows(like, truth, sizes, 7)
    assert len(drawn) == 300
    assert np.array_equal(drawn.box[:, 2:], like.box[:, 2:])
    assert np.array_equal(drawn.category, like.category)
    assert (drawn.box[:, :2] >= 0).all()
    assert (drawn.box[:, :2] + drawn.box[:, 2:] <= sizes[drawn.image] + 1e-9).all()
    for image, window in zip(drawn.image, drawn.box, strict=True):
        there = truth.box[truth.image == image]
        assert (overlap(np.broadcast_to(window, there.shape), there) < 0.3).all()
    assert np.bincount(drawn.image, minlength=5).min() > 30
    full = Truth(np.arange(5), np.zeros(5, int), np.array([[0.0, 0, 100, 80]] * 5))
    large = Boxes(np.zeros(9, int), np.zeros(9, int), np.array([[0.0, 0, 100, 80]] * 9))
    assert len(random_windows(large, full, sizes, 0)) == 0


def test_a_dose_is_a_share_of_the_mined_and_windows_for_the_others(data: BoxData, run: Run) -> None:
    mined = box_arms(data, run)[0]
    doubted = mined.boxes(0)  # any will do
    arm = BoxArm("run", "", mined.boxes, doubted)
    place = (data.train.truth, data.train.sizes)

    def rows(boxes: Boxes) -> set[tuple[float, ...]]:
        return {(float(image), *box) for image, box in zip(boxes.image, boxes.box.tolist(), strict=True)}

    every, windows = rows(mined.boxes(3)), rows(random_windows(mined.boxes(3), *place, 3))
    before: set[tuple[float, ...]] = set()
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        one = dosed(arm, *place, share, 3)
        found = rows(one.boxes(3))
        assert len(one.boxes(3)) == len(mined.boxes(3))
        assert found <= every | windows
        assert before <= (found & every)
        assert len(found & every) == pytest.approx(share * len(every), abs=0.2 * len(every))
        assert len(one.doubted) == len(found & every)
        before = found & every
    assert before == every
    assert rows(dosed(arm, *place, 0.0, 3).boxes(3)) == windows


def test_the_dose_is_chosen_by_pictures_that_nothing_else_sees(run: Run, tmp_path: Path) -> None:
    seen: list[set[str]] = []
    function = training(run).call
    assert function is not None

    def watching(lesson: Any, seed: int) -> Any:
        seen.append({str(one.id) for one in lesson.pictures})
        return function(lesson, seed)

    learner, plan = Called("watching", call=watching), Plan(seeds=2, doses=(0.0, 0.5, 1.0), dose_seeds=2)
    found = hn.measure_impact(run, learner=learner, plan=plan, against=[], out=tmp_path / "impact.json")
    assert len(seen) == 3 * 2 + 2
    assert all(one == seen[0] for one in seen)
    assert found.held_out["validation"] == 4
    assert found.held_out["train"] == 24 == len(seen[0])
    assert found.held_out["test"] == 12
    assert found.dose is not None
    assert [one.share for one in found.dose.points] == [0, 0.5, 1]
    ends = [found.dose.points[at].value for at in (0, -1)]
    arms = {arm.name: arm.validation[0] for arm in found.arms}
    assert ends == pytest.approx([arms["random"], arms["run"]])
    assert ends[0] < ends[1]
    assert all(0 <= one.low <= one.high <= 1 for one in found.dose.points)  # of two seeds the plain interval is wider
    assert all(-1 <= one.decisive.low <= one.decisive.high <= 1 for one in found.comparisons)


def made(images: int = 12, categories: int = 3, seed: int = 0) -> tuple[Truth, Detections]:
    rng = np.random.default_rng(seed)
    there = np.column_stack([rng.uniform(0, 300, (60, 2)), rng.uniform(20, 60, (60, 2))])
    truth = Truth(rng.integers(0, images, 60), rng.integers(0, categories, 60), there)
    rows = np.append(rng.permutation(60), rng.integers(0, 60, 30))
    wrong = rng.random(90) < 0.15
    box = np.where(
        wrong[:, None], np.column_stack([rng.uniform(0, 300, (90, 2)), rng.uniform(20, 60, (90, 2))]), there[rows]
    )
    found = Detections(
        truth.image[rows], truth.category[rows], box + rng.uniform(0, 4, (90, 4)), rng.random(90).round(2)
    )
    return truth, found


def of_pycocotools(truth: Truth, found: Detections, images: int, categories: int) -> float:
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    rows = zip(truth.image.tolist(), truth.category.tolist(), truth.box.tolist(), strict=True)
    seen = zip(found.image.tolist(), found.category.tolist(), found.box.tolist(), found.score.tolist(), strict=True)
    with contextlib.redirect_stdout(io.StringIO()):
        there = coco.COCO()
        there.dataset = {
            "images": [{"id": image} for image in range(images)],
            "categories": [{"id": one} for one in range(categories)],
            "annotations": [
                {"id": row + 1, "image_id": image, "category_id": kind, "bbox": box, "area": box[2] * box[3],
                 "iscrowd": 0}
                for row, (image, kind, box) in enumerate(rows)
            ],
        }  # fmt: skip
        there.createIndex()
        results = [{"image_id": a, "category_id": b, "bbox": c, "score": d} for a, b, c, d in seen]
        judge = evaluation.COCOeval(there, there.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[1])


def repeated(boxes: Any, times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of boxes and their images, where each image is there so often, under numbers of its own."""
    first = np.cumsum(times) - times
    rows = np.repeat(np.arange(len(boxes)), times[boxes.image])
    seen = np.concatenate([np.arange(times[image]) for image in boxes.image]) if len(boxes) else rows
    return rows, first[boxes.image[rows]] + seen


def test_the_figures_are_pycocotools_also_of_pictures_drawn_anew() -> None:
    truth, found = made()
    exam = BoxExam(truth, 3, np.arange(12))
    answers = exam.answers(found)
    assert exam.figures(answers)[0] == pytest.approx(of_pycocotools(truth, found, 12, 3))
    assert exam.figures(answers)[1] == pytest.approx(
        mean_of(evaluate(truth, found, images=12, categories=3).figures())[3]
    )
    times = np.random.default_rng(1).integers(0, 3, 12)
    (left, image), (right, other) = repeated(truth, times), repeated(found, times)
    twice = Truth(image, truth.category[left], truth.box[left])
    more = Detections(other, found.category[right], found.box[right], found.score[right])
    again = BoxExam(twice, 3, np.arange(int(times.sum())))
    drawn = exam.figures(answers, times.astype(float))
    assert drawn[0] == pytest.approx(of_pycocotools(twice, more, int(times.sum()), 3), abs=0.01)  # ties stand otherwise
    assert drawn[2:] == pytest.approx(again.figures(again.answers(more))[2:], abs=0.02)
    assert not np.isnan(drawn).any()


def test_false_positives_are_counted_where_so_many_boxes_are_found() -> None:
    truth, found = made(seed=3)
    exam = BoxExam(truth, 3, np.arange(12))
    answers = exam.answers(found)
    figures = exam.figures(answers)
    best = np.nan
    for threshold in np.unique(answers["score"]):
        sure = answers["score"] >= threshold
        if answers["hit"][sure].sum() >= 0.8 * len(truth):
            best = np.nanmin([best, (~answers["hit"][sure]).sum() / 12])
    assert figures[2] == pytest.approx(best, nan_ok=True)
    curve = exam.found_at(answers, FPPI)
    assert (np.diff(curve) >= 0).all()
    assert curve[FPPI.tolist().index(1.0)] == pytest.approx(figures[3])


def test_nothing_found_and_nothing_there() -> None:
    truth, _ = made()
    exam = BoxExam(truth, 3, np.arange(12))
    none = Detections(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)), np.zeros(0))
    figures = exam.figures(exam.answers(none))
    assert figures[[0, 1, 3]].tolist() == [0, 1, 0]
    assert np.isnan(figures[2])
    assert np.isnan(exam.figures(exam.answers(none), np.zeros(12))).all()


def test_a_stopped_measurement_goes_on(run: Run, tmp_path: Path) -> None:
    out, plan = tmp_path / "impact.json", replace(PLAN, seeds=1)
    whole = hn.measure_impact(run, learner=training(run), plan=plan, out=tmp_path / "other.json", against=[])
    function, calls = training(run).call, []

    def stopping(lesson: Any, seed: int) -> Any:
        calls.append(seed)
        if len(calls) == 2:
            raise KeyboardInterrupt
        assert function is not None
        return function(lesson, seed)

    learner = Called("stopping", call=stopping)
    with pytest.raises(KeyboardInterrupt):
        hn.measure_impact(run, learner=learner, plan=plan, out=out, against=[])
    resumed = hn.measure_impact(run, learner=learner, plan=plan, out=out, against=[])
    assert len(calls) == 2 + 2  # of three arms the first is kept
    assert {**resumed.about(), "learner": ""} == {**whole.about(), "learner": ""}


def test_what_is_wrong_is_said(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "impact.json"
    with pytest.raises(OptionError, match="your own training of a detector: --train"):
        hn.measure_impact(run, out=out)
    with pytest.raises(OptionError, match="your own training of a detector"):
        hn.measure_impact(run, learner=Probe(), out=out)
    with pytest.raises(OptionError, match="your own training of a detector"):
        hn.measure_impact(run, learner=training(run), plan=Plan(budget=Budget(steps=3), doses=()), out=out)
    with pytest.raises(OptionError, match="nothing called 'nothing'"):
        hn.measure_impact(run, learner=training(run), against=["nothing"], out=out)
    with pytest.raises(InputError, match=r"failed in training .RuntimeError: out of memory, or so"):
        hn.measure_impact(run, learner=training(run, "broken"), out=out)
    with pytest.raises(InputError, match=r"Not one label .* It says unicorn; there are red"):
        hn.measure_impact(run, learner=training(run, "wrong"), out=out)
    with pytest.raises(InputError, match="must return a detector"):
        hn.measure_impact(run, learner=Called("three", call=lambda lesson, seed: 3), out=out)
    with pytest.raises(InputError, match="no splits"):
        hn.measure_impact(run, learner=training(run), held_out="test", out=out)


def test_another_file_is_held_out(run: Run, tmp_path: Path) -> None:
    file = boxed.write_world(tmp_path / "other", pictures=9, seed=5)
    found = hn.measure_impact(
        run, learner=training(run), plan=replace(PLAN, seeds=1), held_out=str(file), out=tmp_path / "impact.json"
    )
    assert found.held_out["test"] == 9
    assert found.held_out["train"] == 40
    assert "of truth.json" in found.held_out["how"]
