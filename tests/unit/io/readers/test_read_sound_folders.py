"""Folders of sounds: one for each class, whatever the files are like."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.io.readers.pictures import picture
from tests.unit.io.readers.reader_files import skipped
from tests.unit.io.readers.sound_files import column, noise, noted, sound, words

from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers import ReadOptions, read
from hardneg.sounds import digest
from hardneg.testing._sounds import saved

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")


def test_a_folder_for_each_word(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    reading = read(folder)
    items = reading.positives.items
    assert reading.format == "labelled, audio folder"
    assert items.table.column_names == ["id", "audio", "label", "seconds", "rate", "content"]
    assert column(reading, "id") == column(reading, "audio")
    assert column(reading, "id") == [f"{name}/{at}.wav" for name in ("no", "yes") for at in range(3)]
    assert column(reading, "label") == ["no"] * 3 + ["yes"] * 3
    assert column(reading, "seconds") == [0.5] * 6
    assert column(reading, "rate") == [16_000] * 6
    assert column(reading, "content") == [digest(one).hex() for one in items.sounds or ()]
    assert items.root == folder
    assert len(reading.positives.anchors) == 6
    assert (reading.skips, list(reading.notes)) == ([], [])


def test_splits_and_the_unlabelled(tmp_path: Path) -> None:
    folder = words(tmp_path / "words", "train", "test")
    sound(folder / "unlabelled" / "1.wav", 50)
    reading = read(folder)
    assert reading.format == "labelled, audio folder, split train of test, train"
    assert int(reading.positives.barred.sum()) == 6
    assert column(reading, "label").count(None) == 1
    more = sound(tmp_path / "pool" / "2.wav", 51).parent
    assert len(read(folder, options=ReadOptions(unlabelled=more)).positives.items) == 14


def test_a_folder_of_words_and_parts_of_recordings_elsewhere(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    sound(tmp_path / "radio" / "call.wav", 50, 2.0)
    (tmp_path / "events.csv").write_text("audio,start,end,heard\ncall.wav,0.5,1,yes\ncall.wav,1,1.5,no\n")
    options = ReadOptions(unlabelled=tmp_path / "events.csv", media_root=tmp_path / "radio")
    reading = read(folder, options=options)  # the folder needs no root: its files are its own
    assert (reading.counts["labelled"], reading.counts["unlabelled"]) == (6, 2)
    with pytest.raises(InputError, match=r"events\.csv: None of the 2 rows .*2 missing_file.*--media-root"):
        read(folder, options=replace(options, media_root=tmp_path))


def test_every_kind_of_file(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    kinds = [
        ("u8.wav", "wav", "PCM_U8"), ("i24.wav", "wav", "PCM_24"), ("float.wav", "wav", "FLOAT"),
        ("a.flac", "flac", None),
        ("a.ogg", "ogg", None), ("a.mp3", "mp3", None), ("a.aif", "aiff", None), ("a.au", "au", None),
        ("a.w64", "w64", None),
        ("a.caf", "caf", None), ("a.opus", "ogg", "OPUS"),
    ]  # fmt: skip
    for number, (name, form, subtype) in enumerate(kinds, 20):
        sound(folder / "yes" / name, number, form=form, subtype=subtype)
    reading = read(folder)
    assert {Path(str(one)).name for one in column(reading, "id")[3:]} >= {name for name, _, _ in kinds}
    assert (reading.skips, noted(reading)) == ([], {})


def test_broken_sounds_are_counted_and_named(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    whole = saved(noise(60))
    broken = {
        "empty.wav": b"", "page.wav": b"<!DOCTYPE html><title>404</title>", "cut.wav": whole[: len(whole) // 2],
        "header.wav": saved(noise(61)[:0]), "cut.flac": saved(noise(62), form="flac")[:200],
    }  # fmt: skip
    for name, content in broken.items():
        (folder / "yes" / name).write_bytes(content)
    (folder / "no" / "gone.wav").symlink_to(folder / "nothing.wav")
    (folder / "no" / "notes.txt").write_text("said twice")
    (folder / "maybe").mkdir()
    (folder / "maybe" / "0.wav").write_bytes(b"")
    reading = read(folder)
    assert skipped(reading) == {
        "empty_file": 2, "not_audio": 1, "truncated_audio": 2, "zero_length": 1, "missing_file": 1, "no_sound": 1,
    }  # fmt: skip
    examples = {one.reason: one.examples for one in reading.skips}
    assert examples["not_audio"] == ("yes/page.wav",)
    assert noted(reading) == {"class_without_a_usable_sound": 1}
    assert len(column(reading, "id")) == 6


def test_odd_sounds_are_noted_and_used(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    yes = folder / "yes"
    loud, quiet = noise(70), noise(71) * 1e-4
    loud[:200] = 1.0  # of 8,000 samples, 2.5%
    (yes / "loud.wav").write_bytes(saved(loud))
    (yes / "quiet.wav").write_bytes(saved(quiet))
    sound(yes / "stereo.wav", 72, channels=2)
    sound(yes / "flac.wav", 73, form="flac")
    sound(yes / "slow.wav", 74, rate=8000)
    sound(yes / "cd.wav", 75, rate=44_100)
    sound(yes / "half.wav", 76, rate=22_050)
    (yes / "again.wav").write_bytes((yes / "0.wav").read_bytes())
    (folder / "no" / "again.wav").write_bytes((yes / "0.wav").read_bytes())
    reading = read(folder)
    assert reading.skips == []
    assert noted(reading) == {
        "clipped": 1, "silent_throughout": 1, "several_channels_mean_used": 1, "suffix_of_another_format": 1,
        "rate_of_8000_hz_beside_16000": 1, "rate_of_22050_hz_beside_16000": 1, "rate_of_44100_hz_beside_16000": 1,
        "same_audio_again": 1, "same_audio_two_labels": 1,
    }  # fmt: skip


def test_pictures_beside_sounds_are_refused(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    picture(folder / "yes" / "face.png", 1)
    with pytest.raises(
        InputError, match=r"pictures \(1, such as yes/face.png\) and sounds \(6, such as no/0.wav\).*Move"
    ):
        read(folder)
    (folder / "yes" / "face.png").unlink()
    picture(folder / ".thumbnails" / "face.png", 1)
    assert skipped(read(folder)) == {"hidden_file": 1}


@pytest.mark.parametrize("name", ["7_jackson_32.wav", "nohash_3.wav"])
def test_what_a_name_may_mean_is_not_guessed(tmp_path: Path, name: str) -> None:
    sound(tmp_path / name, 1)
    with pytest.raises(InputError, match=r"sounds are not in folders of classes. Give each class a folder.*a table"):
        read(tmp_path)


def test_the_speaker_in_a_name_is_not_guessed(tmp_path: Path) -> None:
    sound(tmp_path / "yes" / "a1_nohash_0.wav", 1)
    sound(tmp_path / "no" / "a1_nohash_0.wav", 2)
    with pytest.raises(InputError, match=r"no column 'speaker'.*There are: labels\. .*write a table"):
        read(tmp_path, options=ReadOptions(positives="speaker"))


def test_sounds_of_a_format_that_cannot_be_read_are_not_passed_over(tmp_path: Path) -> None:
    folder = words(tmp_path / "words")
    (folder / "yes" / "phone.m4a").write_bytes(b"\0\0\0\x18ftypM4A and so on")
    assert skipped(read(folder)) == {"not_audio": 1}


def test_without_soundfile_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = words(tmp_path / "words")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"hardneg\[audio\]"):
        read(folder)


def test_real_words(data_dir: Path, tmp_path: Path) -> None:
    packed = data_dir / "speech_commands_mini" / "wav.zip"
    if not packed.is_file():
        pytest.skip(f"no {packed}")
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path / "wav")
    reading = read(tmp_path / "wav")
    assert len(reading.positives.items) == 300
    assert len(reading.positives.classes.names) == 30  # type: ignore[union-attr]
    assert set(column(reading, "rate")) == {16_000}
    assert np.mean(np.array(column(reading, "seconds"), float)) == pytest.approx(1.0, abs=0.05)
    assert noted(reading) == {"clipped": 1}
