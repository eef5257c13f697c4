"""Lists of parts of recordings: RTTM, Audacity's label tracks, Kaldi data folders."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.unit.io.readers.reader_files import skipped
from tests.unit.io.readers.sound_files import column, noted, sound, words

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.readers._recordings import NotFound, Recordings

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")

RTTM = """\
;; a comment, as NIST allows
SPKR-INFO call 1 <NA> <NA> <NA> adult_male ann <NA>
SPEAKER call 1 0.00 1.25 <NA> <NA> ann <NA> <NA>
SPEAKER call 1 1.00 1.00 <NA> <NA> bob <NA> <NA>
SPEAKER call 1 2.50 0.50 <NA> <NA> ann <NA>

SPEAKER other 1 0.10 0.20 <NA> <NA> bob <NA> <NA>
NON-LEX other 1 0.40 0.10 <NA> laugh bob <NA> <NA>
"""


def test_rttm_beside_its_recordings(tmp_path: Path) -> None:
    sound(tmp_path / "call.flac", 1, 3.0, form="flac")
    sound(tmp_path / "deep" / "other.wav", 2, 1.0)
    (tmp_path / "calls.rttm").write_text(RTTM)
    reading = read(tmp_path / "calls.rttm")
    assert reading.format == "labelled, rttm"
    assert column(reading, "id") == [
        "call.flac#t=0,1.25", "call.flac#t=1,2", "call.flac#t=2.5,3", "deep/other.wav#t=0.1,0.3",
    ]  # fmt: skip
    assert column(reading, "label") == column(reading, "speaker") == ["ann", "bob", "ann", "bob"]
    assert column(reading, "session") == ["call", "call", "call", "other"]
    assert skipped(reading) == {"no_speaker_line": 2}
    assert noted(reading) == {"overlaps_another_label": 2}
    assert reading.positives.positive[0].tolist() == [2]
    assert reading.positives.ignored[0].tolist() == [1]
    assert list(reading.files) == ["calls.rttm"]
    assert reading.positives.items.root == tmp_path


def test_a_folder_of_rttm_with_the_recordings_elsewhere(tmp_path: Path) -> None:
    lists, audio = tmp_path / "lists", tmp_path / "audio"
    lists.mkdir()
    for number, name in enumerate(("a", "b")):
        sound(audio / f"{name}.wav", number, 2.0)
        lines = [
            f"SPEAKER {name} 1 {at}.0 1.0 <NA> <NA> {who} <NA> <NA>\n" for at, who in enumerate(("x", "y"))
        ]  # fmt: skip
        (lists / f"{name}.rttm").write_text("".join(lines))
    (lists / "silent.rttm").write_text("")
    (lists / "notes.rttm").write_text("not yet done\n")
    (lists / "README.md").write_text("x")
    with pytest.raises(InputError, match=r"None of the 5 .*4 no_such_recording, 1 not_rttm.*Say with --media-root"):
        read(lists)
    reading = read(lists, options=ReadOptions(media_root=audio))
    assert column(reading, "audio") == ["a.wav", "a.wav", "b.wav", "b.wav"]
    assert sorted(reading.files) == ["a.rttm", "b.rttm"]
    assert skipped(reading) == {"not_rttm": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("SPEAKER call 1 0.5", "broken_line"),
        ("SPEAKER call 1 x 1.0 <NA> <NA> ann <NA> <NA>", "time_is_no_number"),
        ("SPEAKER call 1 0.5 0 <NA> <NA> ann <NA> <NA>", "zero_length"),
        ("SPEAKER call 1 0.5 -1 <NA> <NA> ann <NA> <NA>", "negative_time"),
        ("SPEAKER call 1 2.5 9 <NA> <NA> ann <NA> <NA>", "out_of_range"),
        ("SPEAKER gone 1 0.5 1 <NA> <NA> ann <NA> <NA>", "no_such_recording"),
        ("SPEAKER twice 1 0.5 1 <NA> <NA> ann <NA> <NA>", "several_such_recordings"),
        ("SPEAKER ../secret.wav 1 0.1 1 <NA> <NA> ann <NA> <NA>", "path_outside_folder"),
        ("ANN SPOKE", "broken_line"),
    ],
)
def test_lines_of_rttm_that_name_no_part(tmp_path: Path, line: str, reason: str) -> None:
    sound(tmp_path / "data" / "call.wav", 1, 3.0)
    for folder in ("one", "two"):
        sound(tmp_path / "data" / folder / "twice.wav", 2)
    sound(tmp_path / "secret.wav", 3)
    many = "".join(f"SPEAKER call 1 {at / 100} 1.0 <NA> <NA> {'ab'[at % 2]} <NA> <NA>\n" for at in range(20))
    (tmp_path / "data" / "a.rttm").write_text(f"{many}{line}\n")
    reading = read(tmp_path / "data" / "a.rttm")
    assert skipped(reading) == {reason: 1}
    assert reading.skips[0].examples == ("a.rttm, line 21",)


def test_a_broken_line_does_not_hide_what_a_list_is(tmp_path: Path) -> None:
    sound(tmp_path / "call.wav", 1, 3.0)
    sound(tmp_path / "other.wav", 2, 1.0)
    (tmp_path / "calls.rttm").write_text(f"SPEAKER call 1\n{RTTM}")
    reading = read(tmp_path / "calls.rttm")
    assert (len(reading.positives.items), skipped(reading)) == (4, {"broken_line": 1, "no_speaker_line": 2})
    (tmp_path / "call.txt").write_text("by ann\n0.100000\t0.500000\tyes\n1.100000\t1.500000\tno\n")
    reading = read(tmp_path / "call.txt")
    assert (len(reading.positives.items), skipped(reading)) == (2, {"broken_line": 1})


def test_a_speaker_without_a_name_is_unlabelled(tmp_path: Path) -> None:
    sound(tmp_path / "call.wav", 1, 3.0)
    (tmp_path / "a.rttm").write_text(RTTM.replace(" bob ", " <NA> ").replace("other", "call"))
    reading = read(tmp_path / "a.rttm")
    assert column(reading, "label") == ["ann", None, "ann", None]


TRACK = "0.000000\t1.000000\tyes\n\\\t100.000000\t4000.000000\n1.500000\t2.000000\tno\n2.000000\t2.500000\tyes\n"


def test_audacity_beside_its_recording(tmp_path: Path) -> None:
    sound(tmp_path / "call.wav", 1, 3.0)
    (tmp_path / "call.txt").write_text(TRACK + "2.500000\t2.500000\tmark\n2.600000\t2.700000\t\n")
    reading = read(tmp_path / "call.txt")
    assert reading.format == "labelled, audacity"
    assert column(reading, "label") == ["yes", "no", "yes", None]
    assert column(reading, "start") == [0.0, 1.5, 2.0, 2.6]
    assert skipped(reading) == {"zero_length": 1}
    (tmp_path / "call.txt").write_text(TRACK * 10 + "lost\n")
    assert skipped(read(tmp_path / "call.txt")) == {"duplicate_row": 27, "broken_line": 1}


def test_a_folder_of_label_tracks(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        sound(tmp_path / f"{name}.ogg", number, 3.0, form="ogg")
        (tmp_path / f"{name}.txt").write_text(TRACK)
    (tmp_path / "readme.txt").write_text("Labelled by ear.\n")
    reading = read(tmp_path)
    assert reading.format == "labelled, audacity"
    assert column(reading, "audio") == ["a.ogg"] * 3 + ["b.ogg"] * 3
    assert skipped(reading) == {"not_audacity": 1}
    with pytest.raises(InputError, match=r"no column 'speaker'.*There are: labels\."):
        read(tmp_path, options=ReadOptions(positives="speaker"))


def test_a_table_of_numbers_is_no_label_track(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("1\t2\tx\n3\t4\ty\n")
    with pytest.raises(InputError, match="field 'anchor' is missing"):
        read(tmp_path / "a.tsv")
    with pytest.raises(InputError, match=r"There is no list of the format audacity in it. Write it in Audacity"):
        read(tmp_path / "a.tsv", format="audacity")


def kaldi(folder: Path, **files: str) -> Path:
    """A Kaldi data folder with two recordings."""
    for number, name in enumerate(("one", "two")):
        sound(folder / "wav" / f"{name}.wav", number, 2.0)
    usual = {
        "wav.scp": "r1 wav/one.wav\nr2 wav/two.wav\n",
        "segments": "ann-1 r1 0.0 1.0\nann-2 r1 1.0 -1\nbob-1 r2 0.25 0.75\n",
        "utt2spk": "ann-1 ann\nann-2 ann\nbob-1 bob\n",
    }
    for name, text in (usual | {key.replace("_", "."): text for key, text in files.items()}).items():
        (folder / name).write_text(text)
    return folder


def test_a_kaldi_data_folder(tmp_path: Path) -> None:
    folder = kaldi(tmp_path, text="ann-1 yes please\nbob-1 no\n", utt2dur="ann-1 1.0\nann-2 1.0\nbob-1 0.5\n")
    reading = read(folder)
    assert reading.format == "labelled, kaldi"
    assert column(reading, "id") == ["ann-1", "ann-2", "bob-1"]
    assert column(reading, "audio") == ["wav/one.wav", "wav/one.wav", "wav/two.wav"]
    assert (column(reading, "start"), column(reading, "end")) == ([0.0, 1.0, 0.25], [1.0, None, 0.75])
    assert column(reading, "seconds") == [1.0, 1.0, 0.5]
    assert column(reading, "label") == column(reading, "speaker") == ["ann", "ann", "bob"]
    assert column(reading, "text") == ["yes please", None, "no"]
    assert column(reading, "session") == ["r1", "r1", "r2"]
    assert column(reading, "duration") == [1.0, 1.0, 0.5]
    assert set(reading.files) == {"wav.scp", "segments", "utt2spk", "text", "utt2dur"}
    by_recording = read(folder, options=ReadOptions(positives="session"))
    assert by_recording.positives.classes.names == ("r1", "r2")  # type: ignore[union-attr]


def test_kaldi_without_segments_has_an_utterance_a_recording(tmp_path: Path) -> None:
    folder = kaldi(tmp_path, utt2spk="r1 ann\nr2 bob\nr3 bob\n")
    (folder / "segments").unlink()
    reading = read(folder)
    assert column(reading, "id") == ["r1", "r2"]
    assert "start" not in reading.positives.items.table.column_names
    assert skipped(reading) == {"utterance_without_recording": 1}
    assert reading.skips[0].examples == ("utt2spk, line 3",)


def test_a_command_in_wav_scp_is_refused_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = tmp_path / "proof"
    folder = kaldi(tmp_path / "data", wav_scp=f"r1 wav/one.wav\nr2 touch {proof}; cat wav/two.wav |\n")

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("a command was run")

    monkeypatch.setattr(subprocess, "Popen", refused)
    monkeypatch.setattr("os.system", refused)
    monkeypatch.setattr("os.popen", refused)
    (folder / "utt2spk").write_text("ann-1 ann\nann-2 bob\nbob-1 bob\n")
    reading = read(folder)
    assert skipped(reading) == {"command_in_wav_scp_not_run": 1}
    assert reading.skips[0].examples == ("segments, line 3",)
    assert not proof.exists()


def test_kaldi_folders_that_do_not_hold_together(tmp_path: Path) -> None:
    folder = kaldi(tmp_path / "a", segments="ann-1 r1 0.0 1.0\nbob-1 r9 0.0 1.0\nann-2 r1\nbob-2 r2 0 1\n")
    (folder / "utt2spk").write_text("ann-1 ann\nbob-1 bob\nbob-2 bob\nann-1 ann\n")
    assert skipped(read(folder)) == {"no_such_recording": 1, "broken_line": 1}
    (folder / "utt2spk").write_text("ann-1 ann\nann-1 bob\n")
    with pytest.raises(InputError, match=r"utt2spk, line 2: The id 'ann-1' was there before, with something else"):
        read(folder)
    (folder / "utt2spk").unlink()
    with pytest.raises(InputError, match="The folder has no utt2spk"):
        read(folder, format="kaldi")
    outside = kaldi(tmp_path / "b", wav_scp=f"r1 {tmp_path}/a/wav/one.wav\nr2 {tmp_path}/a/wav/two.wav\n")
    with pytest.raises(InputError, match=r"3 path_outside_folder\). Say with --media-root"):
        read(outside)
    reading = read(outside, options=ReadOptions(media_root=tmp_path))
    assert column(reading, "audio") == ["a/wav/one.wav", "a/wav/one.wav", "a/wav/two.wav"]


def test_more_items_without_a_label_beside_a_list(tmp_path: Path) -> None:
    folder = kaldi(tmp_path / "data")
    pool = words(tmp_path / "pool")
    reading = read(folder, options=ReadOptions(unlabelled=pool))
    assert column(reading, "label") == ["ann", "ann", "bob", *[None] * 6]
    with pytest.raises(OptionError, match="can be classes only where labels"):
        ReadOptions(anchors="classes", positives="groups")


def test_recordings_by_name(tmp_path: Path) -> None:
    for name in ("a.wav", "x/b.wav", "y/b.flac", "y/c.d.mp3", ".hidden/e.wav", "x/f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = Recordings(tmp_path)
    names = ("a", "a.wav", "./a.wav", "x/b", "x\\b.wav", "b.flac", "c.d", "y/c.d")
    assert [files.find(name) for name in names] == [
        "a.wav", "a.wav", "./a.wav", "x/b.wav", "x/b.wav", "y/b.flac", "y/c.d.mp3", "y/c.d.mp3",
    ]  # fmt: skip
    for name, reason in (("b", "several"), ("e", "no_such"), ("f", "no_such"), ("", "no_such"), ("b.", "no_such")):
        for _ in range(2):
            with pytest.raises(NotFound, match=reason):
                files.find(name)
