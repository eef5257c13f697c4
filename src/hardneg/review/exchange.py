"""Answers into a run's ledger and out of it: CSV, and Label Studio's JSON.

A table has a line for each answer and needs the columns ``anchor``, ``item`` and ``answer``; the others of a
:class:`hardneg.decisions.Decision` may be there. Of Label Studio both its JSON and its JSON-MIN are read, as made by
the project that ``hardneg export --format label-studio`` sets up: *unsure* is *ignore*, a skipped task is *skip*.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.collection import Collection
from hardneg.decisions import ANSWERS, FILE, Answer, Decision, append, now, read_decisions
from hardneg.errors import InputError, OptionError
from hardneg.io.sheets import harmless, read_sheet
from hardneg.report.facts import excerpt
from hardneg.review.desk import Desk
from hardneg.storage import place, write_json

__all__ = ["export_answers", "import_answers"]

_COLUMNS = (
    "anchor", "item", "answer", "who", "when", "score", "rank", "source", "verdict", "reason", "model", "stratum",
    "weight", "note", "anchor_text", "item_text",
)  # fmt: skip
_LS_ANSWERS: Mapping[str, Answer] = {"positive": "positive", "negative": "negative", "unsure": "ignore"}
_TEXT = 2000


def export_answers(desk: Desk, out: Path) -> int:
    """Write the answers that count to ``out``: ``.csv`` a table, ``.json`` tasks with annotations. Gives their number.

    Raises OptionError for another ending, StorageError where it cannot be written.
    """
    decisions = read_decisions(desk.run.path / FILE)
    texts = [_texts(things, ids) for things, ids in (
        (desk.run.anchors, [one.anchor for one in decisions]), (desk.run.items, [one.item for one in decisions])
    )]  # fmt: skip
    rows = [
        {**{name: getattr(one, name, None) for name in _COLUMNS}, "anchor_text": left, "item_text": right}
        for one, left, right in zip(decisions, *texts, strict=True)
    ]
    if out.suffix == ".csv":
        with place(out) as file:
            file.write(_table(rows).encode("utf-8-sig"))  # so that spreadsheets know what it is
    elif out.suffix == ".json":
        write_json(_tasks(rows), out)
    else:
        raise OptionError(f"Answers are written as .csv or .json (Label Studio). Got '{out.name}'.")
    return len(rows)


def import_answers(desk: Desk, source: Path, who: str) -> Counter[str]:
    """Add answers from a file to the run's ledger; gives how many were ``added``, and why others were not.

    ``who`` is the reviewer where the file names none. Importing the same file again adds nothing.

    Raises InputError for a file that cannot be used, with the line.
    """
    found = list(_from_json(source, who) if source.suffix == ".json" else _from_csv(source, who))
    counts = Counter[str](added=0)
    rows = desk.rows_of([one.anchor for one in found], [one.item for one in found])
    there = {_mark(one) for one in read_decisions(desk.run.path / FILE)}
    fresh = []
    for one, row in zip(found, rows.tolist(), strict=True):
        if row < 0:
            counts["on pairs that are no candidates"] += 1
            continue
        full = desk.decision(row, one.answer, one.who)
        full = replace(full, when=one.when, stratum=one.stratum, weight=one.weight, note=one.note)
        if _mark(full) in there:
            counts["already there"] += 1
            continue
        there.add(_mark(full))
        fresh.append(full)
        counts["added"] += 1
    append(desk.run.path / FILE, fresh)
    return counts


def _mark(one: Decision) -> tuple[str, ...]:
    return str(one.anchor), str(one.item), one.answer, one.who, one.when


def _texts(things: Collection, ids: list[Any]) -> list[str]:
    if not ids:
        return []
    rows = things.positions(ids)
    shown = iter(excerpt(things, rows[rows >= 0], _TEXT))
    return [(next(shown)[1] or "") if row >= 0 else "" for row in rows.tolist()]


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for row in rows:
        table.writerow(["" if row[name] is None else harmless(row[name]) for name in _COLUMNS])
    return out.getvalue()


def _from_csv(source: Path, who: str) -> Iterator[Decision]:
    begun = now()
    for line, row in read_sheet(source, "Name it in line 1."):
        if not row["answer"]:
            continue
        answer = row["answer"].lower()
        if answer not in ANSWERS:
            raise InputError(
                f"The answer must be one of {', '.join(ANSWERS)}. Got '{row['answer'][:40]}'.",
                path=source, line=line, remedy="Correct it, or leave the field empty.",
            )  # fmt: skip
        yield Decision(
            row["anchor"], row["item"], answer, row.get("who") or who, row.get("when") or _when(source, begun),
            stratum=row.get("stratum") or None, weight=_weight(row.get("weight"), source, line),
            note=row.get("note") or None,
        )  # fmt: skip


def _when(source: Path, otherwise: str) -> str:
    """When a file without times was made, so that the same file is known again."""
    try:
        seconds = np.datetime64(int(source.stat().st_mtime), "s")
    except OSError:
        return otherwise
    return f"{seconds}Z"


def _weight(text: str | None, source: Path, line: int) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"The weight '{text[:40]}' is no number.", path=source, line=line, remedy="Correct it."
        ) from None


# --- Label Studio -----------------------------------------------------------------------------------------------------


def _tasks(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A task for each pair, with an annotation for each reviewer's last answer."""
    tasks: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        data = {name: row[name] for name in ("anchor", "item", "anchor_text", "item_text", "score", "reason")}
        task = tasks.setdefault((str(row["anchor"]), str(row["item"])), {"data": data, "by": {}})
        task["by"][row["who"]] = _annotation(row)
    return [{"data": task["data"], "annotations": list(task["by"].values())} for task in tasks.values()]


