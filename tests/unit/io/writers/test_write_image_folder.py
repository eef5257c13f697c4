"""Folders of pictures, walked as torchvision walks them, and names that would like to be paths."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.labelled import labelled, png

from hardneg.errors import InputError, StorageError
from hardneg.io.writers import ExportOptions, export
from hardneg.io.writers._names import Names, safe
from hardneg.run import Run

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def image_folder(root: Path) -> list[tuple[Path, str]]:
    """What ``torchvision.datasets.ImageFolder`` finds: classes are the folders, links are followed."""
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    return [
        (Path(base) / name, one)
        for one in classes
        for base, _, names in sorted(os.walk(root / one, followlinks=True))
        for name in sorted(names)
        if name.lower().endswith(EXTENSIONS)
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("pictures"))


def index_of(out: Path) -> dict[str, Path]:
    with (out / "index.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: out / row["file"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("files", ["link", "hardlink", "copy"])
def test_hard_items_stand_under_their_labels(run: Run, tmp_path: Path, files: Any) -> None:
    report = export(run, "image-folder", tmp_path / "out", options=ExportOptions(files=files))
    found = index_of(tmp_path / "out")
    items = {row["id"]: row for row in run.items.table.to_pylist()}
    mined = set(run.negatives.column("item").to_pylist())
    doubtful = set(run.candidates.suspects().column("item").to_pylist())
    hard = image_folder(tmp_path / "out" / "hard")
    unlabelled = {one for one in mined - doubtful if items[one]["label"] is None}
    assert {key for key, path in found.items() if path.parts[-3] == "hard"} == mined - doubtful - unlabelled
    assert {path for path, _ in hard} == {path for path in found.values() if path.parts[-3] == "hard"}
    assert len(hard) == report.rows == report.counts["hard"]
    assert {name for _, name in hard} <= {"cat", "dog", "great_ape", "_"}
    for key, path in found.items():
        assert path.read_bytes() == png(7 * int(key[1:])) or "same" in path.name
        assert path.is_symlink() == (files == "link")
    assert report.counts["hard"] + report.counts["suspects"] + sum(one.count for one in report.skips) == len(run.items)


def test_suspects_stand_apart_with_what_they_may_be(run: Run, tmp_path: Path) -> None:
    report = export(run, "image-folder", tmp_path / "out")
    suspects = image_folder(tmp_path / "out" / "suspects")
    assert len(suspects) == report.counts["suspects"] > 0
    assert all("__may_be__" in name for _, name in suspects)
    labels = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    may_be: dict[str, set[str]] = {}
    for row in run.candidates.suspects().to_pylist():
        may_be.setdefault(row["item"], set()).add(labels[row["anchor"]])
    for key, path in index_of(tmp_path / "out").items():
        if path.parts[-3] == "suspects":
            label, _, other = path.parts[-2].partition("__may_be__")
            assert label == safe(labels[key] or "unlabelled")
            assert other in {safe(one) for one in may_be[key]}


def test_bytes_are_written_out(tmp_path: Path) -> None:
    run = labelled(tmp_path, "image")
    export(run, "image-folder", tmp_path / "out")
    for key, path in index_of(tmp_path / "out").items():
        assert path.name == f"{key}.png"
        assert path.read_bytes() == png(7 * int(key[1:]))


def test_what_cannot_be_put_is_counted(tmp_path: Path) -> None:
    run = labelled(tmp_path)
    root, table = run.items.root, run.items.table
    assert root is not None
    mined = run.negatives.column("item").to_pylist()
    paths = dict(zip(table.column("id").to_pylist(), table.column("path").to_pylist(), strict=True))
    (root / paths[mined[0]]).unlink()
    outside = next(one for one in mined if paths[one] != paths[mined[0]])
    (tmp_path / "secret.png").write_bytes(png(1))
    paths[outside] = "../secret.png"
    at = table.schema.get_field_index("path")
    object.__setattr__(run.items, "table", table.set_column(at, "path", pa.array(list(paths.values()))))
    report = export(run, "image-folder", tmp_path / "out")
    reasons = {one.reason: one.count for one in report.skips}
    assert reasons["missing_file"] == reasons["outside_its_root"] == 1
    assert not any("secret" in path.name for path in (tmp_path / "out").rglob("*"))


def test_nothing_is_written_outside(run: Run, tmp_path: Path) -> None:
    export(run, "image-folder", tmp_path / "deep" / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"out"}


def test_an_earlier_export_is_replaced_and_the_pictures_stay(run: Run, tmp_path: Path) -> None:
    export(run, "image-folder", tmp_path / "out")
    export(run, "image-folder", tmp_path / "out", options=ExportOptions(overwrite=True))
    assert all(Path(str(one)).exists() for one in run.items.pictures or ())


def test_hard_links_between_disks_are_explained(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", fail)
    with pytest.raises(StorageError, match="Hard links stay on one disk"):
        export(run, "image-folder", tmp_path / "out", options=ExportOptions(files="hardlink"))
    assert not (tmp_path / "out").exists()


def test_without_pictures_or_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs items with pictures"):
        export(labelled(tmp_path, "text"), "image-folder", tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["..", ".", "/", "a/../b", "\\\\host\\x", "nul", "a\0b", " ", "é" * 200, "\u202eexe.png", ".git"]
)
def test_any_name_becomes_the_name_of_a_file(name: str, tmp_path: Path) -> None:
    made = Names().free(name)
    (tmp_path / made).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [made]
    assert len(made.encode()) <= 130


def test_labels_that_look_the_same_stay_apart() -> None:
    names = Names()
    made = [names.free(one) for one in ("a/b", "a_b", "A_B", "a_b-2", "a_b")]
    assert len({one.casefold() for one in made}) == 5


def test_crops_are_cut_out(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    run = labelled(tmp_path, "image")
    boxes = pa.array([[2.0, 3.0, 5.0, 4.0]] * len(run.items), pa.list_(pa.float64(), 4))
    object.__setattr__(run.items, "table", run.items.table.append_column("box", boxes))
    export(run, "image-folder", tmp_path / "out")
    found = index_of(tmp_path / "out")
    assert found
    for key, path in found.items():
        whole = pillow.open(io.BytesIO(png(7 * int(key[1:])))).convert("RGB")
        assert pillow.open(path).tobytes() == whole.crop((2, 3, 7, 7)).tobytes()
