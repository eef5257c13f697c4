"""The review formats with pictures and sounds, read back: every file is there and is the right one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.heard import RATE, SECONDS, heard, wave_of
from tests.labelled import labelled, png

from hardneg.collection import Collection
from hardneg.io.writers import ExportOptions, export
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors

Task = dict[str, Any]


def tasks_of(out: Path) -> list[Task]:
    tasks: list[Task] = json.loads((out / "tasks.json").read_text(encoding="utf-8"))
    return tasks


def served(url: str, root: Path) -> Path:
    """The file that Label Studio serves for a URL, where ``root`` is its document root."""
    parts = urlsplit(url)
    assert parts.path == "/data/local-files/"
    path = root / parse_qs(parts.query)["d"][0]
    assert path.absolute().is_relative_to(root / "my reviews")
    return path


def best_positive(run: Run) -> dict[Any, Any]:
    """The positive with the highest score of each anchor, in plain Python."""
    best: dict[Any, Any] = {}
    ids = run.items.ids.to_pylist()
    positive = run.positives.positive
    for row, item, score in zip(positive.rows(), positive.values, run.positive_scores, strict=True):
        anchor = run.anchors.ids[int(row)].as_py()
        best[anchor] = max(best.get(anchor, (-2.0, None)), (float(score), ids[item]))
    return {anchor: item for anchor, (_, item) in best.items()}


def check_config(out: Path) -> None:
    """What Label Studio checks on importing: each variable of the config is text in each task, and names fit."""
    config = ElementTree.parse(out / "label_config.xml").getroot()
    tags = [one for one in config.iter() if str(one.get("value", "")).startswith("$")]
    names = [one.get("name") for one in config.iter() if one.get("name")]
    assert len(set(names)) == len(names)
    (choices,) = config.iter("Choices")
    assert choices.get("toName") == "item"
    assert "item" in names
    for task in tasks_of(out):
        assert all(isinstance(task["data"][str(tag.get("value"))[1:]], str) for tag in tags)
        assert task["predictions"][0]["result"][0]["to_name"] == "item"


@pytest.mark.parametrize("content", ["path", "image"])
def test_label_studio_shows_pictures(tmp_path: Path, content: Any) -> None:
    run = labelled(tmp_path, content)
    out = tmp_path / "my reviews"
    report = export(run, "label-studio", out, options=ExportOptions(files="copy"))
    check_config(out)
    config = ElementTree.parse(out / "label_config.xml").getroot()
    assert [one.get("value") for one in config.iter("Image")] == ["$anchor_image", "$positive_image", "$item_image"]
    assert not list(config.iter("Text"))
    best = best_positive(run)
    assert len(tasks_of(out)) == report.rows == run.negatives.num_rows + len(run.candidates.suspects())
    for task in tasks_of(out):
        data = task["data"]
        for side, key in (("anchor", data["anchor"]), ("positive", best[data["anchor"]]), ("item", data["item"])):
            if key not in ("i1", "i5"):  # which share a file
                assert served(data[f"{side}_image"], tmp_path).read_bytes() == png(7 * int(key[1:]))


@pytest.mark.parametrize("content", ["files", "clips", "bytes"])
@pytest.mark.parametrize("anchors", ["items", "classes"])
def test_label_studio_plays_sounds(tmp_path: Path, content: Any, anchors: Any) -> None:
    soundfile = pytest.importorskip("soundfile")
    run = heard(tmp_path, content, anchors=anchors)
    out = tmp_path / "my reviews"
    export(run, "label-studio", out)
    check_config(out)
    config = ElementTree.parse(out / "label_config.xml").getroot()
    sides = ["anchor", "positive", "item"][anchors == "classes" :]
    assert [one.get("value") for one in config.iter("Audio")] == [f"${side}_audio" for side in sides]
    assert [one.get("value") for one in config.iter("Text")] == ["$anchor_text"] * (anchors == "classes")
    best = best_positive(run)
    for task in tasks_of(out)[::7]:
        data = task["data"]
        assert anchors == "items" or data["anchor_text"] == data["anchor"]
        keys = {"anchor": data["anchor"], "positive": best[data["anchor"]], "item": data["item"]}
        for side in sides:
            samples, rate = soundfile.read(served(data[f"{side}_audio"], tmp_path))
            assert (len(samples), rate) == (SECONDS * RATE, RATE)
            if keys[side] not in ("i1", "i5") or content != "files":
                left = samples if samples.ndim == 1 else samples[:, 0]
                np.testing.assert_allclose(left, wave_of(int(keys[side][1:])), atol=1e-4)


def test_texts_stand_beside_sounds(tmp_path: Path) -> None:
    run = heard(tmp_path, extra={"text": [f"words {row}" for row in range(48)]})
    out = tmp_path / "my reviews"
    export(run, "label-studio", out)
    check_config(out)
    config = ElementTree.parse(out / "label_config.xml").getroot()
    assert [one.get("value") for one in config.iter("Text")] == ["$anchor_text", "$positive_text", "$item_text"]


def test_a_task_that_cannot_be_shown_is_counted(tmp_path: Path) -> None:
    run = labelled(tmp_path)
    first = run.negatives.column("item").to_pylist()[0]
    path = dict(zip(run.items.ids.to_pylist(), run.items.pictures or (), strict=True))[first]
    Path(str(path)).unlink()
    out = tmp_path / "my reviews"
    report = export(run, "label-studio", out)
    check_config(out)
    reasons = {one.reason: one.count for one in report.skips}
    assert reasons["missing_file"] == 1
    of_item = [
        pair for pair in [*run.negatives.to_pylist(), *run.candidates.suspects().to_pylist()] if pair["item"] == first
    ]
    assert reasons["nothing_to_show"] == len(of_item)
    assert report.rows + len(of_item) == run.negatives.num_rows + len(run.candidates.suspects())


@pytest.mark.parametrize("content", ["path", "image"])
def test_spotlight_has_pictures(tmp_path: Path, content: Any) -> None:
    run = labelled(tmp_path, content)
    export(run, "spotlight", tmp_path / "a.parquet")
    best = best_positive(run)
    for row in pq.read_table(tmp_path / "a.parquet").to_pylist():
        for side, key in (("anchor", row["anchor"]), ("positive", best[row["anchor"]]), ("item", row["item"])):
            value = row[f"{side}_image"]
            if key not in ("i1", "i5"):
                assert (Path(value).read_bytes() if content == "path" else value) == png(7 * int(key[1:]))


@pytest.mark.parametrize("anchors", ["items", "classes"])
def test_spotlight_has_sounds_with_their_windows(tmp_path: Path, anchors: Any) -> None:
    run = heard(tmp_path, "clips", anchors=anchors)
    export(run, "spotlight", tmp_path / "a.parquet")
    items = {row["id"]: row for row in run.items.table.to_pylist()}
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert rows
    for row in rows:
        item = items[row["item"]]
        assert Path(row["item_audio"]) == tmp_path / "sounds" / item["audio"]
        assert row["item_window"] == [item["start"], item["end"]]
        assert ("anchor_audio" in row) == (anchors == "items")


def test_anchors_that_are_no_items_have_pictures_of_their_own(tmp_path: Path) -> None:
    for side in "qd":
        for row in range(6):
            (tmp_path / f"{side}{row}.png").write_bytes(png(10 * row + (side == "q")))
    anchors, items = (
        Collection(pa.table({"id": names, "path": [f"{one}.png" for one in names]}), tmp_path)
        for names in ([f"{side}{row}" for row in range(6)] for side in "qd")
    )
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype("f4")
    positives = Positives.from_pairs(anchors.ids, items.ids, anchors=anchors, items=items)
    run = mine(positives, sources=Neighbors(vectors, vectors, k=4), sampler="top(n=2)", out=tmp_path / "run")
    export(run, "spotlight", tmp_path / "a.parquet")
    export(run, "label-studio", tmp_path / "my reviews")
    for row in pq.read_table(tmp_path / "a.parquet").to_pylist():
        assert Path(row["anchor_image"]).name == f"{row['anchor']}.png"
        assert Path(row["positive_image"]).name == f"d{row['anchor'][1:]}.png"
    for task in tasks_of(tmp_path / "my reviews"):
        name = task["data"]["anchor"]
        assert served(task["data"]["anchor_image"], tmp_path).read_bytes() == png(10 * int(name[1:]) + 1)
