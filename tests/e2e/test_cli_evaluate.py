"""``hardneg evaluate`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.detected import FOUND, write_data
from tests.e2e.test_cli import failed, hardneg, succeeded

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")
pytest.importorskip("hotcoco", reason="average precision needs the extra 'detection'")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    write_data(folder)
    (folder / "before.json").write_text(json.dumps([*FOUND, {**FOUND[2], "bbox": [1, 1, 20, 20], "score": 0.99}]))
    return folder


def test_figures_mistakes_and_categories_are_printed(data: Path) -> None:
    said = succeeded(hardneg("evaluate", data / "truth.json", "--predictions", data / "found.json", "--draws", 50))
    for words in ("6 images, 4 boxes and 2 crowds and ignored boxes (coco).", "LAMR (lower is better)", "50 draws"):
        assert words in said
    assert "background    nothing is there" in said
    assert "missed" in said
    assert not [one for one in data.iterdir() if one.name.startswith(("evaluation", "report"))]


def test_two_results_are_compared_and_written(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "judged"
    words = ("--predictions", data / "found.json", "--against", data / "before.json", "--draws", 50, "-o", out)
    said = succeeded(hardneg("evaluate", data / "truth.json", *words))
    assert "difference" in said
    assert said.startswith(str(out))  # what was made, on standard output
    told = json.loads((out / "evaluation.json").read_text())
    assert [one["name"] for one in told["detectors"]] == ["found.json", "before.json"]
    assert told["difference"]["AP50"]["value"] > 0
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    failed(hardneg("evaluate", data / "truth.json", *words), "exists already", "--overwrite")
    before = (out / "evaluation.json").read_bytes(), (out / "report.html").read_bytes()
    succeeded(hardneg("evaluate", data / "truth.json", *words, "--overwrite"))
    assert ((out / "evaluation.json").read_bytes(), (out / "report.html").read_bytes()) == before


def test_what_is_wrong_is_said(data: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("query,answer\na,b\n")
    failed(hardneg("evaluate", tmp_path / "pairs.csv", "--predictions", data / "found.json"), "no data set of boxes")
    (tmp_path / "other.json").write_text(json.dumps([{**FOUND[0], "image_id": 77}]))
    failed(
        hardneg("evaluate", data / "truth.json", "--predictions", tmp_path / "other.json"),
        "None of the results can be used", "unknown_image",
    )  # fmt: skip
    (tmp_path / "cut.json").write_text('[{"image_id": 1, "category_id"')
    failed(hardneg("evaluate", data / "truth.json", "--predictions", tmp_path / "cut.json"), "cut.json")
    swapped = hardneg("evaluate", data / "found.json", "--predictions", data / "truth.json")
    failed(swapped, "These are a detector's results")
