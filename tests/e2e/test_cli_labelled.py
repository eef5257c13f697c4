"""Labelled data on the command line: an image folder and a table of texts, from file to run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits
from tests.e2e.test_cli import content, failed, hardneg, succeeded

import hardneg as hn

TRAIN, TEST = 120, 40


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Handwritten digits, each in a folder of its class, with a test split and a few unlabelled ones."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    images, labels = load_digits(return_X_y=True)
    for number, (pixels, label) in enumerate(zip(images[:180], labels[:180], strict=True)):
        inside = f"train/{label}" if number < TRAIN else f"test/{label}" if number < TRAIN + TEST else "unlabelled"
        (folder / inside).mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((pixels.reshape(8, 8) * 15).astype("uint8"))
        picture.resize((32, 32)).save(folder / inside / f"{number:03d}.png")
    (folder / "train" / "3" / "broken.png").write_bytes(b"\x89PNG and then nothing")
    return folder


@pytest.fixture(scope="module")
def mined(digits: Path) -> Path:
    out = digits.parent / "runs" / "a"
    text = succeeded(hardneg("mine", digits, "-o", out, "--no-cache"))
    assert "180 items in 10 classes: 160 labelled, 20 unlabelled, 40 barred; 120 anchors" in text
    assert "Balance:" in text
    assert "truncated_image" in text
    assert "train/3/broken.png" in text
    return out


def test_a_folder_of_pictures_becomes_a_run(mined: Path, digits: Path) -> None:
    run = hn.Run.open(mined)
    assert run.manifest["encoder"] == "descriptor"
    assert run.manifest["steps"]["filters"] == ["known", "duplicates(similarity=0.97)", "mislabelled", "unlabelled"]
    assert run.manifest["media"] == "../../digits"
    assert run.manifest["skipped"][0] == {
        "reason": "truncated_image", "count": 1, "examples": ["train/3/broken.png"],
    }  # fmt: skip
    labels = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    for row in run.candidates.table.select(["anchor", "item"]).to_pylist():
        assert row["anchor"].startswith("train/")
        assert not row["item"].startswith("test/")
        assert labels[row["item"]] != labels[row["anchor"]]
    assert run.negatives.num_rows > 7 * TRAIN
    assert run.ledger["reasons"]["unlabelled.unsure"] > 0
    for things in (run.items, run.anchors):
        assert things.root == digits.resolve()
        assert all(Path(str(one)).is_file() for one in things.pictures or [])


def test_a_recipe_repeats_it_with_the_same_bytes(mined: Path, tmp_path: Path) -> None:
    recipe = (mined / "recipe.toml").read_text()
    assert 'encoder = "descriptor"' in recipe
    succeeded(hardneg("mine", mined / "recipe.toml", "-o", mined.parent / "again", "--no-cache"))
    assert content(mined.parent / "again") == content(mined)
    succeeded(hardneg("mine", mined / "recipe.toml", "-o", tmp_path / "elsewhere", "--no-cache"))
    assert content(tmp_path / "elsewhere", manifest=False) == content(mined, manifest=False)
    one, other = (json.loads((run / "manifest.json").read_text()) for run in (mined, tmp_path / "elsewhere"))
    assert one.pop("media") != other.pop("media")
    assert one == other


def test_a_run_and_its_pictures_move_together(digits: Path, mined: Path, tmp_path: Path) -> None:
    shutil.copytree(digits.parent, tmp_path / "moved")
    run = hn.Run.open(tmp_path / "moved" / "runs" / "a")
    assert run.items.root == (tmp_path / "moved" / "digits").resolve()


def test_refilter_keeps_the_pictures(mined: Path, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "deeper" / "run"
    succeeded(hardneg("refilter", mined, "-o", out, "--sampler", "top(n=2)"))
    assert hn.Run.open(out).items.root == digits.resolve()
    assert hn.Run.open(out).manifest["skipped"] == hn.Run.open(mined).manifest["skipped"]


def test_a_dry_run_says_which_steps(digits: Path, tmp_path: Path) -> None:
    text = succeeded(hardneg("mine", digits, "--dry-run", cwd=tmp_path))
    assert "truncated_image" in text
    assert "descriptor" in text
    assert "known; duplicates(similarity=0.97); mislabelled; unlabelled" in text
    assert "margin" not in text
    text = succeeded(hardneg("mine", digits, "--dry-run", "--filter", "margin(relative=0.1)", "--anchors", "classes"))
    assert "margin(relative=0.1)" in text
    assert "10 anchors" in text


def test_an_evaluation_split_is_refused_before_any_work(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    failed(hardneg("mine", digits, "--split", "test", "-o", out), "'test' is for evaluation", "--mine-evaluation")
    failed(hardneg("mine", digits, "--split", "dev", "-o", out), "no split 'dev'", "test, train")
    failed(hardneg("mine", digits, "--encoder", "wordllama", "-o", out), "texts")
    assert not out.exists()
    succeeded(hardneg("mine", digits, "--split", "test", "--mine-evaluation", "-o", out, "--no-cache"))
    assert "mine_evaluation = true" in (out / "recipe.toml").read_text()
    succeeded(hardneg("mine", out / "recipe.toml", "--dry-run"))


REVIEWS = """\
stars,words,part,shop
good,"a lovely quiet room, and friendly people",train,a
good,the best breakfast in town,train,a
good,clean beds and a view of the sea,train,b
good,we will surely come again,train,b
bad,the room was loud and nobody was friendly,train,a
bad,the worst breakfast in town,train,a
bad,dirty beds and a view of the bins,train,b
bad,we will never come again,train,b
,the breakfast was served at eight,,a
good,a lovely loud room,test,b
bad,the worst beds in town,test,b
"""


def test_a_table_of_texts_with_columns_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text(REVIEWS)
    columns = ["--column", "label=stars", "--column", "text=words", "--column", "split=part"]
    text = succeeded(hardneg("mine", "reviews.csv", *columns, "-o", "run", "--no-cache", cwd=tmp_path))
    assert "Read labelled, csv, split train of test, train" in text
    assert "11 items in 2 classes: 10 labelled, 1 unlabelled, 2 barred; 8 anchors" in text
    run = hn.Run.open(tmp_path / "run")
    assert run.manifest["encoder"] == "wordllama"
    assert "media" not in run.manifest
    items = run.items.table.to_pylist()
    texts = {one["id"]: one for one in items}
    assert not {one["text"] for one in items} & {"a lovely loud room", "the worst beds in town"}
    assert {one["shop"] for one in items} == {"a", "b"}
    hardest: dict[str, str] = {}
    for row in run.negatives.sort_by([("score", "descending")]).to_pylist():
        hardest.setdefault(texts[row["anchor"]]["text"], texts[row["item"]]["text"])
    assert hardest["the best breakfast in town"] == "the worst breakfast in town"
    assert hardest["we will surely come again"] == "we will never come again"
    succeeded(hardneg("mine", "run/recipe.toml", "-o", "again", "--no-cache", cwd=tmp_path))
    assert content(tmp_path / "again") == content(tmp_path / "run")


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nfine,good,very\n")
    failed(hardneg("mine", tmp_path / "a.csv", "-o", tmp_path / "run"), "a.csv, line 2", "3 fields where 2")
    (tmp_path / "b.csv").write_text("text,mood\nfine,good\n")
    failed(hardneg("mine", tmp_path / "b.csv", "-o", tmp_path / "run"), "'label' is missing", "text, mood", "--column")
