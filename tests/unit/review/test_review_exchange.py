from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.unit.report.conftest import build

from hardneg.cli.main import cli
from hardneg.decisions import ANSWERS, FILE, Decision, append, read_decisions
from hardneg.errors import InputError, OptionError
from hardneg.io.writers import export
from hardneg.review.desk import Desk
from hardneg.review.exchange import export_answers, import_answers


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.of(build(tmp_path / "run", hostile=True))


def decided(desk: Desk) -> list[Decision]:
    said = [
        desk.decision(row, answer, who, ("score-1", 12.5) if row == 2 else None, "=1+1" if row == 1 else None)
        for who in ("ada", "@ben")
        for row, answer in enumerate(ANSWERS)
    ]
    append(desk.run.path / FILE, said)
    return said


def test_a_table_comes_back_as_it_went(desk: Desk, tmp_path: Path) -> None:
    said = decided(desk)
    assert export_answers(desk, tmp_path / "out.csv") == 8
    (desk.run.path / FILE).unlink()
    assert import_answers(desk, tmp_path / "out.csv", "nobody") == {"added": 8}
    assert read_decisions(desk.run.path / FILE) == said
    assert import_answers(desk, tmp_path / "out.csv", "nobody") == {"added": 0, "already there": 8}


def test_no_cell_is_a_formula(desk: Desk, tmp_path: Path) -> None:
    decided(desk)
    export_answers(desk, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [(name, cell) for row in csv.DictReader(file) for name, cell in row.items()]
    assert not [cell for name, cell in cells if cell[:1] in "=+-@" and cell and name != "score"]


def test_label_studio_comes_back_as_it_went(desk: Desk, tmp_path: Path) -> None:
    said = decided(desk)
    export_answers(desk, tmp_path / "out.json")
    tasks = json.loads((tmp_path / "out.json").read_text())
    assert len(tasks) == 4
    assert [len(one["annotations"]) for one in tasks] == [2] * 4
    (desk.run.path / FILE).unlink()
    import_answers(desk, tmp_path / "out.json", "nobody")
    found = read_decisions(desk.run.path / FILE)
    assert sorted((one.anchor, one.item, one.answer, one.who, one.when) for one in found) == sorted(
        (one.anchor, one.item, one.answer, one.who, one.when) for one in said
    )


def test_the_project_that_an_export_sets_up_comes_back(desk: Desk, tmp_path: Path) -> None:
    """What Label Studio makes of the exported tasks: ids of annotators, its own times, one task skipped."""
    export(desk.run, "label-studio", tmp_path / "ls")
    tasks = json.loads((tmp_path / "ls" / "tasks.json").read_text())[:3]
    choices = ["positive", "unsure"]
    made = []
    for at, task in enumerate(tasks):
        value = {"from_name": "relation", "to_name": "item", "type": "choices"}
        result = [] if at == 2 else [{**value, "value": {"choices": [choices[at]]}}]
        about = {"id": at, "completed_by": 1, "created_at": "2026-11-26T06:00:00.123456Z", "was_cancelled": at == 2}
        made.append({"id": at, "data": task["data"], "annotations": [{**about, "result": result}]})
    (tmp_path / "made.json").write_text(json.dumps(made))
    assert import_answers(desk, tmp_path / "made.json", "nobody") == {"added": 3}
    found = read_decisions(desk.run.path / FILE)
    assert [(one.answer, one.who) for one in found] == [("positive", "1"), ("ignore", "1"), ("skip", "1")]
    assert all(one.item_content for one in found)
    small = [{**task["data"], "relation": "negative", "annotator": 2, "created_at": "x"} for task in tasks]
    (tmp_path / "min.json").write_text(json.dumps(small))
    assert import_answers(desk, tmp_path / "min.json", "nobody") == {"added": 3}


def test_the_audits_sheet_is_a_table_too(desk: Desk, tmp_path: Path) -> None:
    one = desk.decision(0, "negative", "ada")
    assert one.model == desk.run.manifest["encoder"]
    text = (
        f'\ufeffnumber;anchor;item;answer;weight\n1;"{one.anchor}";"{one.item}";Positive;2\n2;a;b;;\n3;a;b;negative;1\n'
    )
    (tmp_path / "sheet.csv").write_text(text)
    assert import_answers(desk, tmp_path / "sheet.csv", "ada") == {"added": 1, "on pairs that are no candidates": 1}
    assert import_answers(desk, tmp_path / "sheet.csv", "ada")["already there"] == 1
    assert read_decisions(desk.run.path / FILE)[0].weight == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "anchor,item\nq,d\n", "'answer' is missing"),
        ("a.csv", "anchor,item,answer\nq,d,yes\n", "line 2.*Got 'yes'"),
        ("a.csv", "anchor,item,answer,weight\nq,d,skip,much\n", "'much' is no number"),
        ("a.json", "{", "no JSON"),
        ("a.json", "{}", "no list of tasks"),
        ("a.json", '[{"data": {"anchor": "q"}}]', "Task 1 has no"),
        ("a.json", '[{"anchor": "q", "item": "d", "relation": "yes"}]', "answer 'yes'"),
    ],
)
def test_what_is_wrong_is_told(desk: Desk, tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        import_answers(desk, tmp_path / name, "ada")
    assert not (desk.run.path / FILE).exists()
    with pytest.raises(OptionError, match=r"csv or \.json"):
        export_answers(desk, tmp_path / "out.txt")


def test_the_command(desk: Desk, tmp_path: Path) -> None:
    decided(desk)
    with (desk.run.path / FILE).open("ab") as file:
        file.write(b'{"anchor": "q1", "it\n')
    run = str(desk.run.path)
    made = CliRunner().invoke(cli, ["review", run, "--export", str(tmp_path / "out.csv")])
    assert made.exit_code == 0, made.output
    assert "Line 9 of" in made.output
    assert "Wrote 8 answers" in made.output
    read = CliRunner().invoke(cli, ["review", run, "--import", str(tmp_path / "out.csv")])
    assert "0 added, 8 already there" in read.output
    with (desk.run.path / FILE).open("ab") as file:
        file.write(b'{"anchor": "q1"}\n')
    wrong = CliRunner().invoke(cli, ["review", run, "--no-browser"])
    assert "line 10: The field 'item' is missing" in str(wrong.exception)
