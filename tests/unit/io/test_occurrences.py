from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hardneg.errors import InputError
from hardneg.io.occurrences import read_occurrences, read_scores
from hardneg.listening import Hearing, Occurrence
from hardneg.listening.recordings import Recording

HEARING = Hearing(window=1.0, hop=0.1)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_occurrences_of_any_table(separator: str, tmp_path: Path) -> None:
    rows = [["audio", "start", "end", "label"], ["a.wav", "0.5", "1", "yes"], ["b.wav", "", "", ""],
            ["a.wav", "3", "3.5", "no"]]  # fmt: skip
    file = tmp_path / "known.csv"
    file.write_text("\n".join(separator.join(row) for row in rows))
    wanted = {"a.wav": [Occurrence("yes", 0.5, 1.0), Occurrence("no", 3.0, 3.5)], "b.wav": []}
    assert read_occurrences(file).of == wanted
    columns = {"recording": ["a.wav", "b.wav", "a.wav"], "begin": [0.5, None, 3.0], "stop": [1.0, None, 3.5]}
    pq.write_table(pa.table({**columns, "word": ["yes", None, "no"]}), tmp_path / "known.parquet")
    assert read_occurrences(tmp_path / "known.parquet").of == wanted


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav,1,0.5,yes", "line 2: It is no occurrence"),
        ("a.wav,1,,yes", "line 2: It is no occurrence"),
        ("a.wav,1,2,", "line 2: It is no occurrence"),
        ("a.wav,-1,2,yes", "line 2: It is no occurrence"),
        ("a.wav,one,2,yes", "must be seconds. Got 'one'"),
        (",1,2,yes", "The name of the recording is missing"),
    ],
)
def test_rows_that_are_none_are_named(row: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "known.csv"
    file.write_text(f"audio,start,end,label\n{row}\n")
    with pytest.raises(InputError, match=message):
        read_occurrences(file)


def test_a_missing_column_and_no_row_are_said(tmp_path: Path) -> None:
    file = tmp_path / "known.csv"
    file.write_text("audio,start,label\na.wav,1,yes\n")
    with pytest.raises(InputError, match="There is no column 'end'"):
        read_occurrences(file)
    file.write_text("audio,start,end,label\n")
    with pytest.raises(InputError, match="no row"):
        read_occurrences(file)


def _scores(folder: Path, lines: list[str], keywords: tuple[str, ...] = ("yes",)) -> np.ndarray:
    file = folder / "scores.csv"
    file.write_text("\n".join(["recording,time,keyword,score", *lines]))
    found = read_scores(file, HEARING, keywords).of(Recording("a.wav", file), 10.0, HEARING)
    assert found is not None
    return found


def test_scores_of_a_table_stand_where_their_times_say(tmp_path: Path) -> None:
    lines = [f"a.wav,{0.1 * n:.3f},{word},{n + 100 * (word == 'no')}" for n in range(8) for word in ("yes", "no")]
    shuffled = [lines[row] for row in np.random.default_rng(0).permutation(len(lines))]
    found = _scores(tmp_path, [*shuffled, "b.wav,0,yes,1", "b.wav,0,no,1"], ("yes", "no"))
    assert found.tolist() == [[n, n + 100] for n in range(8)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a.wav,0,yes,1", "a.wav,0.2,yes,1"], "Window 1 of 'a.wav' has 0 scores"),
        (["a.wav,0,yes,1", "a.wav,0,yes,1"], "Window 0 of 'a.wav' has 2 scores"),
        (["a.wav,0.05,yes,1"], "0.5 hops after its beginning"),
        (["a.wav,-0.1,yes,1"], "-1 hops after"),
        (["a.wav,0,maybe,1"], "The keyword 'maybe' is not named"),
        (["a.wav,0,yes,nan"], "'score' of row 1 is no finite number"),
        (["a.wav,0,yes,much"], "must hold numbers"),
    ],
)
def test_scores_that_are_none_are_named(lines: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        _scores(tmp_path, lines)
