from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.decisions import (
    ANSWERS,
    FILE,
    Decision,
    Reader,
    append,
    decisions_file,
    now,
    read_decisions,
    read_ledger,
    settled,
    undo,
)
from hardneg.errors import InputError, OptionError, StorageError


def decision(item: str = "d", answer: str = "negative", who: str = "ada", **more: object) -> Decision:
    return Decision("q", item, answer, who, now(), **more)  # type: ignore[arg-type]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / FILE
    said = [
        decision("a\nb", "positive", note='"\u2028</script>', score=0.25, rank=3, source="neighbors", verdict="keep"),
        Decision(7, 8, "ignore", "ben", now(), "k1", "k2", stratum="top", weight=12.5, reason="margin.close"),
    ]
    assert append(file, said[:1]) == [1]
    assert append(file, said[1:]) == [2]
    assert read_decisions(file) == said
    assert [one.line for one in read_decisions(file)] == [1, 2]


def test_no_file_is_no_decisions(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / FILE) == []
    assert decisions_file(tmp_path) == tmp_path / FILE
    assert decisions_file(tmp_path / "others.jsonl") == tmp_path / "others.jsonl"


def test_undone_decisions_are_left_out_and_stay_on_the_disk(tmp_path: Path) -> None:
    file = tmp_path / FILE
    append(file, [decision("a"), decision("b")])
    before = file.read_bytes()
    undo(file, 1, "ada")
    undo(file, 1, "ada")
    undo(file, 99, "ada")
    assert [one.item for one in read_decisions(file)] == ["b"]
    assert read_ledger(file).undone == 1
    assert file.read_bytes().startswith(before)


@pytest.mark.parametrize("keep", range(1, 12))
def test_a_torn_last_line_loses_only_itself(tmp_path: Path, keep: int) -> None:
    file = tmp_path / FILE
    append(file, [decision("a"), decision("b")])
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + second[:keep])
    assert [one.item for one in read_decisions(file)] == ["a"]
    assert read_ledger(file).torn == (2,)
    assert append(file, [decision("c")]) == [3]
    ledger = read_ledger(file)
    assert [(one.item, one.line) for one in ledger.decisions] == [("a", 1), ("c", 3)]
    assert ledger.torn == (2,)


def test_a_whole_line_without_its_end_counts(tmp_path: Path) -> None:
    file = tmp_path / FILE
    append(file, [decision("a")])
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    assert append(file, [decision("b")]) == [2]
    assert [one.item for one in read_decisions(file)] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "maybe"}, "must be one of negative, positive, ignore, skip"),
        ({"item": None}, "'item' is missing"),
        ({"score": "high"}, "'score' is 'high'"),
        ({"rank": True}, "'rank' is True"),
        ({"who": 3}, "'who' is 3"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = tmp_path / FILE
    append(file, [decision("a"), decision("b")])
    first, second = file.read_text().splitlines()
    file.write_text(f"{first}\n{json.dumps(json.loads(second) | change)}\n")
    with pytest.raises(InputError, match=message) as caught:
        read_decisions(file)
    assert "line 2" in str(caught.value)


def test_a_wrong_answer_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Got 'maybe'"):
        append(tmp_path / FILE, [decision(answer="maybe")])
    assert not (tmp_path / FILE).exists()


def test_a_place_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="A part of this path is a file"):
        append(tmp_path / "file" / FILE, [decision()])


WRITER = """
import sys
from hardneg.decisions import Decision, append, now
for number in range(40):
    lines = append(sys.argv[1], [Decision("q" * 3000, number, "negative", sys.argv[2], now())])
    print(*lines)
"""


def test_several_processes_write_at_once_and_know_their_lines(tmp_path: Path) -> None:
    file = tmp_path / FILE
    names = ["ada", "ben", "cid"]
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), who], stdout=subprocess.PIPE, text=True)
        for who in names
    ]
    said = [process.communicate()[0].split() for process in running]
    found = read_decisions(file)
    assert len(found) == 120
    for who, lines in zip(names, said, strict=True):
        assert [str(one.line) for one in found if one.who == who] == lines
        assert [one.item for one in found if one.who == who] == list(range(40))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(ANSWERS), st.sampled_from(["x", "y", "z"]))))
def test_settled_is_the_majority_of_last_answers(said: list[tuple[str, str, str]]) -> None:
    found = settled([decision(item, answer, who) for item, answer, who in said])
    assert {item for _, item in found} == {item for item, _, _ in said}
    for (_, item), one in found.items():
        last = {who: answer for it, answer, who in said if it == item}
        votes = Counter(answer for answer in last.values() if answer != "skip")
        assert one.votes == votes
        ranked = votes.most_common()
        tie = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
        assert one.disputed == tie
        assert one.answer == (ranked[0][0] if ranked and not tie else None)


def test_a_pair_of_the_drawn_sample_keeps_its_weight() -> None:
    said = [decision(stratum="top", weight=4.0), decision(answer="positive"), decision("e")]
    found = settled(said)
    assert found["q", "d"].answer == "positive"
    assert (found["q", "d"].stratum, found["q", "d"].weight) == ("top", 4.0)
    assert found["q", "e"].weight is None


def test_a_reader_sees_what_others_add_and_a_wrong_line_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / FILE
    reader = Reader(file)
    assert not reader.refresh()
    append(file, [decision("a")])
    assert reader.refresh()
    assert not reader.refresh()
    with file.open("ab") as torn:
        torn.write(b'{"anchor": "q", "item": "b"')
    assert not reader.refresh()
    append(file, [decision("c")])
    assert reader.refresh()
    assert reader.ledger == read_ledger(file)
    assert (reader.ledger.torn, reader.lines) == ((2,), 3)
    with file.open("ab") as wrong:
        wrong.write(b'{"anchor": "q"}\n')
    for _ in range(2):
        with pytest.raises(InputError, match="line 4"):
            reader.refresh()