def _annotation(row: Mapping[str, Any]) -> dict[str, Any]:
    choice = next((name for name, answer in _LS_ANSWERS.items() if answer == row["answer"]), None)
    value = {"from_name": "relation", "to_name": "item", "type": "choices", "value": {"choices": [choice]}}
    return {
        "completed_by": {"email": row["who"]}, "created_at": row["when"], "was_cancelled": choice is None,
        "result": [] if choice is None else [value],
    }  # fmt: skip


def _from_json(source: Path, who: str) -> Iterator[Decision]:
    remedy = "Export the project from Label Studio as JSON or JSON-MIN."
    try:
        tasks = json.loads(source.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"This is no JSON ({error}).", path=source, remedy=remedy) from error
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise InputError("This is no list of tasks.", path=source, remedy=remedy)
    for number, task in enumerate(tasks, 1):
        data = task.get("data", task)
        if not isinstance(data, dict) or not all(isinstance(data.get(name), (str, int)) for name in ("anchor", "item")):
            raise InputError(f"Task {number} has no 'anchor' and 'item'.", path=source, remedy=remedy)
        for answer, annotation in _annotated(task):
            if answer not in ANSWERS:
                raise InputError(f"Task {number} has the answer '{answer}'.", path=source, remedy=remedy)
            when = str(annotation.get("created_at") or now())
            yield Decision(data["anchor"], data["item"], answer, _person(annotation, who), when)


def _annotated(task: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The answers of a task, each with what is known of it."""
    if "relation" in task:  # JSON-MIN
        choice = str(task["relation"])
        yield _LS_ANSWERS.get(choice, choice), task
    for one in task.get("annotations") or ():
        if one.get("was_cancelled"):
            yield "skip", one
            continue
        for result in one.get("result") or ():
            if result.get("from_name") == "relation":
                choice = str((result.get("value", {}).get("choices") or [""])[0])
                yield _LS_ANSWERS.get(choice, choice), one


def _person(annotation: Mapping[str, Any], who: str) -> str:
    found = annotation.get("completed_by", annotation.get("annotator"))
    if isinstance(found, dict):
        found = found.get("email") or found.get("username") or found.get("id")
    return who if found is None else str(found)
