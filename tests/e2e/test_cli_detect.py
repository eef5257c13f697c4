"""`hardneg detect` as a user types it: with OpenCV's own detector of faces, with films, and what goes wrong."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.detected import write_data
from tests.e2e.test_cli import failed, hardneg, succeeded

pytest.importorskip("ijson", reason="COCO files need the extra 'detection'")

HAAR = """
import cv2
import numpy as np

model = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

def faces(pictures):
    out = []
    for one in pictures:
        grey = cv2.cvtColor(np.asarray(one), cv2.COLOR_RGB2GRAY)
        boxes, _, weights = model.detectMultiScale3(grey, 1.05, 1, outputRejectLevels=True)
        boxes = np.reshape(boxes, (-1, 4)).astype(float)
        boxes[:, 2:] += boxes[:, :2]
        out.append({"boxes": boxes, "scores": 1 / (1 + np.exp(-np.reshape(weights, -1).astype(float)))})
    return out
"""
RED = """
import time
import numpy as np

def red(pictures):
    out = []
    for one in pictures:
        time.sleep(WAIT)
        pixels = np.asarray(one).astype(int)
        rows, columns = np.nonzero((pixels[..., 0] > 200) & (pixels.sum(axis=2) < 300))
        some = len(rows) > 0
        ends = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]] if some else []
        out.append({"boxes": ends, "labels": ["cat"] * some, "scores": [0.9] * some})
    return out
"""


def _faces(folder: Path, data_dir: Path) -> Path:
    """Four of the faces of ORL on each of ten noisy pictures, with COCO's annotations."""
    (folder / "the pictures").mkdir()
    rng = np.random.default_rng(0)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    with zipfile.ZipFile(data_dir / "face_orl" / "images.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".png", ".jpg", ".pgm")))
        for number in range(10):
            picture = Image.fromarray(rng.integers(80, 160, (300, 320), np.uint8)).convert("RGB")
            for place in range(4):
                with archive.open(names[40 * number + 10 * place]) as file:
                    face = Image.open(file).convert("RGB")
                    left, top = 20 + 150 * (place % 2), 10 + 145 * (place // 2)
                    picture.paste(face, (left, top))
                box = [left + 4, top + 16, face.width - 8, face.height - 24]
                annotations.append({"id": len(annotations), "image_id": number, "category_id": 7, "bbox": box})
            picture.save(folder / "the pictures" / f"{number}.png")
            images.append({"id": number, "file_name": f"{number}.png", "width": 320, "height": 300})
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 7, "name": "face"}]}
    (folder / "faces.json").write_text(json.dumps(truth))
    return folder / "faces.json"


def test_a_real_detector_from_pictures_to_mined(tmp_path: Path, data_dir: Path) -> None:
    pytest.importorskip("cv2", reason="Haar cascades come with OpenCV")
    truth = _faces(tmp_path, data_dir)
    (tmp_path / "haar.py").write_text(HAAR)
    said = succeeded(
        hardneg(
            "detect", "the pictures", "--detector", "haar.py:faces", "--ground-truth", truth, "--views", "flip",
            "-o", "found.json", cwd=tmp_path,
        )
    )  # fmt: skip
    found = json.loads((tmp_path / "found.json").read_text())
    assert {one["category_id"] for one in found} == {7}
    centres = {(one["image_id"], int(one["bbox"][0] > 150), int(one["bbox"][1] > 140)) for one in found}
    assert len(centres) >= 32  # of forty faces
    agreed = json.loads((tmp_path / "found.views.json").read_text())
    assert 20 <= len(agreed) <= len(found)  # most faces are found mirrored as well
    line = next(line for line in said.splitlines() if line.startswith("Mine:"))
    mined = shlex.split(line.removeprefix("Mine:     hardneg "))
    assert "--agreeing" in mined
    told = succeeded(hardneg(*mined, "--filter", "known", cwd=tmp_path))
    assert "sampled" in told


