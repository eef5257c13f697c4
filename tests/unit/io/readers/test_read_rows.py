from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.io.readers.reader_files import beir, jsonl, parquet, related, skipped, table

from hardneg.errors import InputError, OptionError
from hardneg.io.readers import read
from hardneg.io.readers._rows import carrier_of, open_rows

ROWS = [{"query": f"question {i}", "answer": f"answer {i}"} for i in range(200)]


@pytest.mark.parametrize(
    ("content", "carrier"),
    [
        (b'{"a": 1}\n', "jsonl"),
        (b'\xef\xbb\xbf \n {"a": 1}\n', "jsonl"),
        (gzip.compress(b"a\tb\n", mtime=0), "tsv"),
        (b"a,b\n1,2\n", "csv"),
        (b"a;b\n1;2\n", "csv"),
        (b"PAR1....", "parquet"),
        (b"\x00\x01\x02binary", None),
        (b"plain prose\n", None),
    ],
)
def test_the_content_says_what_it_is(tmp_path: Path, content: bytes, carrier: str | None) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(content)
    assert carrier_of(file) == carrier


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'[{"query": "a"}]', r"one JSON array. Write one object a line: jq"),
        ("query,answer\n".encode("utf-16"), r"UTF-16, not UTF-8.*iconv"),
        (b"PK\x03\x04zip", r"a zip file. Unpack it"),
        (b"", r"The file is empty"),
        (b" \n\n", r"The file is empty"),
        (
            b"\x00\x01\x02binary",
            r"not recognised. Looked for: a folder with corpus.jsonl.*--format, one of: beir, coco, yolo",
        ),
        (gzip.compress(b"PAR1", mtime=0), r"Parquet file inside gzip"),
        (b"\x1f\x8bnot gzip", r"cut short or damaged"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read(file)


def test_neither_file_nor_format(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read(tmp_path / "nothing")
    with pytest.raises(InputError, match="not recognised"):
        read(tmp_path)
    with pytest.raises(
        OptionError,
        match=r"There is no format 'xml'. Choose from: beir, coco, yolo",
    ):
        read(beir(tmp_path), format="xml")


def test_a_cut_gzip_names_its_line(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "pairs.jsonl.gz", ROWS)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"pairs.jsonl.gz, line \d+: The file is cut short or damaged") as caught:
        read(file)
    assert caught.value.line is not None
    assert caught.value.line > 1


def test_a_gzip_with_a_flipped_byte(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "pairs.jsonl.gz", ROWS)
    data = bytearray(file.read_bytes())
    data[-6] ^= 255
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cut short or damaged"):
        read(file)


@pytest.mark.parametrize("cut", [slice(0, -30), slice(0, 50), slice(0, 4)])
def test_a_cut_parquet(tmp_path: Path, cut: slice) -> None:
    file = parquet(tmp_path / "pairs.parquet", ROWS)
    file.write_bytes(file.read_bytes()[cut])
    with pytest.raises(InputError, match=r"pairs.parquet: The file is cut short or damaged.*again"):
        read(file)


def test_a_parquet_damaged_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "pairs.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), file, compression="zstd", use_dictionary=False)
    data = bytearray(file.read_bytes())
    data[40:400] = bytes(360)
    file.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cut short or damaged"):
        read(file)


def test_text_that_is_not_utf8_names_line_and_byte(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_bytes("query,answer\na,b\ncafé,au lait\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"pairs.csv, line 3: The text is not UTF-8 \(byte 4 of the line is 0xe9\)"):
        read(file)


def test_a_line_of_ten_megabytes(tmp_path: Path) -> None:
    long = "word " * 2_000_000
    for file in (
        jsonl(tmp_path / "long.jsonl", [{"query": "q", "positive": long}]),
        table(tmp_path / "long.csv", [{"query": "q", "positive": long}]),
        table(tmp_path / "long.tsv", [{"query": "q", "positive": long}], "\t"),
    ):
        texts = read(file).positives.items.texts
        assert texts is not None
        assert texts[0].as_py() == long


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.io.readers._bytes.LONGEST_LINE", 2**20)
    file = jsonl(tmp_path / "long.jsonl", [{"query": "q", "positive": "p"}, {"query": "q", "positive": "x" * 2**21}])
    with pytest.raises(InputError, match=r"long.jsonl, line 2: The line is longer than 1 MiB. Split"):
        read(file)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", 'query,answer\n"a,b\nc,d\n', r"a.csv, line 2: The CSV is broken \(unexpected end of data\)"),
        ("a.csv", 'query,answer\n"a"b,c\n', r"line 2: The CSV is broken"),
        ("a.csv", "query,answer\na,b,c\n", r"line 2: The row has 3 fields where 2 are expected \(query, answer\)"),
        ("a.csv", "query,answer\ra,b\r", r"line 1: The CSV is broken"),
        ("a.csv", "query\na\n", r"line 1: The field 'positive' is missing. Found: query"),
        ("a.csv", "query,query\na,b\n", r"line 1: The column 'query' occurs twice"),
        ("a.tsv", "query\tanswer\na\tb\tc\n", r"line 2: The row has 3 fields where 2"),
        ("a.tsv", "query\tanswer\n\t\n", r"no anchor with a text"),
    ],
)
def test_broken_tables(tmp_path: Path, name: str, content: str, complaint: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=complaint):
        read(tmp_path / name)


def test_quotes_in_tsv_stay_unless_a_writer_put_them_there(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text('query\tanswer\n"what" is a\t"quoted"\n5" pipe\t"""x"" y"\n')
    assert [record for _, record in open_rows(file)] == [
        {"query": '"what" is a', "answer": '"quoted"'},
        {"query": '5" pipe', "answer": '"x" y'},
    ]
    file.write_text('"query"\t"answer"\n"a"\t"b"\n')
    assert [record for _, record in open_rows(file)] == [{"query": "a", "answer": "b"}]


def test_a_csv_row_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text('query,answer\n"a\nb",c\n\n,d\n')
    reading = read(file)
    assert reading.positives.anchors.table["text"].to_pylist() == ["a\nb"]
    assert skipped(reading) == {"empty_text": 1}
    assert reading.skips[0].examples == ("pairs.csv, line 5",)


def test_parquet_names_the_row(tmp_path: Path) -> None:
    file = parquet(tmp_path / "pairs.parquet", [{"query": "a", "answer": "b"}, {"query": None, "answer": "c"}])
    assert read(file).skips[0].examples == ("pairs.parquet, row 2",)
    bad = parquet(tmp_path / "bad.parquet", [{"query": 1, "answer": "b"}])
    with pytest.raises(InputError, match=r"bad.parquet: row 1: The anchor text must be text. Got int"):
        read(bad)


def test_half_a_character_is_a_counted_skip(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "pairs.jsonl", [{"query": "a", "positive": ["b", "\ud83d cut"]}])
    assert "\\ud83d" in file.read_text()
    assert skipped(read(file)) == {"broken_text": 1}


def test_the_format_can_be_overruled(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text('query,answer,"with\ta tab"\na,b,c\n')
    with pytest.raises(InputError, match=r"line 2: The row has 1 fields where 2"):
        read(file)
    assert related(read(file, format="csv"), column="text") == {("a", "b")}


def test_json_keeps_long_numbers_and_odd_values_apart(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps({"query": "a", "positive": "b", "n": 1})[:-1] + ', "m": ' + "9" * 5000 + "}\n")
    with pytest.raises(InputError, match="line 1: The JSON is broken"):
        read(file)
