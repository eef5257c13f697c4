from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError
from hardneg.io.sheets import harmless, read_sheet

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(IDS, IDS), max_size=5), st.sampled_from(",;\t"))
def test_what_was_written_is_read_and_nothing_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]], separator: str
) -> None:
    path = tmp_path_factory.mktemp("sheet") / "s.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=separator)
        table.writerows([("anchor", "item", "answer"), *((harmless(a), harmless(b), "") for a, b in pairs)])
    assert [(row["anchor"], row["item"]) for _, row in read_sheet(path, "")] == pairs
    cells = [
        cell for row in csv.reader(path.open(encoding="utf-8-sig", newline=""), delimiter=separator) for cell in row
    ]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"anchor,item\nq,d\n", "line 1: The column 'answer' is missing. Add it"),
        (b"anchor,item,answer\nq,\xff,\n", "no CSV in UTF-8"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "s.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_sheet(tmp_path / "s.csv", "Add it."))


def test_a_long_text_is_read_and_one_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"anchor,item,answer\nq," + b"d" * 200_000 + b",\n")
    assert [len(row["item"]) for _, row in read_sheet(path, "")] == [200_000]
    path.write_bytes(b"anchor,item,answer\nq," + b"d" * (65 * 2**20) + b",\n")
    with pytest.raises(InputError, match=r"no CSV in UTF-8 .field larger"):
        list(read_sheet(path, ""))
