"""A detector's figures against pycocotools, and against sums of our own that are made one step at a time."""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.tide import judged_by_tide

from hardneg.detect import (
    MEASURES,
    Detections,
    Kind,
    Outcomes,
    Truth,
    ap50_without,
    evaluate,
    log_average_miss_rate,
    matched,
    mean_of,
    miss_rates,
    mistakes,
    outcomes,
    precision_recall,
)

REAL = [
    ("det_map85_gt_dt", "detections.json"),
    ("det_map85_gt_dt", "detections_nanodet.json"),
    ("det_coco100_gt_dt", "detections_fakebbox100.json"),
]


def _real(folder: Path, results: str) -> tuple[Truth, Detections, int, int]:
    """Images in the order of their ids, as pycocotools has them: so finds with equal scores stand alike."""
    data = json.loads((folder / "annotations.json").read_text())
    rows = json.loads((folder / results).read_text())
    images = {key: row for row, key in enumerate(sorted(one["id"] for one in data["images"]))}
    kinds = {one["id"]: row for row, one in enumerate(data["categories"])}
    parts = []
    for some in (data["annotations"], rows):
        image, kind = [images[one["image_id"]] for one in some], [kinds[one["category_id"]] for one in some]
        parts.append((np.array(image), np.array(kind), np.array([one["bbox"] for one in some], float)))
    crowd = np.array([bool(one.get("iscrowd")) for one in data["annotations"]])
    found = Detections(*parts[1], np.array([one["score"] for one in rows]))
    return Truth(*parts[0], crowd), found, len(images), len(kinds)


