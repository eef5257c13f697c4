"""The table of crops, and the rows of the pictures that they come from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hardneg.collection import Collection
from hardneg.cropping._places import crop_file
from hardneg.cropping._rules import Finding
from hardneg.storage import place as new_file

__all__ = ["picture_rows", "write_crops"]

_MADE_BY_READING = ("path", "image", "width", "height", "content")
_BEFORE = ("path", "label", "source")
_AFTER = ("face_left", "face_top", "face_width", "face_height", "face_score", "faces")


def picture_rows(items: Collection) -> list[dict[str, Any]]:
    """For each picture its label, its ``source`` (the path, or the id where it is bytes) and the user's own columns.

    An id that is the path itself is left out; a column that is called like one of the table of crops gets a ``_``.
    """
    table = items.table
    source = table.column("path" if "path" in table.column_names else "id").to_pylist()
    ids = [] if table.column("id").to_pylist() == source else ["id"]
    further = [name for name in table.column_names if name not in ("id", "label", *_MADE_BY_READING)]
    names = {name: f"{name}_" if name in (*_BEFORE, *_AFTER) else name for name in (*ids, *further)}
    columns = {"label": table.column("label").to_pylist(), "source": source}
    columns |= {to: table.column(name).to_pylist() for name, to in names.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def write_crops(
    file: Path, rows: Sequence[Mapping[str, Any]], places: Sequence[str], findings: Sequence[Finding]
) -> int:
    """Write a line for each crop; return how many there are. Further faces of a picture have its id with a number."""
    names = ["path", *rows[0], *_AFTER]
    text, count = io.StringIO(newline=""), 0
    lines = csv.DictWriter(text, names, lineterminator="\n")
    lines.writeheader()
    with new_file(file) as written:
        for line in _lines(rows, places, findings):
            lines.writerow(line)
            count += 1
        written.write(text.getvalue().encode())
    return count


def _lines(
    rows: Sequence[Mapping[str, Any]], places: Sequence[str], findings: Sequence[Finding]
) -> Iterator[dict[str, Any]]:
    for row, place, finding in zip(rows, places, findings, strict=True):
        for number, cut in enumerate(finding.cuts):
            told = {name: _cell(value) for name, value in row.items()}
            if "id" in told and number:
                told["id"] = f"{told['id']}~{number + 1}"
            yield {
                "path": crop_file(place, number),
                **told,
                **dict(zip(_AFTER, (*cut[:5], finding.faces), strict=True)),
            }


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else value
