from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tide import judged_by_tide

from hardneg.detect import Detections, Kind, Truth, matched, mistakes, overlap, overlaps
from hardneg.errors import InputError, OptionError

EVERY = (0.0, 1e10)


def _coco(truth: Truth, found: Detections, iou: float, most: int, area: tuple[float, float]) -> dict[str, np.ndarray]:
    """What pycocotools itself says: for each detection the row found, whether it is ignored, whether looked at."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    images = {*truth.image.tolist(), *found.image.tolist()}
    data = {
        "images": [{"id": image} for image in images],
        "categories": [{"id": one} for one in {*truth.category.tolist(), *found.category.tolist()}],
        "annotations": [
            {
                "id": row + 1, "image_id": int(truth.image[row]), "category_id": int(truth.category[row]),
                "bbox": truth.box[row].tolist(), "area": float(truth.area[row]),
                # The tool overwrites "ignore" with "iscrowd", so ignored boxes are set below.
                "iscrowd": int(truth.crowd[row]), "hidden": bool(truth.ignored[row]),
            }
            for row in range(len(truth))
        ],
    }  # fmt: skip
    results = [
        {
            "image_id": int(found.image[row]), "category_id": int(found.category[row]),
            "bbox": found.box[row].tolist(), "score": float(found.score[row]),
        }
        for row in range(len(found))
    ]  # fmt: skip
    out = {
        "truth": np.full(len(found), -1), "uncounted": np.zeros(len(found), bool), "ranked": np.zeros(len(found), bool)
    }  # fmt: skip
    if not results:
        return out
    with contextlib.redirect_stdout(io.StringIO()):
        there = coco.COCO()
        there.dataset = data
        there.createIndex()
        judge = evaluation.COCOeval(there, there.loadRes(results), "bbox")
        judge.params.iouThrs, judge.params.maxDets = np.array([iou]), [most]
        judge.params.areaRng = [list(area)]
        judge._prepare()
        for boxes in judge._gts.values():
            for one in boxes:
                one["ignore"] = one["iscrowd"] or one["hidden"]
        judge._prepare = lambda: None
        judge.evaluate()
    for part in judge.evalImgs:
        if part is None:
            continue
        for place, number in enumerate(part["dtIds"]):
            row = number - 1
            out["ranked"][row] = True
            out["truth"][row] = int(part["dtMatches"][0][place]) - 1
            out["uncounted"][row] = bool(part["dtIgnore"][0][place])
    return out


def _agree(truth: Truth, found: Detections, iou: float = 0.5, most: int = 100, area: Any = None) -> None:
    ours = matched(truth, found, iou=iou, most=most, area=area)
    theirs = _coco(truth, found, iou, most, area or EVERY)
    assert ours.ranked.tolist() == theirs["ranked"].tolist()
    assert ours.truth.tolist() == theirs["truth"].tolist()
    assert (ours.uncounted & ours.ranked).tolist() == theirs["uncounted"].tolist()


_BOX = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 6), st.integers(0, 6))
_PLACE = st.tuples(st.integers(0, 2), st.integers(0, 2), _BOX)


def _truth(rows: list[Any]) -> Truth:
    columns = [[one[0][at] for one in rows] for at in range(3)]
    flags = [np.array([one[at] for one in rows], bool) for at in (1, 2)]
    return Truth(
        np.array(columns[0], int), np.array(columns[1], int), np.array(columns[2], float).reshape(-1, 4), *flags
    )


def _found(rows: list[Any]) -> Detections:
    columns = [[one[0][at] for one in rows] for at in range(3)]
    boxes = np.array(columns[2], float).reshape(-1, 4)
    return Detections(
        np.array(columns[0], int), np.array(columns[1], int), boxes, np.array([s for _, s in rows], float)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_PLACE, st.booleans(), st.booleans()), min_size=1, max_size=14).map(_truth),
    st.lists(st.tuples(_PLACE, st.integers(0, 4)), max_size=25).map(_found),
    st.sampled_from([0.1, 0.5, 0.75, 1.0]),
    st.sampled_from([1, 3, 100]),
    st.sampled_from([None, (4.0, 16.0)]),
)
def test_matching_is_that_of_pycocotools(
    truth: Truth, found: Detections, iou: float, most: int, area: tuple[float, float] | None
) -> None:
    _agree(truth, found, iou, most, area)


def _real(folder: Path, results: str) -> tuple[Truth, Detections]:
    data = json.loads((folder / "annotations.json").read_text())
    rows = json.loads((folder / results).read_text())
    images = {one["id"]: row for row, one in enumerate(data["images"])}
    kinds = {one["id"]: row for row, one in enumerate(data["categories"])}
    parts = []
    for some in (data["annotations"], rows):
        parts.append(
            (
                np.array([images[one["image_id"]] for one in some]),
                np.array([kinds[one["category_id"]] for one in some]),
                np.array([one["bbox"] for one in some], float),
            )
        )
    crowd = np.array([bool(one.get("iscrowd")) for one in data["annotations"]])
    return Truth(*parts[0], crowd), Detections(*parts[1], np.array([one["score"] for one in rows]))


REAL = [
    ("det_map85_gt_dt", "detections.json"),
    ("det_map85_gt_dt", "detections_nanodet.json"),
    ("det_coco100_gt_dt", "detections_fakebbox100.json"),
]


@pytest.mark.parametrize(("folder", "results"), REAL)
@pytest.mark.parametrize("iou", [0.5, 0.75, 0.95])
@pytest.mark.parametrize("area", [None, (0.0, 32.0**2), (96.0**2, 1e10)])
def test_matching_is_that_of_pycocotools_on_real_detections(
    data_dir: Path, folder: str, results: str, iou: float, area: Any
) -> None:
    _agree(*_real(data_dir / folder, results), iou, 100, area)


@pytest.mark.parametrize(("folder", "results"), REAL)
def test_mistakes_are_those_of_tide_without_crowds(data_dir: Path, folder: str, results: str) -> None:
    truth, found = _real(data_dir / folder, results)
    calm = np.isin(truth.image, truth.image[truth.crowd], invert=True)  # TIDE types what lies in a crowd as a mistake
    left = np.isin(found.image, truth.image[truth.crowd], invert=True)
    truth = Truth(truth.image[calm], truth.category[calm], truth.box[calm])
    found = Detections(found.image[left], found.category[left], found.box[left], found.score[left])
    judged = judged_by_tide(truth, found)
    names = {
        "Loc": Kind.LOCALISATION, "Cls": Kind.CONFUSION, "Dupe": Kind.DUPLICATE, "Bkg": Kind.BACKGROUND,
        "Both": Kind.BOTH,
    }  # fmt: skip
    counts = {kind.short_name: len(errors) for kind, errors in judged.error_dict.items()}
    theirs = {kind: counts[name] for name, kind in names.items()}
    # TIDE judges images with ground truth only.
    kind = mistakes(truth, found, matched(truth, found, most=10_000)).kind[np.isin(found.image, truth.image)]
    ours = {one: int((kind == one).sum()) for one in theirs}
    assert ours == theirs
    assert sum(ours.values()) + int((kind == Kind.CORRECT).sum()) == len(kind)


def test_nothing_is_a_mistake_where_nobody_looked() -> None:
    places = np.array([[0.0, 0, 10, 10], [20, 20, 10, 10]])
    truth = Truth(np.zeros(2, int), np.array([0, 1]), places, np.array([True, False]), np.array([False, True]))
    boxes = np.array([[1.0, 1, 3, 3], [1, 1, 3, 3], [20, 20, 10, 9], [40, 40, 5, 5], [8, 8, 6, 6]])
    found = Detections(np.zeros(5, int), np.array([0, 1, 0, 0, 0]), boxes, np.linspace(0.9, 0.5, 5))
    judged = mistakes(truth, found, matched(truth, found))
    assert [Kind(one).name for one in judged.kind] == ["UNCOUNTED"] * 3 + ["BACKGROUND"] * 2


def test_no_boxes_at_all() -> None:
    none = np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4))
    truth, found = Truth(*none), Detections(*none, np.zeros(0))
    assert len(mistakes(truth, found, matched(truth, found)).kind) == 0
    one = Detections(np.array([7]), np.array([0]), np.ones((1, 4)), np.ones(1))
    assert mistakes(truth, one, matched(truth, one)).kind.tolist() == [Kind.BACKGROUND]


@given(
    st.lists(_PLACE, min_size=1, max_size=10).map(lambda rows: _found([(one, 1.0) for one in rows])),
    st.lists(_PLACE, min_size=1, max_size=10).map(lambda rows: _found([(one, 1.0) for one in rows])),
)
def test_overlaps_are_those_of_pycocotools(left: Detections, right: Detections) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    crowd = np.arange(len(right)) % 2 == 0
    theirs = mask.iou(left.box, right.box, crowd.astype(np.uint8).tolist())
    theirs = np.where(left.image[:, None] == right.image, theirs, 0)
    ours = np.zeros_like(theirs)
    for pairs in overlaps(left, right, np.nextafter(0, 1), crowd):
        ours[pairs.left, pairs.right] = pairs.share
    np.testing.assert_array_equal(ours, theirs)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    boxes = [np.concatenate([draw.uniform(0, 50, (300, 2)), draw.uniform(5, 40, (300, 2))], axis=1) for _ in range(2)]
    truth = Truth(draw.integers(0, 20, 300), draw.integers(0, 3, 300), boxes[0])
    found = Detections(draw.integers(0, 25, 300), draw.integers(0, 3, 300), boxes[1], draw.uniform(size=300))
    whole = mistakes(truth, found, matched(truth, found))
    monkeypatch.setattr("hardneg.detect.boxes._PAIRS", 7)
    pieces = mistakes(truth, found, matched(truth, found))
    assert whole.kind.tolist() == pieces.kind.tolist()
    assert whole.truth.tolist() == pieces.truth.tolist()
    some = whole.truth >= 0
    np.testing.assert_array_equal(whole.share[some], overlap(found.box[some], truth.box[whole.truth[some]]))


@pytest.mark.parametrize(
    ("box", "score", "words"),
    [
        ([0, 0, -1, 2], 1.0, "negative side"),
        ([0, np.nan, 1, 2], 1.0, "not finite"),
        ([0, 0, 1, 2], np.nan, "have no score"),
    ],
)
def test_broken_boxes_are_named(box: list[float], score: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Detections(np.zeros(1, int), np.zeros(1, int), np.array([box], float), np.array([score]))


def test_options_out_of_range() -> None:
    truth = Truth(np.zeros(1, int), np.zeros(1, int), np.ones((1, 4)))
    found = Detections(np.zeros(1, int), np.zeros(1, int), np.ones((1, 4)), np.ones(1))
    with pytest.raises(OptionError, match="'iou'"):
        matched(truth, found, iou=0)
    with pytest.raises(OptionError, match="'background'"):
        mistakes(truth, found, matched(truth, found), background=0.6)
