"""Detections on the command line: mined, exported, and whether a trainer would throw them away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.detected import write_data
from tests.e2e.test_cli import failed, hardneg, succeeded

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detection")
    file, out = write_data(folder), folder / "run"
    said = succeeded(
        hardneg(
            "mine", file, "--predictions", folder / "found.json", "--images", folder / "images",
            "--filter", "known", "--filter", "margin(ceiling=0.9)", "-o", out,
        )
    )  # fmt: skip
    assert f"hardneg export {out} --format coco -o train.json" in said
    return out


def test_exports_say_what_was_done(run: Path, tmp_path: Path) -> None:
    said = succeeded(hardneg("export", run, "--format", "coco", "-o", tmp_path / "train.json"))
    assert "Wrote 6 rows" in said
    assert "All images and boxes, read again from 'truth.json'." in said
    assert "annotation_no_area" in said
    said = succeeded(hardneg("export", run, "--format", "yolo", "--unsure", "background", "-o", tmp_path / "yolo"))
    assert "3 suspects and uncounted boxes will be trained on as background" in said
    said = succeeded(hardneg("export", run, "--format", "yolo", "--hard-class", "-o", tmp_path / "masked"))
    assert "trained on as background" not in said
    assert json.loads((tmp_path / "masked/manifest.json").read_text())["export"]["options"] == {"hard_class": True}
    said = succeeded(hardneg("export", run, "--format", "coco", "--backgrounds", "0.1", "-o", tmp_path / "few.json"))
    assert "background_image_beyond_the_budget" in said


def test_mistakes_beyond_the_most_are_counted(tmp_path: Path) -> None:
    file = write_data(tmp_path)
    options = ["--predictions", tmp_path / "found.json", "--most-mistakes", "1", "--dry-run"]
    said = succeeded(hardneg("mine", file, *options))
    assert "detection_beyond_most_mistakes" in said
    assert "cat: 2 with a score of at most 0.9" in said


def test_a_trainer_that_loses_them_ends_with_1(run: Path, tmp_path: Path) -> None:
    config = tmp_path / "a.yaml"
    config.write_text("MODEL:\n  MASK_ON: False\nDATALOADER:\n  FILTER_EMPTY_ANNOTATIONS: True\n")
    found = hardneg("check-trainer", config, run)
    assert found.returncode == 1
    assert "An image without boxes is left out." in found.stdout
    assert f"{config}:4" in found.stdout
    assert "-> FILTER_EMPTY_ANNOTATIONS: False" in found.stdout
    assert "That is 3 images of 6; negatives were mined in 1." in found.stdout
    config.write_text("DATALOADER:\n  FILTER_EMPTY_ANNOTATIONS: False\n")
    assert hardneg("check-trainer", config).returncode == 0


def test_a_file_that_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    failed(hardneg("check-trainer", tmp_path / "a.txt"), "This is no configuration that is known. Looked for")
    (tmp_path / "a.yaml").write_text("MODEL: {}\n")
    failed(hardneg("check-trainer", tmp_path / "a.yaml", tmp_path), "neither a run nor an export")


def test_a_refiltered_run_knows_its_data(run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    succeeded(hardneg("refilter", run, "--filter", "known", "-o", again))
    said = succeeded(hardneg("export", again, "--format", "coco", "-o", tmp_path / "train.json"))
    assert "All images and boxes, read again from 'truth.json'." in said
    assert "What the detector got wrong" in (again / "report.html").read_text()
    assert "as if the 3 mined false positives" in (again / "report.html").read_text()
