"""Exports of runs of sounds, read back with soundfile, csv, json, PyYAML and by the rules of the tools they are for."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.heard import RATE, SECONDS, heard, wave_of

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.writers import ExportOptions, export
from hardneg.io.writers._names import safe
from hardneg.io.writers._openwakeword_config import config
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run

soundfile = pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")
CONTENTS = ("files", "clips", "bytes")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return {one: heard(tmp_path_factory.mktemp(one), one) for one in CONTENTS}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return heard(tmp_path_factory.mktemp("classes"), "clips", anchors="classes")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(run: Run, name: str) -> dict[Any, Any]:
    return dict(zip(run.items.ids.to_pylist(), run.items.table.column(name).to_pylist(), strict=True))


def pairs(table: pa.Table) -> set[tuple[Any, Any]]:
    return set(zip(table.column("anchor").to_pylist(), table.column("item").to_pylist(), strict=True))


def replaced(run: Run, name: str, values: dict[Any, Any]) -> None:
    """Other values in a column of the items, as a damaged or hostile run would have them."""
    old = column(run, name) | values
    at = run.items.table.schema.get_field_index(name)
    made = run.items.table.set_column(at, name, pa.array(list(old.values()), run.items.table.schema.field(name).type))
    object.__setattr__(run.items, "table", made)


# --- sound-folder -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", CONTENTS)
def test_hard_sounds_stand_under_their_labels(runs: dict[str, Run], tmp_path: Path, content: str) -> None:
    run = runs[content]
    report = export(run, "sound-folder", tmp_path / "out")
    labels = column(run, "label")
    mined = set(run.negatives.column("item").to_pylist())
    doubtful = set(run.candidates.suspects().column("item").to_pylist())
    index = {row["id"]: row for row in rows_of(tmp_path / "out" / "index.csv")}
    hard = {key for key, row in index.items() if row["file"].startswith("hard/")}
    assert hard == {one for one in mined - doubtful if labels[one] is not None}
    assert len(index) - len(hard) == report.counts["suspects"] == len(doubtful)
    assert {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")} == {
        row["file"] for row in index.values()
    }
    for key, row in index.items():
        label = row["file"].split("/")[1]
        assert label.startswith(safe(labels[key] or "unlabelled"))
        found, rate = soundfile.read(tmp_path / "out" / row["file"])
        assert rate == RATE
        left = found if found.ndim == 1 else found[:, 0]
        if not (content == "files" and "same" in row["file"]):  # of two items that share a file the last one is there
            np.testing.assert_allclose(left, wave_of(int(key[1:])), atol=1e-4)
        if content == "clips":
            assert found.shape == (round(SECONDS * RATE), 2)
            assert float(row["end"]) - float(row["start"]) == SECONDS


@pytest.mark.parametrize(("files", "linked"), [("link", True), ("copy", False), ("hardlink", False)])
def test_whole_files_are_brought_as_asked(runs: dict[str, Run], tmp_path: Path, files: Any, linked: bool) -> None:
    export(runs["files"], "sound-folder", tmp_path / "out", options=ExportOptions(files=files))
    made = list((tmp_path / "out").rglob("*.wav"))
    assert made
    assert all(path.is_symlink() == linked for path in made)


@pytest.mark.parametrize(
    ("subtype", "written"), [("PCM_16", "PCM_16"), ("ULAW", "PCM_16"), ("PCM_24", "PCM_32"), ("FLOAT", "FLOAT")]
)
def test_a_clip_keeps_the_samples_of_its_file(tmp_path: Path, subtype: str, written: str) -> None:
    run = heard(tmp_path, "clips", subtype=subtype)
    for name in ("a", "b"):
        export(run, "sound-folder", tmp_path / name)
    files, starts = column(run, "audio"), column(run, "start")
    for row in rows_of(tmp_path / "a" / "index.csv"):
        path = tmp_path / "a" / row["file"]
        assert soundfile.info(path).subtype == written
        first = round(starts[row["id"]] * RATE)
        source = tmp_path / "sounds" / files[row["id"]]
        expected, _ = soundfile.read(source, start=first, frames=round(SECONDS * RATE))
        np.testing.assert_array_equal(soundfile.read(path)[0], expected)
        assert path.read_bytes() == (tmp_path / "b" / row["file"]).read_bytes()


def test_sounds_that_cannot_be_had_are_counted(tmp_path: Path) -> None:
    run = heard(tmp_path)
    mined = list(dict.fromkeys(run.negatives.column("item").to_pylist()))
    paths = column(run, "audio")
    missing, broken, outside, none = [one for one in mined if "same" not in paths[one]][:4]
    sounds = tmp_path / "sounds"
    (sounds / paths[missing]).unlink()
    (sounds / paths[broken]).write_bytes(b"<html>")
    (tmp_path / "secret.wav").write_bytes((sounds / paths[outside]).read_bytes())
    replaced(run, "audio", {outside: "../secret.wav", none: None})
    for form, out in (("sound-folder", "a"), ("speechbrain", "b.csv"), ("openwakeword", "c")):
        reasons = {one.reason for one in export(run, form, tmp_path / out).skips}
        if form != "speechbrain":
            assert {"missing_file", "not_audio", "outside_its_root", "no_sound"} <= reasons
    assert not any("secret" in path.name for path in (tmp_path / "a").rglob("*"))


def test_a_clip_beyond_its_file_is_counted(tmp_path: Path) -> None:
    run = heard(tmp_path, "clips")
    first = run.negatives.column("item").to_pylist()[0]
    replaced(run, "end", {first: 1000.0})
    for form, out in (("sound-folder", "a"), ("openwakeword", "b")):
        skips = {one.reason: one.examples for one in export(run, form, tmp_path / out).skips}
        assert first in skips["out_of_range"][0]


@pytest.mark.parametrize("name", ["a", "a.csv", "a.json"])
def test_the_same_run_gives_the_same_bytes(runs: dict[str, Run], tmp_path: Path, name: str) -> None:
    for form in ["speechbrain"] if "." in name else ["sound-folder", "openwakeword"]:
        outs = [export(runs["clips"], form, tmp_path / form / part / name).path for part in "xy"]
        files = [[one, *sorted(one.rglob("*"))] for one in outs]
        assert [one.name for one in files[0]] == [one.name for one in files[1]]
        assert all(left.is_dir() or left.read_bytes() == right.read_bytes() for left, right in zip(*files, strict=True))


@pytest.mark.parametrize("form", ["sound-folder", "openwakeword", "speechbrain"])
def test_nothing_mined_gives_nothing_but_its_count(tmp_path: Path, form: str) -> None:
    run = heard(tmp_path, sampler="band(n=3,skip=1000,within=2000)")
    out = tmp_path / ("a.csv" if form == "speechbrain" else "a")
    report = export(run, form, out)
    assert out.exists()
    assert report.skips


@pytest.mark.parametrize("form", ["sound-folder", "openwakeword", "speechbrain"])
def test_without_sounds(form: str, run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"The format '{form}' needs items with sounds"):
        export(run, form, tmp_path / ("a.csv" if form == "speechbrain" else "a"))


# --- trials -----------------------------------------------------------------------------------------------------------


def lines_of(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("same", ["label", "speaker"])
def test_trials_are_what_the_labels_say(tmp_path: Path, same: str) -> None:
    run = heard(tmp_path, same=same)
    report = export(run, "trials", tmp_path / "a.txt")
    of = {path: column(run, same)[key] for key, path in column(run, "audio").items()}
    key_of = {path: key for key, path in column(run, "audio").items()}
    lines = lines_of(tmp_path / "a.txt")
    assert report.rows == len(lines) == report.counts["target"] + report.counts["nontarget"]
    assert all((of[left] == of[right]) == (kind == "target") for left, right, kind in lines)
    suspect = {frozenset(pair) for pair in pairs(run.candidates.suspects())}
    asked = {frozenset(pair) for pair in pairs(run.negatives)} - suspect
    found = {frozenset((key_of[left], key_of[right])) for left, right, kind in lines if kind == "nontarget"}
    assert found == asked
    assert len(found) == report.counts["nontarget"]


def test_a_pair_that_is_suspect_from_one_side_is_no_trial(tmp_path: Path) -> None:
    run = heard(tmp_path, sampler="top(n=8)", filters=["known", "margin(relative=0.05)"])
    suspect, negatives = pairs(run.candidates.suspects()), pairs(run.negatives)
    both = {pair for pair in negatives if pair[::-1] in suspect}
    assert both  # else this tests nothing
    report = export(run, "trials", tmp_path / "a.txt")
    key_of = {path: key for key, path in column(run, "audio").items()}
    found = {(key_of[left], key_of[right]) for left, right, _ in lines_of(tmp_path / "a.txt")}
    assert not any(pair in found or pair[::-1] in found for pair in suspect)
    reasons = {one.reason: one.count for one in report.skips}
    assert reasons["suspect_the_other_way_round"] == len(both)


def test_voxceleb_has_the_label_first(runs: dict[str, Run], tmp_path: Path) -> None:
    export(runs["files"], "trials", tmp_path / "a.txt")
    export(runs["files"], "trials", tmp_path / "b.txt", options=ExportOptions(values="label"))
    kinds = {"target": "1", "nontarget": "0"}
    assert lines_of(tmp_path / "b.txt") == [[kinds[kind], *two] for *two, kind in lines_of(tmp_path / "a.txt")]
    with pytest.raises(OptionError, match="has no scores"):
        export(runs["files"], "trials", tmp_path / "c.txt", options=ExportOptions(values="score"))


def test_clips_and_classes_are_called_by_their_ids(runs: dict[str, Run], classes: Run, tmp_path: Path) -> None:
    export(runs["clips"], "trials", tmp_path / "a.txt", options=ExportOptions(n=1, positives="first"))
    lines = lines_of(tmp_path / "a.txt")
    assert {one for line in lines for one in line[:2]} <= set(runs["clips"].items.ids.to_pylist())
    export(classes, "trials", tmp_path / "b.txt")
    labels = column(classes, "label")
    assert all((labels[item] == name) == (kind == "target") for name, item, kind in lines_of(tmp_path / "b.txt"))


def test_a_name_with_space_is_refused(tmp_path: Path) -> None:
    run = heard(tmp_path)
    replaced(run, "audio", {"i0": "0/my voice.wav"})
    with pytest.raises(InputError, match=r"names without white space\. One of the items is '0/my voice\.wav'"):
        export(run, "trials", tmp_path / "a.txt")


# --- openwakeword -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", CONTENTS)
def test_openwakeword_can_read_its_clips(runs: dict[str, Run], tmp_path: Path, content: str) -> None:
    report = export(runs[content], "openwakeword", tmp_path / "out")
    labels, speakers = column(runs[content], "label"), column(runs[content], "speaker")
    index = rows_of(tmp_path / "out" / "index.csv")
    assert report.rows == len(index) == len(list((tmp_path / "out").glob("*/*/*.wav")))
    sides: dict[tuple[str, str], set[str]] = {}
    for row in index:
        info = soundfile.info(tmp_path / "out" / row["file"])
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        _, part, name = row["file"].split("/")
        side, use = part.split("_")
        sides.setdefault((row["keyword"], use), set()).add(speakers[row["id"]])
        assert (side == "positive") == (labels[row["id"]] == row["keyword"])
        kind = "false_alarm" if labels[row["id"]] is None else "adversarial"
        assert side == "positive" or name.startswith(kind)
        assert not name.endswith(".wav.wav")
    assert {use for _, use in sides} == {"train", "test"}
    assert not any(sides[word, "train"] & found for (word, use), found in sides.items() if use == "test")


def test_each_side_of_a_keyword_has_a_test(tmp_path: Path) -> None:
    run = heard(tmp_path, "bytes", anchors="classes", items=96)
    replaced(run, "speaker", dict.fromkeys(run.items.ids.to_pylist()))  # each clip may go either way
    export(run, "openwakeword", tmp_path / "out")
    for word in {row["keyword"] for row in rows_of(tmp_path / "out" / "index.csv")}:
        for side in ("positive", "negative"):
            train, test = (
                len(list((tmp_path / "out" / safe(word)).glob(f"{side}_{use}/*"))) for use in ("train", "test")
            )
            assert test == max(1, round(0.1 * (train + test)))
            assert train


def test_one_speaker_is_for_training(tmp_path: Path) -> None:
    run = heard(tmp_path)
    replaced(run, "speaker", dict.fromkeys(run.items.ids.to_pylist(), "ann"))
    report = export(run, "openwakeword", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*/*_test/*"))
    assert {one.reason: one.count for one in report.skips}["no_positive_test_clip"] == 4


def test_no_suspect_is_a_negative_of_openwakeword(runs: dict[str, Run], tmp_path: Path) -> None:
    run, labels = runs["files"], column(runs["files"], "label")
    export(run, "openwakeword", tmp_path / "out")
    suspect = {(labels[anchor], item) for anchor, item in pairs(run.candidates.suspects())}
    sampled = {(labels[anchor], item) for anchor, item in pairs(run.negatives)}
    index = rows_of(tmp_path / "out" / "index.csv")
    assert {(row["keyword"], row["id"]) for row in index if "/negative" in row["file"]} == sampled - suspect


def test_the_configuration_is_what_train_reads(classes: Run, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    export(classes, "openwakeword", tmp_path / "out")
    labels = column(classes, "label")
    for path in (tmp_path / "out").glob("*.yml"):
        made = yaml.safe_load(path.read_text(encoding="utf-8"))
        folder = tmp_path / "out" / made["output_dir"] / made["model_name"]
        for side, use in product(("positive", "negative"), ("train", "test")):
            assert (folder / f"{side}_{use}").is_dir()
        assert list((folder / "positive_test").glob("*.wav"))
        (phrase,) = made["target_phrase"]
        confused = {labels[item] for anchor, item in pairs(classes.negatives) if anchor == phrase} - {None}
        assert set(made["custom_negative_phrases"]) == confused
        assert set(made["feature_data_files"]) | {"positive", "adversarial_negative"} == set(made["batch_n_per_class"])


@pytest.mark.parametrize("text", ['a "b"\\', "x: {y} # z", "\x85\u2028\x7f", "東京 🦊", "- no", "\ufeff", "yes"])
def test_any_word_can_stand_in_the_configuration(text: str) -> None:
    yaml = pytest.importorskip("yaml")
    made = yaml.safe_load(config("m", text, [text]))
    assert made["target_phrase"] == made["custom_negative_phrases"] == [text]
    assert yaml.safe_load(config("m", text, []))["custom_negative_phrases"] == []


# --- speechbrain ------------------------------------------------------------------------------------------------------


def speechbrain_csv(path: Path, data_root: str) -> dict[str, dict[str, str]]:
    """What ``speechbrain.dataio.dataio.load_data_csv`` makes of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    values = {"data_root": data_root}
    return {
        row.pop("ID"): {key: re.sub(r"\$([\w.]+)", lambda found: values[found[1]], one) for key, one in row.items()}
        for row in rows
    }


