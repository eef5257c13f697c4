"""Verification trials: lists of pairs of files, in the orders of the field, and the pairs of LFW."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.io.readers.pictures import picture
from tests.unit.io.readers.reader_files import related, skipped
from tests.unit.io.readers.sound_files import column, noted, sound

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read

FILES = [f"{speaker}/{take}.wav" for speaker in ("ann", "bob", "cat") for take in range(3)]


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")
    for number, name in enumerate(FILES):
        sound(tmp_path / name, number, 0.1)
    return tmp_path


PAIRS = [("ann/0.wav", "ann/1.wav", True), ("ann/0.wav", "bob/1.wav", False), ("bob/0.wav", "bob/2.wav", True)]


@pytest.mark.parametrize(
    "line",
    [
        "{0} {1} {target}",  # Kaldi, NIST SRE
        "{bit} {0} {1}",  # VoxCeleb
        "{0} {1} {bit}",
        "{0}\t{1}\t{target}",
        "{0}, {1}, {bit}",
        "{target} {0} {1}",
    ],
)
def test_the_orders_of_the_field(voices: Path, line: str) -> None:
    lines = [line.format(*pair, bit=int(pair[2]), target="target" if pair[2] else "nontarget") for pair in PAIRS]
    (voices / "trials.txt").write_text("\n".join(lines) + "\n")
    reading = read(voices / "trials.txt")
    assert reading.format == "trials"
    assert related(reading) == {("ann/0.wav", "ann/1.wav"), ("bob/0.wav", "bob/2.wav")}
    assert related(reading, "negative") == {("ann/0.wav", "bob/1.wav")}
    assert reading.positives.items.table.column_names == ["id", "audio", "seconds", "rate", "content"]
    assert reading.positives.anchors.root == reading.positives.items.root == voices
    assert column(reading, "id") == ["ann/1.wav", "bob/1.wav", "bob/2.wav"]
    assert reading.skips == []


def test_names_without_suffix_and_a_folder_elsewhere(voices: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("lists") / "trials"
    file.write_text("ann/0 ann/1 target\nann/0 bob/1 nontarget\n")
    with pytest.raises(InputError, match=r"None of the 2 trials can be used \(3 no_such_recording.*--media-root"):
        read(file)
    reading = read(file, options=ReadOptions(media_root=voices))
    assert related(reading) == {("ann/0", "ann/1")}
    assert column(reading, "audio") == ["ann/1.wav", "bob/1.wav"]


def test_what_is_true_of_two_files_holds_from_either_side(voices: Path) -> None:
    lines = ["ann/0.wav ann/1.wav 1", "ann/1.wav bob/0.wav 0", "bob/0.wav bob/1.wav 1", "bob/0.wav ann/0.wav 0"]
    (voices / "trials.txt").write_text("\n".join(lines))
    positives = read(voices / "trials.txt").positives
    assert ("ann/0.wav", "bob/0.wav") in related(read(voices / "trials.txt"), "negative")
    assert ("ann/1.wav", "ann/0.wav") in related(read(voices / "trials.txt"))
    own = dict(zip(positives.anchors.ids.to_pylist(), positives.own.tolist(), strict=True))
    ids = positives.items.ids.to_pylist()
    assert {name: ids[row] for name, row in own.items() if row >= 0} == {
        "ann/0.wav": "ann/0.wav", "ann/1.wav": "ann/1.wav", "bob/0.wav": "bob/0.wav",
    }  # fmt: skip


def test_trials_that_cannot_be_used_are_counted(voices: Path) -> None:
    (voices / "ann" / "2.wav").write_bytes(b"")
    (voices.parent / "secret.wav").write_bytes((voices / "ann" / "0.wav").read_bytes())
    (voices / "bob" / "copy.wav").write_bytes((voices / "bob" / "0.wav").read_bytes())
    picture(voices / "face.png", 1)
    lines = [
        "ann/0.wav ann/1.wav target", "ann/0.wav bob/0.wav nontarget", "ann/0.wav ann/2.wav target",
        "ann/0.wav gone.wav target", "gone.wav ann/0.wav nontarget", "../secret.wav ann/1.wav target",
        "ann/0.wav ann/0.wav target", "ann/0.wav ann/1.wav target", "ann/0.wav ann/1.wav nontarget",
        "ann/0.wav face.png nontarget", "ann/0.wav bob/copy.wav nontarget",
    ]  # fmt: skip
    lines += [f"ann/0.wav cat/{take}.wav nontarget" for take in range(3)] * 70
    lines += ["ann/0.wav bob/1.wav perhaps", "ann/0.wav", ""]
    lines.insert(3, "ann/0.wav target")  # a broken line does not hide what the others are
    (voices / "trials.txt").write_text("\n".join(lines))
    reading = read(voices / "trials.txt")
    assert skipped(reading) == {
        "empty_file": 1, "no_such_recording": 1, "path_outside_folder": 1, "no_sound": 1, "broken_line": 3,
        "trial_of_an_unusable_file": 5, "trial_of_a_file_with_itself": 1, "judged_same_and_different": 1,
        "duplicate_row": 1 + 3 * 69,
    }  # fmt: skip
    assert noted(reading) == {"same_audio_again": 1}
    assert related(reading) == {("ann/0.wav", "ann/1.wav")}
    assert reading.counts["rows"] == 11 + 210 + 3


def test_lists_that_are_no_trials(voices: Path) -> None:
    for text, complaint in (("a b\n", "one column of three"), ("1 0 1\n", "one column of three")):
        (voices / "trials.txt").write_text(text)
        with pytest.raises(InputError, match=complaint):
            read(voices / "trials.txt", format="trials")
    (voices / "trials.txt").write_text("ann/0.wav bob/0.wav nontarget\n")
    with pytest.raises(InputError, match=r"trials.txt: No trial is of the same"):
        read(voices / "trials.txt")
    (voices / "trials.txt").write_text("ann/0.wav ann/1.wav target\n")
    for options in (ReadOptions(positives="speaker"), ReadOptions(split="test"), ReadOptions(columns={"text": "x"})):
        with pytest.raises(OptionError, match="not for verification trials"):
            read(voices / "trials.txt", options=options)


def test_ids_that_may_not_be_mined_and_vectors(voices: Path) -> None:
    (voices / "trials.txt").write_text("ann/0.wav ann/1.wav target\nann/0.wav bob/1.wav nontarget\n")
    (voices / "ids.txt").write_text("bob/1.wav\n")
    vectors = np.arange(9, dtype=np.float32).reshape(3, 3)
    np.savez(voices / "v.npz", ids=["ann/0.wav", "ann/1.wav", "bob/1.wav"], vectors=vectors)
    options = ReadOptions(
        exclude_ids=voices / "ids.txt", anchor_vectors=voices / "v.npz", item_vectors=voices / "v.npz"
    )
    reading = read(voices / "trials.txt", options=options)
    assert reading.positives.barred.tolist() == [False, True]
    np.testing.assert_array_equal(np.asarray(reading.item_vectors), vectors[1:])
    np.testing.assert_array_equal(np.asarray(reading.anchor_vectors), vectors[:1])
    assert set(reading.files) == {"trials.txt", "ids.txt", "v.npz"}


def lfw(folder: Path, people: int = 4, each: int = 3) -> Path:
    number = 0
    for person in range(people):
        for at in range(1, each + 1):
            picture(folder / "lfw" / f"P{person}_X" / f"P{person}_X_{at:04d}.jpg", number, "jpeg")
            number += 1
    return folder


def test_the_pairs_of_lfw(tmp_path: Path) -> None:
    folder = lfw(tmp_path)
    (folder / "pairs.txt").write_text("2\t1\nP0_X\t1\t3\nP1_X\t1\tP2_X\t2\nP2_X\t2\t3\nP0_X\t1\tP3_X\t3\n")
    reading = read(folder / "pairs.txt")
    assert reading.format == "lfw"
    assert related(reading) == {("P0_X/P0_X_0001", "P0_X/P0_X_0003"), ("P2_X/P2_X_0002", "P2_X/P2_X_0003")}
    assert related(reading, "negative") == {
        ("P1_X/P1_X_0001", "P2_X/P2_X_0002"), ("P0_X/P0_X_0001", "P3_X/P3_X_0003"),
    }  # fmt: skip
    assert column(reading, "path")[0] == "lfw/P0_X/P0_X_0003.jpg"
    dev = folder / "pairsDevTest.txt"
    dev.write_text("1\nP0_X 1 3\nP1_X 1 P2_X 2\n")
    assert len(related(read(dev))) == 1


def test_pairs_that_were_cut_short(tmp_path: Path) -> None:
    folder = lfw(tmp_path)
    (folder / "pairs.txt").write_text("10\t300\nP0_X\t1\t3\nP1_X\t1\tP2_X\t2\n")
    with pytest.raises(InputError, match=r"There are 2 pairs, and the first line counts 6,000 \(10 x 2 x 300\)"):
        read(folder / "pairs.txt")


def test_real_faces(data_dir: Path, tmp_path: Path) -> None:
    packed = data_dir / "face_orl" / "images.zip"
    if not packed.is_file():
        pytest.skip(f"no {packed}")
    with zipfile.ZipFile(packed) as file:
        file.extractall(tmp_path)
    for number in range(1, 41):
        for shot in range(1, 11):
            (tmp_path / f"s{number}" / f"{shot}.png").rename(tmp_path / f"s{number}" / f"s{number}_{shot:04d}.png")
    lines = [f"s{at}\t1\t2\ns{at}\t1\ts{at % 40 + 1}\t3\n" for at in range(1, 41)]
    (tmp_path / "pairs.txt").write_text("1\t40\n" + "".join(lines))
    reading = read(tmp_path / "pairs.txt")
    assert len(related(reading)) == len(related(reading, "negative")) == 40
    assert (len(reading.positives.anchors), len(reading.positives.items)) == (40, 80)
    assert reading.skips == []


names = st.sampled_from(FILES[:5])


@given(rows=st.lists(st.tuples(names, names, st.booleans()), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_relations_are_what_the_trials_say(
    rows: list[tuple[str, str, bool]], voices: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [*rows, ("bob/2.wav", "bob/1.wav", True)]
    file = tmp_path_factory.mktemp("lists") / "trials"
    file.write_text("".join(f"{int(same)} {one} {other}\n" for one, other, same in rows))
    reading = read(file, options=ReadOptions(media_root=voices))
    told: dict[tuple[str, str], bool] = {}
    for one, other, same in rows:
        if one != other:
            for pair in ((one, other), (other, one)):
                told[pair] = told.get(pair, False) or same
    real = [(one, other) for one, other, _ in rows if one != other]
    enrolled, tested = {one for one, _ in real}, {other for _, other in real}
    expected = {pair: same for pair, same in told.items() if pair[0] in enrolled and pair[1] in tested}
    assert related(reading) == {pair for pair, same in expected.items() if same}
    assert related(reading, "negative") == {pair for pair, same in expected.items() if not same}
    assert set(reading.positives.anchors.ids.to_pylist()) == enrolled
    assert set(reading.positives.items.ids.to_pylist()) == tested
