"""Results that are judged some images at a time: the same as all at once, whatever their order, and with a bound."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.detect import Detections, Truth, items_of, matched, mistakes
from hardneg.errors import OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.readers._results import GROUP

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")

IMAGES, NAMES = 2 * GROUP + 100, ["cat", "dog"]


def made(seed: int = 0) -> tuple[Truth, Detections, Detections]:
    """Boxes near boxes, and others, in images of three groups; some images have nothing at all."""
    rng = np.random.default_rng(seed)
    there = np.sort(rng.integers(0, IMAGES, 1500))
    truth = Truth(there, rng.integers(0, 2, 1500), _boxes(rng, 1500))
    parts = []
    for _ in range(2):
        of = rng.integers(0, 1500, 3000)
        moved = truth.box[of] + rng.normal(0, 4, (3000, 4))
        near = rng.random(3000) < 0.7
        box = np.where(near[:, None], np.abs(moved) + 1, _boxes(rng, 3000)).round(2)
        image = np.where(near, truth.image[of], rng.integers(0, IMAGES, 3000))
        parts.append(Detections(image, rng.integers(0, 2, 3000), box, rng.random(3000).round(2)))
    return truth, parts[0], parts[1]


def _boxes(rng: np.random.Generator, count: int) -> Any:
    return np.concatenate([rng.uniform(0, 60, (count, 2)), rng.uniform(10, 40, (count, 2))], axis=1).round(2)


def written(folder: Path, truth: Truth, found: Detections, second: Detections) -> None:
    images = [{"id": row, "file_name": f"{row}.jpg"} for row in range(IMAGES)]
    kinds = [{"id": row, "name": name} for row, name in enumerate(NAMES)]
    boxes = [one | {"id": row} for row, one in enumerate(_rows(truth))]
    (folder / "truth.json").write_text(json.dumps({"images": images, "categories": kinds, "annotations": boxes}))
    for name, some in (("found", found), ("second", second)):
        scores = some.score.tolist()
        rows = [one | {"score": score} for one, score in zip(_rows(some), scores, strict=True)]
        (folder / f"{name}.json").write_text(json.dumps(rows))


def _rows(boxes: Any) -> list[dict[str, Any]]:
    columns = (one.tolist() for one in (boxes.image, boxes.category, boxes.box))
    return [dict(zip(("image_id", "category_id", "bbox"), one, strict=True)) for one in zip(*columns, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_images_give_what_all_at_once_gives(tmp_path: Path, seed: int) -> None:
    truth, found, second = made(seed)
    written(tmp_path, truth, found, second)
    options = ReadOptions(predictions=tmp_path / "found.json", agreeing=tmp_path / "second.json")
    reading = read(tmp_path / "truth.json", options=options)
    judged = mistakes(truth, found, matched(truth, found))
    images = Collection(pa.table({"id": np.arange(IMAGES)}))
    whole = items_of(truth, found, judged, images, NAMES, second=second)
    assert reading.positives.items.table.equals(whole.table)
    kinds = Counter(judged.kind.tolist())
    names = ["correct", "uncounted", "localisation", "confusion", "duplicate", "background", "both"]
    assert {name: reading.counts[f"detections_{name}"] for name in names} == {
        name: kinds[code] for code, name in enumerate(names)
    }
    skipped = {one.reason: one for one in reading.skips}
    assert skipped["detection_both"].count == kinds[6]
    assert len(skipped["detection_both"].examples) == 3


@pytest.mark.parametrize("most", [1, 40, 10_000])
def test_of_each_category_the_surest_mistakes_become_items(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardneg.io.readers._judging._HELD", 0)  # those beyond are given up after each group
    truth, found, second = made()
    written(tmp_path, truth, found, second)
    every = read(tmp_path / "truth.json", options=ReadOptions(predictions=tmp_path / "found.json"))
    options = ReadOptions(predictions=tmp_path / "found.json", most_mistakes=most)
    reading = read(tmp_path / "truth.json", options=options)

    def mistaken(of: Any) -> list[tuple[str, float, list[float]]]:
        rows = of.positives.items.table.select(["predicted", "detector_score", "box"]).to_pylist()
        return [tuple(one.values()) for one in rows if one["predicted"] is not None]

    everything = mistaken(every)
    surest = [
        one
        for name in NAMES
        for one in sorted((one for one in everything if one[0] == name), key=lambda one: -one[1])[:most]
    ]
    assert sorted(mistaken(reading)) == sorted(surest)
    beyond = {one.reason: one.count for one in reading.skips}.get("detection_beyond_most_mistakes", 0)
    assert beyond == len(everything) - len(surest)
    there = [one for one in every.positives.items.ids.to_pylist() if "/d" not in one]
    assert [one for one in reading.positives.items.ids.to_pylist() if "/d" not in one] == there


def test_none_at_all_cannot_be_asked_for() -> None:
    with pytest.raises(OptionError, match="'most_mistakes' must be at least 1"):
        ReadOptions(most_mistakes=0)