def speechbrain_json(path: Path, data_root: str) -> dict[str, dict[str, Any]]:
    """What ``speechbrain.dataio.dataio.load_data_json`` makes of a file."""
    rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {
        key: {
            name: one.format_map({"data_root": data_root}) if isinstance(one, str) else one for name, one in row.items()
        }
        for key, row in rows.items()
    }


@pytest.mark.parametrize("content", ["files", "clips"])
def test_speechbrain_finds_every_sound(runs: dict[str, Run], tmp_path: Path, content: str) -> None:
    run = runs[content]
    for name in ("m.csv", "m.json"):
        export(run, "speechbrain", tmp_path / name)
    root = str(run.items.root)
    tables, trees = speechbrain_csv(tmp_path / "m.csv", root), speechbrain_json(tmp_path / "m.json", root)
    assert {key: {name: str(one) for name, one in row.items()} for key, row in trees.items()} == tables
    labels, speakers = column(run, "label"), column(run, "speaker")
    suspect = set(run.candidates.suspects().column("item").to_pylist())
    assert trees
    assert not suspect & set(trees)
    assert set(run.negatives.column("item").to_pylist()) - suspect <= set(trees)
    for key, row in trees.items():
        samples, rate = soundfile.read(row["wav"], start=row["start"], stop=row["stop"])
        assert len(samples) / rate == row["duration"] == SECONDS
        left = samples if samples.ndim == 1 else samples[:, 0]
        if "same" not in row["wav"]:
            np.testing.assert_allclose(left, wave_of(int(key[1:])), atol=1e-4)
        assert (row["spk_id"], row["label"]) == (speakers[key], labels[key] or "")


