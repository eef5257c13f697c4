"""Speech and verification data on the command line, from files to runs: by word, by speaker, by trials."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.e2e.test_cli import content, failed, hardneg, succeeded
from tests.unit.io.readers.pictures import picture

import hardneg as hn
from hardneg.testing._sounds import saved

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")
pytest.importorskip("scipy", reason="sounds need the extra 'audio'")

SPEAKERS = {"ann": 220.0, "bob": 120.0}  # pitches
WORDS = {"yes": 2400.0, "no": 500.0, "go": 600.0}  # what is loud beside the pitch


def say(speaker: str, word: str, take: int) -> bytes:
    """A hum of the speaker's pitch with the word's colour; each take is a little different."""
    draw = np.random.default_rng([take, *map(ord, speaker + word)])
    seconds = np.arange(4000) / 8000
    pitch = SPEAKERS[speaker] * draw.uniform(0.97, 1.03)
    harmonics = [
        np.sin(2 * np.pi * pitch * n * seconds) * np.exp(-(((pitch * n - WORDS[word]) / 300) ** 2))
        for n in range(1, 30)
    ]  # fmt: skip
    wave = np.sum(harmonics, axis=0) + 0.3 * np.sin(2 * np.pi * pitch * seconds) + draw.normal(0, 0.01, 4000)
    return saved(0.5 * wave / np.abs(wave).max(), 8000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each word, and a table that also names the speaker."""
    folder = tmp_path_factory.mktemp("data") / "words"
    rows = ["path,label,speaker"]
    for word in WORDS:
        (folder / word).mkdir(parents=True)
        for speaker in SPEAKERS:
            for take in range(4):
                name = f"{word}/{speaker}_{take}.wav"
                (folder / name).write_bytes(say(speaker, word, take))
                rows.append(f"{name},{word},{speaker}")
    (folder / "yes" / "broken.wav").write_bytes(b"<html>404</html>")
    (folder / "index.csv").write_text("\n".join(rows))
    return folder


