"""The identities of labelled data on the command line: voices with sessions, a run, broken input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from tests.e2e.test_cli import failed, hardneg, succeeded


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of utterances with their vectors beside it; half of one speaker's are under another name."""
    folder = tmp_path_factory.mktemp("voices")
    draw = np.random.default_rng(0)
    who = np.repeat(np.arange(25), 8)
    vectors = draw.normal(size=(25, 24))[who] + 0.4 * draw.normal(size=(200, 24))
    np.save(folder / "voices.npy", vectors.astype(np.float32))
    with (folder / "voices.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "speaker", "day"])
        for row in range(200):
            name = "alias" if row < 4 else f"speaker {who[row]}"
            writer.writerow([f"u{row}", f"utterance {row}", name, f"{name}, {row % 4 // 2}"])
    return folder


SPEAKERS = ("--column", "label=speaker", "--item-vectors", "voices.npy")


def test_voices_with_vectors_and_sessions(voices: Path) -> None:
    text = succeeded(hardneg("identities", "voices.csv", *SPEAKERS, "--session", "day", "-o", "a", cwd=voices))
    assert "26 identities, 200 items" in text
    assert "1 pair of names may be one person: alias and speaker 0" in text
    assert "0 names may be two persons" in text
    assert "the same, AS-norm" in text
    summary = json.loads((voices / "a" / "summary.json").read_text())
    assert summary["may_be_one"] == 1
    assert summary["encoder"] is None
    assert summary["sessions"] == 52
    figures = summary["figures"]
    assert figures["hard"]["eer"]["value"] >= figures["random"]["eer"]["value"]
    assert figures["all"]["eer"]["low"] <= figures["all"]["eer"]["value"] <= figures["all"]["eer"]["high"]
    assert {len(line.split(" ")) for line in (voices / "a" / "trials.txt").read_text().splitlines()} == {3}
    failed(hardneg("identities", "voices.csv", *SPEAKERS, "-o", "a", cwd=voices), "'a' exists already", "--overwrite")
    before = {file.name: file.read_bytes() for file in (voices / "a").iterdir()}
    again = ("--session", "day", "-o", "a", "--overwrite")
    succeeded(hardneg("identities", "voices.csv", *SPEAKERS, *again, cwd=voices))
    assert {file.name: file.read_bytes() for file in (voices / "a").iterdir()} == before


def test_of_a_run_the_recipe_is_read(tmp_path: Path) -> None:
    images, labels = load_digits(return_X_y=True)
    for number, (pixels, label) in enumerate(zip(images[:120], labels[:120], strict=True)):
        split = "test" if number % 3 == 0 else "train"
        file = tmp_path / "digits" / split / str(label) / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels.reshape(8, 8) * 15).astype("uint8")).resize((32, 32)).save(file)
    succeeded(hardneg("mine", "digits", "-o", "run", "--cache", "cache", "--seed", "3", cwd=tmp_path))
    text = succeeded(hardneg("identities", "run", "-o", "a", "--cache", "cache", cwd=tmp_path))
    assert "10 identities, 80 items" in text
    assert "10 of the identities looked at are also among the examples set apart" in text
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert (summary["encoder"], summary["seed"]) == ("descriptor", 3)
    text = succeeded(hardneg("identities", "run", "-o", "b", "--split", "test", "--no-cache", cwd=tmp_path))
    assert "10 identities, 40 items" in text
    (tmp_path / "run" / "recipe.toml").unlink()
    failed(hardneg("identities", "run", "-o", "c", cwd=tmp_path), "has no recipe", "Name the data set")


def test_broken_input_is_one_clear_line(voices: Path) -> None:
    def refused(*arguments: str, **told: str) -> None:
        failed(hardneg("identities", *arguments, "-o", "broken", cwd=voices), *told.values())
        assert not (voices / "broken").exists()

    refused("voices.csv", *SPEAKERS, "--session", "week", what="no column 'week'", known="day")
    refused("voices.csv", "--item-vectors", "voices.npy", what="'label' is missing")
    refused("voices.csv", *SPEAKERS, "--encoder", "wordllama", what="no encoder is needed")
    refused("voices.csv", "--column", "label=speaker", "--encoder", "wordlama", what="wordllama")
    refused("voices.csv", *SPEAKERS, "--cohort", "1", what="'cohort' must be at least 2")
    (voices / "alone.csv").write_text("id,text,label\na,x,ann\nb,y,bob\n")
    refused("alone.csv", "--no-cache", what="no more alike than strangers", how="two examples")
    (voices / "pairs.csv").write_text("anchor,positive\na,x\n")
    refused("pairs.csv", "--no-cache", what="labelled data")
    bad = np.load(voices / "voices.npy")
    bad[3] = np.nan
    np.save(voices / "bad.npy", bad)
    refused("voices.csv", "--column", "label=speaker", "--item-vectors", "bad.npy", what="NaN")
