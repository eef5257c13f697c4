from __future__ import annotations

import csv
from pathlib import Path

import pytest

pytest.importorskip("panphon", reason="words need the extra 'words'")

from hardneg.cli.main import main
from hardneg.words import espeak


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str, int]:
    status = 0
    try:
        main(["confusable", *arguments])
    except SystemExit as stop:
        status = int(stop.code or 0)
    found = capsys.readouterr()
    return found.out, found.err, status


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_nearest_words_of_the_dictionary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _, status = run(capsys, "five", "hey computer", "-k", "6", "-o", str(tmp_path / "near.csv"))
    assert status == 0
    assert "faɪv" in out
    assert "fife" in out
    rows = _rows(tmp_path / "near.csv")
    assert [row["keyword"] for row in rows] == ["five"] * 6 + ["hey computer"] * 6
    assert all(0 <= float(row["within"]) <= float(row["distance"]) + 0.5 for row in rows)
    *_, status = run(capsys, "five", "-o", str(tmp_path / "near.csv"))
    assert status == 1
    assert run(capsys, "five", "-o", str(tmp_path / "near.csv"), "--overwrite")[2] == 0


def test_among_the_labels_of_real_keywords(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = data_dir / "speech_commands_mini" / "index.csv"
    out, _, status = run(capsys, "three", "--among", str(index), "--column", "label=word", "-k", "1")
    assert status == 0
    assert "tree" in out
    out, err, status = run(capsys, "three", "--among", str(index), "--column", "label=nope")
    assert (status, out) == (1, "")
    assert "no column 'nope'" in err


def test_among_transcripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "said.csv"
    table.write_text("text\nI bought a Lexus\nelection 日本\n", encoding="utf-8")
    out, err, _ = run(capsys, "alexa", "--among", str(table), "-k", "2")
    assert out.index("a lexus") < out.index("election")
    assert "contains it" in out
    assert "日本" in err
    assert "--lexicon" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("日本",), "how to pronounce '日本'"), (("five", "--among", "nowhere"), "no 'nowhere' to look among"),
     (("five", "--voices", "en"), "for --speak"), (("five", "--column", "label=x"), "for --among")],
)  # fmt: skip
def test_what_is_wrong_is_said(arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, err, status = run(capsys, *arguments)
    assert status == 1
    assert says in err


@pytest.mark.skipif(not espeak.is_there(), reason="espeak-ng is not installed")
def test_the_words_are_said_but_not_those_that_sound_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    words = tmp_path / "words.txt"
    words.write_text("too\ntooth\ntune\n")
    said = tmp_path / "said"
    _, err, status = run(
        capsys, "two", "--among", str(words), "--speak", str(said), "--voices", "en-us, en-gb"
    )  # fmt: skip
    assert status == 0, err
    assert {row["label"] for row in _rows(said / "words.csv")} == {"tooth", "tune"}
    assert {row["voice"] for row in _rows(said / "words.csv")} == {"en-us", "en-gb"}
    assert "never for a test" in err
    assert "too" in err


def test_without_espeak_it_is_said_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(espeak, "_place", lambda: None)
    _, err, status = run(capsys, "five", "--speak", str(tmp_path / "said"), "-k", "2")
    assert status == 1
    assert 'pip install "hardneg[speak]"' in err
    assert "install espeak-ng" in err