def test_a_folder_of_sounds_becomes_a_run(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    text = succeeded(hardneg("mine", folder, "-o", out, "--no-cache", "--sampler", "top(n=2)"))
    assert "Read labelled, audio folder: 24 items in 3 classes: 24 labelled, 0 unlabelled, 0 barred; 24 anchors" in text
    assert "not_audio" in text
    assert "yes/broken.wav" in text
    assert f"Use it:  hardneg export {out} --format sound-folder -o train" in text
    run = hn.Run.open(out)
    assert run.manifest["encoder"] == "logmel"
    labels = dict(zip(run.items.ids.to_pylist(), run.items.table.column("label").to_pylist(), strict=True))
    rows = run.candidates.table.select(["anchor", "item"]).to_pylist()
    assert rows
    assert all(labels[row["anchor"]] != labels[row["item"]] for row in rows)
    assert all(Path(str(one)).is_file() for one in run.items.sounds or [])
    succeeded(hardneg("mine", out / "recipe.toml", "-o", tmp_path / "again", "--no-cache"))
    assert content(tmp_path / "again") == content(out)
    shown = succeeded(hardneg("show", out, "--anchor", "go/ann_0.wav"))
    assert "no/ann" in shown


def test_of_speakers_the_same_word_by_another_is_hardest(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = ("--positives", "speaker", "--filter", "known", "--sampler", "top(n=1)", "--no-cache")
    succeeded(hardneg("mine", folder / "index.csv", *given, "-o", out))
    run = hn.Run.open(out)
    assert 'positives = "speaker"' in (out / "recipe.toml").read_text()
    assert run.manifest["labels"]["column"] == "speaker"
    table = run.items.table
    said = dict(zip(table.column("id").to_pylist(), table.column("label").to_pylist(), strict=True))
    by = dict(zip(table.column("id").to_pylist(), table.column("speaker").to_pylist(), strict=True))
    rows = run.negatives.select(["anchor", "item"]).to_pylist()
    assert len(rows) == 24
    assert all(by[row["anchor"]] != by[row["item"]] for row in rows)
    assert sum(said[row["anchor"]] == said[row["item"]] for row in rows) >= 20  # of three words, 8 by chance
    shown = succeeded(hardneg("show", out, "--anchor", "yes/ann_0.wav"))
    assert "[ann; yes] yes/ann_0.wav" in shown
    assert "[bob; yes] yes/bob" in shown
    failed(
        hardneg("mine", folder / "index.csv", "--positives", "speakr", "-o", tmp_path / "none"),
        "no column 'speakr'", "There are: labels, speaker.", "--positives",
    )  # fmt: skip


def test_a_dry_run_says_what_would_be_done(folder: Path) -> None:
    text = succeeded(hardneg("mine", folder, "--dry-run"))
    assert "logmel" in text
    assert "known; duplicates(similarity=0.97); mislabelled" in text


def test_trials_of_sounds_become_a_run(folder: Path, tmp_path: Path) -> None:
    lines = [
        f"{int(one == other)} yes/{one}_0.wav {word}/{other}_{take}.wav"
        for one in SPEAKERS for other in SPEAKERS for word in WORDS for take in (1, 2)
    ]  # fmt: skip
    (tmp_path / "trials.txt").write_text("\n".join([*lines, "1 yes/ann_0.wav gone.wav"]))
    given = ("--media-root", folder, "--source", "neighbors", "--source", "known_negatives", "--filter", "known")
    text = succeeded(hardneg("mine", tmp_path / "trials.txt", *given, "-o", tmp_path / "run", "--no-cache"))
    assert "Read trials: 2 anchors, 12 items, 12 positives, 12 known negatives" in text
    assert "trial_of_an_unusable_file" in text
    run = hn.Run.open(tmp_path / "run")
    assert run.manifest["encoder"] == "logmel"
    rows = run.negatives.select(["anchor", "item"]).to_pylist()
    assert rows
    assert all(("ann" in row["anchor"]) != ("ann" in row["item"]) for row in rows)
    for things in (run.anchors, run.items):
        assert all(Path(str(one)).is_file() for one in things.sounds or [])
    assert run.anchors.sounds is not None


def test_pairs_of_faces_become_a_run(tmp_path: Path) -> None:
    names = [f"P{person}" for person in range(6)]
    for number, name in enumerate(names):
        for shot in (1, 2):
            picture(tmp_path / "lfw" / name / f"{name}_{shot:04d}.jpg", 10 * number + shot, "jpeg")
    lines = [f"{name}\t1\t2" for name in names]
    lines += [f"{one}\t1\t{other}\t2" for one, other in zip(names, names[1:] + names[:1], strict=True)]
    (tmp_path / "pairs.txt").write_text("6\n" + "\n".join(lines) + "\n")
    given = ("--filter", "known", "--sampler", "top(n=2)", "--no-cache")
    text = succeeded(hardneg("mine", tmp_path / "pairs.txt", *given, "-o", tmp_path / "run"))
    assert "Read lfw: 6 anchors, 6 items, 6 positives, 6 known negatives" in text
    run = hn.Run.open(tmp_path / "run")
    assert run.manifest["encoder"] == "descriptor"
    assert run.negatives.num_rows == 12


def test_a_kaldi_folder_with_a_command_in_it(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    proof = tmp_path / "proof"
    names = [(word, speaker, take) for word in WORDS for speaker in SPEAKERS for take in range(4)]
    utterances = [f"{speaker}-{word}-{take}" for word, speaker, take in names]
    scp = [f"{one} {word}/{speaker}_{take}.wav" for one, (word, speaker, take) in zip(utterances, names, strict=True)]
    scp[0] = f"{utterances[0]} touch {proof} |"
    (data / "wav.scp").write_text("\n".join(scp) + "\n")
    (data / "utt2spk").write_text("".join(f"{one} {one.split('-')[0]}\n" for one in utterances))
    (data / "text").write_text("".join(f"{one} {one.split('-')[1]}\n" for one in utterances))
    text = succeeded(hardneg("mine", data, "--media-root", folder, "-o", tmp_path / "run", "--no-cache"))
    assert "23 items in 2 classes" in text
    assert "command_in_wav_scp_not_run" in text
    assert not proof.exists()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert not any("repeated_text" in reason for reason in manifest["ledger"]["reasons"])
