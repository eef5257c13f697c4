from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.detected import FOUND, mined, write_data

from hardneg.detect import Kind
from hardneg.errors import InputError
from hardneg.evaluation import MARK, WRONG, about, judge, names_of_results, seen, write_evaluation
from hardneg.io.found import Scenes, read_scenes, scenes_of
from hardneg.io.readers import ReadOptions

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")


def test_a_scene_with_two_detectors(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    second = tmp_path / "second.json"
    second.write_text(json.dumps(FOUND[:2]))
    scenes = read_scenes(file, [tmp_path / "found.json", second], options=ReadOptions())
    assert scenes.format == "coco"
    assert [len(one) for one in scenes.found] == [4, 2]
    assert list(scenes.categories) == ["cat", "dog"]
    assert (len(scenes.truth), int(scenes.truth.uncounted.sum())) == (6, 2)
    assert {one.reason: one.count for one in scenes.skips} == {"no_area": 1}
    assert list(scenes.files) == ["truth.json", "found.json", "second.json"]


def test_what_holds_no_boxes_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("query,answer\na,b\n")
    with pytest.raises(InputError, match="no data set of boxes"):
        read_scenes(tmp_path / "pairs.csv", [], options=ReadOptions())


def test_a_run_is_read_again_only_as_it_was_mined(tmp_path: Path) -> None:
    run = mined(tmp_path)
    found = scenes_of(run)
    assert isinstance(found, Scenes)
    assert [Kind(one).name for one in seen(found, "x").mistakes.kind] == [
        "CORRECT", "CONFUSION", "BACKGROUND", "BACKGROUND",
    ]  # fmt: skip
    (tmp_path / "found.json").write_text(json.dumps(FOUND[:3]))
    assert scenes_of(run) == "'found.json' has changed since the mining"
    (tmp_path / "found.json").unlink()
    assert scenes_of(run) == "'found.json' is not there any more"
    (tmp_path / "run/recipe.toml").unlink()
    assert scenes_of(run) == "the run has no recipe that names its data"


def test_pictures_that_are_gone_leave_the_figures(tmp_path: Path) -> None:
    run = mined(tmp_path)
    shutil.rmtree(tmp_path / "images")
    found = scenes_of(run)
    assert isinstance(found, Scenes)
    assert found.images.pictures is None


def test_the_account_of_an_evaluation(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    scenes = read_scenes(file, [tmp_path / "found.json"], options=ReadOptions())
    verdicts = judge(scenes, ["found.json"], draws=20)
    told = about(verdicts)
    assert told["data"] | {"files": None} == {
        "format": "coco", "images": 6, "categories": 2, "boxes": 4, "uncounted": 2, "files": None,
    }  # fmt: skip
    (one,) = told["detectors"]
    assert one["mistakes"] == {
        "correct": 1, "background": 2, "confusion": 1, "localisation": 0, "both": 0, "duplicate": 0, "uncounted": 0,
        "missed": 3,
    }  # fmt: skip
    assert one["categories"][1]["AP"]["value"] == 0
    assert one["curves_of_all_together"]["recall"] == [0.25] * 4
    assert set(one["AP50_without"]) == {kind.name.lower() for kind in WRONG}
    write_evaluation(verdicts, tmp_path / "out")
    text = (tmp_path / "out" / MARK).read_text()
    assert json.loads(text) == told  # and so holds no NaN
    write_evaluation(judge(scenes, ["found.json"], draws=20), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / MARK).read_text() == text


def test_two_detectors_are_compared_draw_by_draw(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    worse = tmp_path / "worse.json"
    worse.write_text(json.dumps([{**FOUND[0], "bbox": [70, 70, 20, 20]}, *FOUND[1:]]))
    scenes = read_scenes(
        file,
        [
            tmp_path / "found.json",
            worse,
        ],
        options=ReadOptions(),
    )
    difference = judge(scenes, ["found.json", "worse.json"], draws=50).difference
    assert difference is not None
    interval = difference.interval(0)
    assert interval.low >= 0 < interval.value
    same = read_scenes(file, [tmp_path / "found.json"] * 2, options=ReadOptions())
    none = judge(same, ["a", "b"], draws=5).difference
    assert none is not None
    assert not np.nan_to_num(none.drawn).any()


def test_without_a_box_that_counts_there_is_nothing_to_judge(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    empty = json.loads(file.read_text()) | {"annotations": []}
    file.write_text(json.dumps(empty))
    scenes = read_scenes(file, [tmp_path / "found.json"], options=ReadOptions())
    with pytest.raises(InputError, match="nothing to find"):
        judge(scenes, ["found.json"])


def test_names_of_results_tell_them_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "a/found.json", tmp_path / "b/found.json"
    assert names_of_results([one]) == ["found.json"]
    assert names_of_results([one, two]) == ["a/found.json", "b/found.json"]
    assert names_of_results([one, one]) == ["found.json", "found.json"]


def test_images_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    data = json.loads(file.read_text())
    file.write_text(json.dumps(data | {"images": data["images"][::-1]}))
    backwards = read_scenes(file, [tmp_path / "found.json"], options=ReadOptions(media_root=tmp_path / "images"))
    forwards = read_scenes(
        write_data(tmp_path), [tmp_path / "found.json"], options=ReadOptions(media_root=tmp_path / "images")
    )
    assert backwards.images.table.equals(forwards.images.table)
    assert backwards.truth.image.tolist() == forwards.truth.image.tolist()
    assert backwards.found[0].image.tolist() == forwards.found[0].image.tolist() == [0, 0, 1, 1]
    assert list(backwards.sizes) == list(forwards.sizes)
