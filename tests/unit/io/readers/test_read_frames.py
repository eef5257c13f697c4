"""Images that are frames: the sequence and the number reach the items, from records or from names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.detected import FILES, TRUTH, write_data

import hardneg as hn
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")


def _read(folder: Path, said: dict[int, dict[str, Any]], frames: str | None = None) -> Any:
    images = [one | said.get(one["id"], {}) for one in TRUTH["images"]]
    file = write_data(folder, TRUTH | {"images": images})
    options = ReadOptions(predictions=folder / "found.json", media_root=folder / "images", frames=frames)
    return read(file, options=options)


def _frames(reading: Any) -> dict[int, tuple[str | None, int | None]]:
    table = reading.positives.items.table
    columns = [table.column(name).to_pylist() for name in ("image_id", "sequence", "frame")]
    return {image: (sequence, frame) for image, sequence, frame in zip(*columns, strict=True)}


def _noted(reading: Any) -> dict[str, int]:
    return {one.reason: one.count for one in reading.notes}


def test_what_records_say_reaches_the_items(tmp_path: Path) -> None:
    said: dict[int, dict[str, Any]] = {
        1: {"video_id": 7, "frame_id": 0}, 2: {"video_id": 7, "frame_id": "12"}, 3: {"video_id": 7, "frame_id": 12},
        5: {"frame_id": 3}, 6: {"video_id": "b"},
    }  # fmt: skip
    reading = _read(tmp_path, said)
    assert _frames(reading) == {1: ("7", 0), 2: ("7", 12), 3: ("7", None), 5: (None, None)}
    assert _noted(reading) | {"partly_outside_the_image": 0} == {
        "frame_numbered_twice": 1, "frame_without_a_sequence": 1, "partly_outside_the_image": 0,
    }  # fmt: skip


def test_without_frames_there_are_no_columns(tmp_path: Path) -> None:
    assert not {"sequence", "frame"} & set(_read(tmp_path, {}).positives.items.table.column_names)


def test_names_say_it_and_go_before_records(tmp_path: Path) -> None:
    files = {1: "x_0001.png", 2: "night/x_2.png", 3: "day/x_2.png", 5: "none.png"}
    for name in files.values():
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"kept by write_data under another name")
    said: dict[int, dict[str, Any]] = {key: {"file_name": name} for key, name in files.items()} | {
        6: {"video_id": 4, "frame_id": 4}
    }
    said[1] |= {"video_id": 9, "frame_id": 9}
    reading = _read(tmp_path, said, "{sequence}_{frame}")
    assert _frames(reading) == {1: ("x", 1), 2: ("night/x", 2), 3: ("day/x", 2), 5: (None, None)}
    assert _noted(reading)["no_frame_in_its_name"] == 3
    with pytest.raises(InputError, match=r"No name of an image is like '\{sequence\}-\{frame\}' \(first: 'x_0001.png"):
        _read(tmp_path, said, "{sequence}-{frame}")
    recipe = hn.Recipe(tmp_path / "truth.json", read=ReadOptions(frames="{sequence}_{frame}"))
    assert hn.Recipe.parse(recipe.text(tmp_path), tmp_path) == recipe
    for wrong in ("{sequence}", "{frame}", "{frame}{frame}{sequence}", ""):
        with pytest.raises(OptionError, match="'frames' must hold"):
            replace(recipe.read, frames=wrong)


def test_yolo_and_voc_have_names(tmp_path: Path) -> None:
    run = hn.Recipe(write_data(tmp_path), read=ReadOptions(media_root=tmp_path / "images"))
    assert run.read_data().counts["images"] == len(FILES)
    from PIL import Image

    for number in range(3):
        for folder in ("images/train", "labels/train", "voc/Annotations", "voc/JPEGImages"):
            (tmp_path / "y" / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "y/images/train" / f"film-{number:04d}.jpg")
        (tmp_path / "y/labels/train" / f"film-{number:04d}.txt").write_text(f"{number % 2} 0.5 0.5 0.2 0.2\n")
        box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        (tmp_path / "y/voc/Annotations" / f"film-{number:04d}.xml").write_text(
            f"<annotation><object><name>{'ab'[number % 2]}</name>{box}</object></annotation>"
        )
    for path in (tmp_path / "y", tmp_path / "y/voc"):
        found = read(path, options=ReadOptions(frames="{sequence}-{frame}")).positives.items.table
        assert found.column("frame").to_pylist() == [0, 1, 2]
        assert [one.rsplit("/", 1)[-1] for one in found.column("sequence").to_pylist()] == ["film"] * 3


def test_other_data_have_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,b\nc,d\n")
    with pytest.raises(OptionError, match="'frames' is for boxes"):
        read(tmp_path / "a.csv", options=ReadOptions(frames="{sequence}_{frame}"))
    (tmp_path / "b.csv").write_text("anchor,positive\na,b\nc,d\n")
    with pytest.raises(OptionError, match="'frames' is for labelled data"):
        read(tmp_path / "b.csv", options=ReadOptions(frames="{sequence}_{frame}"))
