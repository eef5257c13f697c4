from __future__ import annotations

from pathlib import Path

import pytest

from hardneg.errors import InputError
from hardneg.io.said import said_in


def _file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_labels_and_texts_of_tables(tmp_path: Path) -> None:
    table = _file(tmp_path, "a.csv", "audio,Word,Transcript\na.wav,yes,I say yes\nb.wav,no,\nc.wav,yes,oh no\n")
    assert said_in(table).labels == ("yes", "no")
    assert said_in(table).texts == ("I say yes", "oh no")
    lines = _file(tmp_path, "a.jsonl", '{"labels": ["a", "b"]}\n{"labels": ["b"], "text": "hm"}\n')
    assert (said_in(lines).labels, said_in(lines).texts) == (("a", "b"), ("hm",))
    own = _file(tmp_path, "b.tsv", "id\tsaid\n1\tfünf\n")
    assert said_in(own, {"label": "said"}).labels == ("fünf",)


def test_a_list_and_a_folder(tmp_path: Path) -> None:
    assert said_in(_file(tmp_path, "words.txt", "five\n\n nine \nfive\n")).labels == ("five", "nine")
    data = tmp_path / "data"
    for name in (
        "train/yes/1.wav",
        "train/no/1.wav",
        "test/yes/2.wav",
        "_background_noise_/x.wav",
        ".git/y",
        "readme.md",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"")
    assert said_in(data).labels == ("yes", "no")  # in the order of their folders: test, train


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [("a.csv", "x,y\n1,2\n", r"neither a label nor a text in it. Found: x, y\..*--column"), ("a.txt", "", "is empty")],
)
def test_what_says_nothing_is_an_error(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        said_in(_file(tmp_path, name, text))


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    table = _file(tmp_path, "a.csv", "label,b\nx,y\n")
    with pytest.raises(InputError, match=r"no column 'word'. Found: b, label"):
        said_in(table, {"label": "word"})
    with pytest.raises(InputError, match="'label' and 'text'"):
        said_in(table, {"anchor": "word"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no word in it"):
        said_in(tmp_path / "empty")