def test_a_film_from_frames_to_reasons(tmp_path: Path) -> None:
    """A cat walks through two films; in one frame nobody marked it. Then `show` says what the frames around have."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    (tmp_path / "frames").mkdir()
    for film in range(2):
        for frame in range(12):
            picture, left, name = Image.new("RGB", (160, 60), "white"), 4 + 5 * frame, f"film{film}_{frame:04d}.png"
            ImageDraw.Draw(picture).rectangle((left, 10, left + 29, 39), "red")
            picture.save(tmp_path / "frames" / name)
            number = len(images)
            images.append({"id": number, "file_name": name, "width": 160, "height": 60})
            if (film, frame) != (1, 6):
                annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": [left, 10, 30, 30]})
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "red.py").write_text(RED.replace("WAIT", "0"))
    options = ("--detector", "red.py:red", "--ground-truth", "truth.json")
    succeeded(hardneg("detect", "frames", *options, cwd=tmp_path))
    mine = ("mine", "truth.json", "--predictions", "found.json", "--frames", "{sequence}_{frame}", "--filter", "known")
    said = succeeded(hardneg(*mine, "--filter", "missing_label", "-o", "run", cwd=tmp_path))
    assert "missing_label.frames" in said
    shown = succeeded(hardneg("show", "run", "--anchor", "cat", cwd=tmp_path))
    assert "seen in 4 of 4 frames around, labelled in 4" in " ".join(shown.split())
    failed(hardneg(*mine[:-4], "--frames", "{frame}", "-o", "x", cwd=tmp_path), "'frames' must hold {sequence}")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught")
def test_killed_and_run_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(70):
        picture = Image.new("RGB", (40, 30), "white")
        ImageDraw.Draw(picture).rectangle((number % 20, 5, number % 20 + 9, 14), "red")
        picture.save(tmp_path / "in" / f"{number}.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"<html>")
    (tmp_path / "red.py").write_text(RED.replace("WAIT", "0.03"))
    options = ("detect", "in", "--detector", "red.py:red", "--views", "flip")
    succeeded(hardneg(*options, "-o", "whole.json", cwd=tmp_path))
    command: list[Any] = [sys.executable, "-m", "hardneg", *options, "-o", "again.json"]
    process = subprocess.Popen(command, cwd=tmp_path, env=os.environ, stderr=subprocess.DEVNULL)
    journal = tmp_path / "again.json.partial" / "journal.jsonl"
    while process.poll() is None and (not journal.exists() or "done" not in journal.read_text()):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "again.json").exists()
    said = succeeded(hardneg(*options, "-o", "again.json", cwd=tmp_path))
    assert "Going on with" in said
    assert "not_an_image" in said
    for end in ("json", "summary.json", "views.json"):
        assert (tmp_path / f"again.{end}").read_bytes() == (tmp_path / f"whole.{end}").read_bytes()
    failed(hardneg(*options, "-o", "again.json", cwd=tmp_path), "'again.json' exists already")


def test_what_goes_wrong_is_one_clear_line(tmp_path: Path) -> None:
    write_data(tmp_path)
    (tmp_path / "d.py").write_text("def logits(pictures):\n    return [[[0, 0, 9, 9, 3.5, 0]] for _ in pictures]\n")
    (tmp_path / "broken.py").write_text("import nothing_like_it\n")
    for detector, more, words in (
        ("d.py:logits", (), "look like logits"),
        ("d.py:other", (), "has no function 'other'"),
        ("broken.py:f", (), "The file 'broken.py' cannot be loaded: ModuleNotFoundError"),
        ("d.py:logits", ("--label", "a=cat"), "must be a number with its name"),
        ("d.py:logits", ("--views", "upside-down"), "'views' must be 'flip' or a scale"),
        ("d.py:logits", ("--ground-truth", "d.py"), "This is no data set of boxes"),
        ("d.py:logits", ("--ground-truth", "found.json"), "These are a detector's results"),
        ("d.py:logits", ("--ground-truth", "truth.json", "--split", "train"), "The data have no splits"),
    ):
        failed(hardneg("detect", "images", "--detector", detector, *more, "-o", "x.json", cwd=tmp_path), words)
    assert not list(tmp_path.glob("x.json*"))
