"""Judgement files: with or without a header, with or without a split, BEIR or TREC, on any carrier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._columns import Columns
from hardneg.io.readers._delimited import first_line
from hardneg.io.readers._judgements import GradeReader, Judgements
from hardneg.io.readers._names import QREL_ROLES, normal
from hardneg.io.readers._rows import Rows, carrier_of, open_rows

__all__ = ["read_qrels"]

_BEIR = ("query-id", "corpus-id", "score")
_TREC = ("query-id", "iteration", "corpus-id", "score")


def read_qrels(path: Path, options: ReadOptions, seen: set[str]) -> tuple[Rows, Any]:
    """Read all judgements of one file: its rows and the table of :class:`Judgements`.

    Without a column for the grade, each judgement says positive.

    Raises InputError for missing columns, missing ids, or text grades that ``options.grades`` does not name.
    """
    rows = _opened(path, options)
    columns = Columns(QREL_ROLES, rows, options, seen)
    judgements, grade_of = Judgements(rows), GradeReader(options.grades)
    for number, record in rows:
        columns.need(number, record, "anchor_id", "item_id")
        found = columns(record)
        grade = grade_of(record[found["grade"][0]]) if "grade" in found else float("inf")
        split = str(record[found["split"][0]]) if "split" in found else ""
        judgements.add(number, record[found["anchor_id"][0]], record[found["item_id"][0]], grade, split)
    grade_of.check(rows)
    return rows, judgements.finish()


def _opened(path: Path, options: ReadOptions) -> Rows:
    carrier = carrier_of(path)
    if carrier in ("jsonl", "parquet"):
        return open_rows(path, carrier=carrier)
    line = first_line(path)
    separator = next((one for one in "\t,;" if one in line), None)
    if separator is None:
        carrier = "table"
    fields = line.split(separator)
    names = {normal(one.strip('" ')) for one in fields}
    known = {name for role in ("anchor_id", "item_id") for name in QREL_ROLES[role]}
    if names & (known | {normal(one) for one in options.columns.values()}):
        return open_rows(path, carrier=carrier)
    header = {3: _BEIR, 4: _TREC, 2: _BEIR[:2]}.get(len(fields))
    if header is None or (len(fields) > 2 and not _is_grade(fields[-1], options)):
        raise InputError(
            f"The columns are not recognised: {line[:100]!r}.",
            path=path,
            line=1,
            remedy="Begin with the header 'query-id', 'corpus-id', 'score', or give the four columns of TREC.",
        )
    return open_rows(path, carrier=carrier, header=header)


def _is_grade(text: str, options: ReadOptions) -> bool:
    try:
        float(text)
    except ValueError:
        return text in options.grades
    return True
