"""Tables of what happens when: where keywords are in recordings, and what a detector said of each moment."""

from __future__ import annotations

import math
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._predicted import table_of
from hardneg.io.readers._rows import Record, Rows, open_rows
from hardneg.listening import Given, Hearing, Occurrence, Truth

__all__ = ["read_occurrences", "read_scores"]

_NAMES = {
    "audio": ("audio", "recording", "path", "file", "filename"),
    "start": ("start", "begin", "onset"),
    "end": ("end", "stop", "offset"),
    "label": ("label", "keyword", "word"),
}


def read_occurrences(path: Path) -> Truth:
    r"""A table ``audio, start, end, label``, a row for each occurrence of a keyword, in seconds.

    A recording that it names is known through and through; one in which there is no keyword has a row without times.
    CSV, TSV, JSON lines or Parquet.

    Raises InputError for a missing column, or times that are no numbers or do not rise.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "known.csv"
    >>> _ = file.write_text("audio,start,end,label\na.wav,1.0,1.5,yes\nb.wav,,,\n")
    >>> read_occurrences(file).of
    {'a.wav': [Occurrence(keyword='yes', start=1.0, end=1.5)], 'b.wav': []}
    """
    rows = open_rows(path)
    found: dict[str, list[Occurrence]] = {}
    for number, record in rows:
        audio = _text(record, _column(rows, number, record, "audio"))
        if audio is None:
            raise rows.error(number, "The name of the recording is missing.", "Name its file.")
        here = found.setdefault(audio, [])
        label = _text(record, _column(rows, number, record, "label"))
        start, end = (_seconds(rows, number, record, name) for name in ("start", "end"))
        if label is None and start is None and end is None:
            continue
        if label is None or start is None or end is None or not 0 <= start < end < math.inf:
            raise rows.error(
                number,
                f"It is no occurrence: from {start} to {end} s, label {label!r}.",
                "Give start, end and label, the end after the start; or none of them, where there is no keyword.",
            )
        here.append(Occurrence(label, start, end))
    if not found:
        raise InputError("There is no row in it.", path=path, remedy="Check that it is complete.")
    return Truth(found)


def read_scores(path: Path, hearing: Hearing, keywords: tuple[str, ...]) -> Given:
    """Scores from a folder of ``.npy`` files, from what an earlier listening wrote, or from a table.

    Raises InputError as :class:`hardneg.listening.Given`.
    """
    if path.is_dir():
        return Given.in_folder(path, keywords)
    return Given.in_table(table_of(path), hearing, keywords, path)


def _column(rows: Rows, number: int, record: Record, role: str) -> str:
    name = next((one for one in _NAMES[role] if one in record), None)
    if name is None:
        told = f"There is no column '{role}'. Found: {', '.join(record)}."
        raise rows.error(number, told, "It must have: audio, start, end, label.")
    return name


def _text(record: Record, name: str) -> str | None:
    value = record[name]
    return None if value is None or str(value).strip() == "" else str(value).strip()


def _seconds(rows: Rows, number: int, record: Record, role: str) -> float | None:
    text = _text(record, _column(rows, number, record, role))
    try:
        value = None if text is None else float(text)
    except ValueError:
        raise rows.error(number, f"The '{role}' must be seconds. Got {text!r}.") from None
    return None if value is None or math.isnan(value) else value