def test_braces_and_dollars(tmp_path: Path) -> None:
    run = heard(tmp_path, anchors="items")
    used = [row["ID"] for row in rows_of_manifest(run, tmp_path)]
    replaced(run, "speaker", {used[0]: "{ann}", used[1]: "$bob"})
    export(run, "speechbrain", tmp_path / "m.json")
    found = speechbrain_json(tmp_path / "m.json", "x")
    assert (found[used[0]]["spk_id"], found[used[1]]["spk_id"]) == ("{ann}", "$bob")
    report = export(run, "speechbrain", tmp_path / "m.csv")
    assert {one.reason: one.count for one in report.skips}["dollar_in_csv"] == 1
    assert used[1] not in speechbrain_csv(tmp_path / "m.csv", "x")


def rows_of_manifest(run: Run, folder: Path) -> list[dict[str, str]]:
    export(run, "speechbrain", folder / "first.csv")
    return rows_of(folder / "first.csv")


def test_bytes_have_no_place_in_a_manifest(runs: dict[str, Run], tmp_path: Path) -> None:
    report = export(runs["bytes"], "speechbrain", tmp_path / "m.csv")
    assert report.rows == 0
    assert {one.reason for one in report.skips} == {"bytes_without_a_file", "suspect"}


@pytest.mark.parametrize("same", ["label", "speaker"])
def test_nemo_finds_every_sound(tmp_path: Path, same: str) -> None:
    run = heard(tmp_path, "clips", same=same)
    report = export(run, "nemo-manifest", tmp_path / "m.json")
    rows = [json.loads(line) for line in (tmp_path / "m.json").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == report.rows > 0
    key_of = {(row["audio"], row["start"]): row["id"] for row in run.items.table.to_pylist()}
    suspect = set(run.candidates.suspects().column("item").to_pylist())
    for row in rows:
        path = Path(row["audio_filepath"])
        assert path.is_absolute()
        key = key_of[path.name, row["offset"]]
        assert key not in suspect
        first = round(row["offset"] * RATE)
        samples, rate = soundfile.read(path, start=first, frames=round(row["duration"] * RATE))
        assert rate == RATE
        np.testing.assert_allclose(samples[:, 0], wave_of(int(key[1:])), atol=1e-4)
        assert row["label"] == column(run, same)[key]


def test_digits_of_six_speakers_become_trials(data_dir: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(data_dir / "speech_fsdd" / "wav.zip") as packed:
        names = sorted(one for one in packed.namelist() if one.endswith(("_0.wav", "_1.wav")))
        packed.extractall(tmp_path / "wav", names)
    stems = [Path(one).stem.split("_") for one in names]
    columns = {"id": names, "audio": names, "label": [one[0] for one in stems], "speaker": [one[1] for one in stems]}
    items = Collection(pa.table(columns), tmp_path / "wav")
    run = mine(Positives.from_segments(items, same="speaker"), sampler="top(n=3)", out=tmp_path / "run")
    report = export(run, "trials", tmp_path / "t.txt")
    for left, right, kind in lines_of(tmp_path / "t.txt"):
        assert (left.split("_")[1] == right.split("_")[1]) == (kind == "target")
    assert report.counts["nontarget"] > 100
    export(run, "speechbrain", tmp_path / "m.json")
    found = speechbrain_json(tmp_path / "m.json", str(tmp_path / "wav"))
    assert all(soundfile.info(row["wav"]).frames == row["stop"] for row in found.values())


# --- index ------------------------------------------------------------------------------------------------------------


def test_the_index_carries_the_sounds(runs: dict[str, Run], tmp_path: Path) -> None:
    for content in CONTENTS:
        run = runs[content]
        export(run, "index", tmp_path / f"{content}.parquet")
        for row in pq.read_table(tmp_path / f"{content}.parquet").to_pylist():
            for name in {"audio", "start", "end", "speaker"} & set(run.items.table.column_names):
                if (content, name) == ("bytes", "audio"):
                    assert "audio" not in row
                else:
                    assert row[name] == column(run, name)[row["id"]]