def _coco(truth: Truth, found: Detections, images: int, categories: int) -> NDArray[np.float64]:
    """What pycocotools says of each category: AP, AP50, AP75; NaN where it says -1."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    numbers = zip(truth.image.tolist(), truth.category.tolist(), truth.box.tolist(), strict=True)
    data = {
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": one} for one in range(categories)],
        "annotations": [
            {"id": row + 1, "image_id": image, "category_id": kind, "bbox": box, "area": box[2] * box[3],
             "iscrowd": int(truth.crowd[row]), "hidden": bool(truth.ignored[row])}
            for row, (image, kind, box) in enumerate(numbers)
        ],
    }  # fmt: skip
    seen = zip(found.image.tolist(), found.category.tolist(), found.box.tolist(), found.score.tolist(), strict=True)
    results = [{"image_id": a, "category_id": b, "bbox": c, "score": d} for a, b, c, d in seen]
    with contextlib.redirect_stdout(io.StringIO()):
        there = coco.COCO()
        there.dataset = data
        there.createIndex()
        judge = evaluation.COCOeval(there, there.loadRes(results), "bbox")
        judge._prepare()
        for boxes in judge._gts.values():  # the tool overwrites "ignore" with "iscrowd"
            for one in boxes:
                one["ignore"] = one["iscrowd"] or one["hidden"]
        judge._prepare = lambda: None
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, -1]  # overlaps, recalls, categories
    by_overlap = np.where(precision < 0, np.nan, precision).mean(axis=1)
    return np.stack([by_overlap.mean(axis=0), by_overlap[0], by_overlap[5]], axis=1)


@pytest.mark.parametrize(("folder", "results"), REAL)
def test_average_precision_is_that_of_pycocotools_on_real_detections(data_dir: Path, folder: str, results: str) -> None:
    given = _real(data_dir / folder, results)
    ours = evaluate(*given[:2], images=given[2], categories=given[3]).figures()
    np.testing.assert_allclose(ours[:, :3], _coco(*given), rtol=0, atol=1e-9)


def test_the_published_figures_of_cocos_own_example(data_dir: Path) -> None:
    given = _real(data_dir / "det_coco100_gt_dt", "detections_fakebbox100.json")
    means = mean_of(evaluate(*given[:2], images=given[2], categories=given[3]).figures())
    # cocodataset/cocoapi, PythonAPI/pycocoEvalDemo.ipynb
    assert means[:3].round(3).tolist() == [0.505, 0.697, 0.573]


_BOX = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.integers(1, 6))
_PLACE = st.tuples(st.integers(0, 2), st.integers(0, 1), _BOX)


def _columns(rows: list[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    image, kind, box = zip(*(one[0] for one in rows), strict=True)
    return np.array(image), np.array(kind), np.array(box, float)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_PLACE, st.booleans(), st.booleans()), min_size=1, max_size=12),
    st.lists(st.tuples(_PLACE, st.integers(0, 4)), min_size=1, max_size=20),
)
def test_average_precision_with_crowds_ignored_boxes_and_ties(there: list[Any], seen: list[Any]) -> None:
    truth = Truth(*_columns(there), *(np.array([one[at] for one in there]) for at in (1, 2)))
    found = Detections(*_columns(seen), np.array([one[1] / 4 for one in seen]))
    ours = evaluate(truth, found, images=3, categories=2).figures()[:, :3]
    np.testing.assert_allclose(ours, _coco(truth, found, 3, 2), rtol=0, atol=1e-9)


def _missed_at(found: Outcomes, fppi: float) -> float:
    """The miss rate of the lowest threshold with no more false positives per image, each threshold tried by itself."""
    best = 1.0
    for threshold in sorted(set(found.score.tolist()), reverse=True):
        kept = [hit for hit, score in zip(found.hit.tolist(), found.score.tolist(), strict=True) if score >= threshold]
        if kept.count(False) / found.images <= fppi:
            best = 1 - kept.count(True) / len(found.box_image)
    return best


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.integers(0, 5), st.integers(1, 30))
def test_log_average_miss_rate_by_trying_each_threshold(hits: list[bool], more: int, images: int) -> None:
    boxes = hits.count(True) + more
    score = np.linspace(0.9, 0.1, len(hits))
    zeros = np.zeros(len(hits), int), np.zeros(boxes, int)
    found = Outcomes(zeros[0], score, np.array(hits, bool), zeros[1], images)
    if not boxes:
        assert math.isnan(log_average_miss_rate(found))
        return
    logs = [math.log(max(_missed_at(found, 10 ** (-2 + step / 4)), 1e-10)) for step in range(9)]
    assert log_average_miss_rate(found) == pytest.approx(math.exp(sum(logs) / 9), rel=1e-9)


@pytest.mark.parametrize(("folder", "results"), REAL)
def test_the_curves_of_real_detections_by_counting(data_dir: Path, folder: str, results: str) -> None:
    truth, found, images, _ = _real(data_dir / folder, results)
    matches = matched(truth, found)
    all_of_them = outcomes(truth, found, matches, images)
    missed, precise = miss_rates(all_of_them), precision_recall(all_of_them)
    boxes = int((~truth.uncounted).sum())
    last = np.flatnonzero(np.diff(all_of_them.score, append=-1))  # the last of each score
    for place in last[:: max(1, len(last) // 40)]:
        sure = matches.ranked & ~matches.uncounted & (found.score >= all_of_them.score[place])
        hits, wrong = int((sure & (matches.truth >= 0)).sum()), int((sure & (matches.truth < 0)).sum())
        assert missed.fppi[place] == pytest.approx(wrong / images)
        assert missed.miss_rate[place] == pytest.approx(1 - hits / boxes)
        assert precise.precision[place] == pytest.approx(hits / (hits + wrong))
        assert precise.recall[place] == pytest.approx(hits / boxes)


def test_measures_are_named_in_the_order_of_their_columns() -> None:
    assert MEASURES == ("AP", "AP50", "AP75", "LAMR")


@pytest.mark.parametrize(("folder", "results"), REAL)
def test_what_repairing_a_kind_brings_is_what_tide_says(data_dir: Path, folder: str, results: str) -> None:
    """Of the kinds that TIDE repairs by taking the finds away.

    Left out are images with crowds, which it types as mistakes, and categories without a box, which it counts as 0.
    """
    truth, found, images, categories = _real(data_dir / folder, results)
    calm = np.isin(truth.image, truth.image[truth.crowd], invert=True)
    kept = np.isin(found.image, truth.image[calm]) & np.isin(found.category, truth.category[calm])
    truth = Truth(truth.image[calm], truth.category[calm], truth.box[calm])
    found = Detections(found.image[kept], found.category[kept], found.box[kept], found.score[kept])
    judged = judged_by_tide(truth, found)
    gains = {kind.short_name: gain for kind, gain in judged.fix_main_errors().items()}
    matches = matched(truth, found, most=10_000)
    kinds = mistakes(truth, found, matches).kind
    none = np.zeros(len(found), bool)
    now = ap50_without(truth, found, matches, none, images=images, categories=categories)
    assert 100 * now == pytest.approx(judged.ap, abs=0.1)  # TIDE reads the curve a little differently
    for kind, name in ((Kind.BACKGROUND, "Bkg"), (Kind.DUPLICATE, "Dupe"), (Kind.BOTH, "Both")):
        then = ap50_without(truth, found, matches, kinds == kind, images=images, categories=categories)
        assert 100 * (then - now) == pytest.approx(gains[name], abs=0.1)


@pytest.mark.parametrize(("results", "theirs"), [("detections_nanodet.json", 0.6436721369670354)])
def test_the_miss_rate_of_chairs_is_that_of_brambox(data_dir: Path, results: str, theirs: float) -> None:
    """The figure is that of brambox 5.0.0 (EAVISE), which finds the same 1,107 points of the curve as well."""
    truth, found, images, _ = _real(data_dir / "det_map85_gt_dt", results)
    chair = int(np.bincount(truth.category).argmax())
    one = outcomes(truth, found, matched(truth, found), images, chair)
    assert len(np.unique(one.score)) == 1107
    assert log_average_miss_rate(one) == pytest.approx(theirs, rel=1e-12)
