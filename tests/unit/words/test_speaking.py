from __future__ import annotations

import csv
import wave
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("panphon", reason="words need the extra 'words'")

from hardneg.errors import InputError, OptionError, RunError
from hardneg.io.readers import ReadOptions, read
from hardneg.words import Voices, espeak, speak

if not espeak.is_there():
    pytest.skip("espeak-ng is not installed (the package espeakng-loader carries it)", allow_module_level=True)

TWO = Voices(("en-us", "en-gb+f2"), speeds=(140, 210))


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_word_is_said_by_each_voice_at_each_speed(tmp_path: Path) -> None:
    made = speak(["tree", "Hey, nine!", "tree"], tmp_path / "said", TWO)
    rows = _rows(made.table)
    assert made.sounds == len(rows) == 2 * 2 * 2
    assert {(row["label"], row["voice"], row["speed"]) for row in rows} == {
        (word, voice, speed) for word in ("tree", "hey nine") for voice in TWO.names for speed in ("140", "210")
    }
    assert {(row["split"], row["synthetic"]) for row in rows} == {("train", "true")}
    lengths = {}
    for row in rows:
        with wave.open(str(tmp_path / "said" / row["audio"])) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, espeak.RATE)
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        assert np.abs(samples.astype(int)).max() > 3000
        lengths[row["label"], row["voice"], row["speed"]] = len(samples)
    for voice in TWO.names:
        assert lengths["tree", voice, "140"] > lengths["tree", voice, "210"]
        assert lengths["hey nine", voice, "140"] > lengths["tree", voice, "140"]


def test_the_same_text_gives_the_same_samples_whatever_was_said_before() -> None:
    first = espeak.said("five", speed=150)
    espeak.said("something else", "en-gb", pitch=80)
    assert np.array_equal(espeak.said("five", speed=150), first)
    assert not np.array_equal(espeak.said("nine", speed=150), first)


def test_what_a_voice_says_like_the_keyword_is_left_out(tmp_path: Path) -> None:
    made = speak(["too", "tree"], tmp_path, TWO, unlike=["two"])
    assert made.left_out == ("too",)
    assert {row["label"] for row in _rows(made.table)} == {"tree"}


def test_a_table_is_not_replaced_unasked_and_a_wrong_voice_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no voice 'xx'"):
        speak(["tree"], tmp_path / "a", Voices(("en-us", "xx")))
    assert not (tmp_path / "a").exists()
    with pytest.raises(OptionError, match="no variant 'zz'"):
        speak(["tree"], tmp_path / "a", Voices(("en-us+zz",)))
    speak(["tree"], tmp_path / "b", Voices(("en-us",), (140,)))
    with pytest.raises(RunError, match="exists already"):
        speak(["nine"], tmp_path / "b")
    speak(["nine"], tmp_path / "b", Voices(("en-us",), (140,)), overwrite=True)
    assert [row["label"] for row in _rows(tmp_path / "b" / "words.csv")] == ["nine"]


def test_there_must_be_something_to_say(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no word to say"):
        speak(["...", ""], tmp_path)
    with pytest.raises(InputError, match="nothing to say"):
        espeak.said("...")
    with pytest.raises(OptionError, match="'speeds' must be in"):
        Voices(speeds=(20,))


def _table(folder: Path, synthetic: str, split: str) -> Path:
    path = folder / "all.csv"
    rows = ["text,label,split,synthetic", "one,a,train,true", "two,b,train,", f"three,b,{split},{synthetic}"]
    path.write_text("\n".join([*rows, "four,a,test,"]) + "\n")
    return path


@pytest.mark.parametrize("synthetic", ["true", "True", "1", "yes"])
@pytest.mark.parametrize("split", ["test", "Validation", "dev"])
def test_a_synthetic_row_in_a_split_for_evaluation_is_refused(tmp_path: Path, synthetic: str, split: str) -> None:
    path = _table(tmp_path, synthetic, split)
    for options in (ReadOptions(), ReadOptions(split=split, mine_evaluation=True)):
        with pytest.raises(InputError, match=r"1 synthetic rows are in a split for evaluation .* recordings alone"):
            read(path, options=options)


@pytest.mark.parametrize(("synthetic", "split"), [("false", "test"), ("", "test"), ("true", "train")])
def test_synthetic_rows_may_be_trained_on(tmp_path: Path, synthetic: str, split: str) -> None:
    assert len(read(_table(tmp_path, synthetic, split)).positives.items) == 4
