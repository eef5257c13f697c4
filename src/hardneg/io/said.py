"""What a data set says: its labels and the words of its texts. No sound and no picture is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._labelled_names import LABELLED_ROLES, SPLITS
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import Record, Rows, carrier_of, open_rows

__all__ = ["Said", "said_in"]

_NAMES = {
    "label": (*LABELLED_ROLES["label"], "word", "keyword", "command", "phrase"),
    "text": (*LABELLED_ROLES["text"], "transcript", "transcription"),
}


@dataclass(frozen=True)
class Said:
    """The different labels and the texts of a data set, each once, in order."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]


def said_in(path: Path, columns: Mapping[str, str] | None = None) -> Said:
    """What is said in a table, a folder with a folder for each word, or a list of words, one a line.

    Args:
        path: CSV, TSV, JSON lines or Parquet with a column of labels or of texts, or a plain text file of words. Of a
            folder, the names of the folders that hold files are the labels, without ``_background_noise_`` and such.
        columns: the user's own names of the columns ``label`` and ``text``.

    Raises InputError for what holds neither.
    """
    chosen = dict(columns or {})
    if any(role not in _NAMES for role in chosen):
        raise InputError(f"The columns are 'label' and 'text'. Got {', '.join(chosen)}.")
    carrier = carrier_of(path)
    if carrier is not None:
        return _of_table(open_rows(path, carrier=carrier), chosen)
    labels = _folders(path) if path.is_dir() else _lines(path)
    if not labels:
        raise InputError("There is no word in it.", path=path, remedy="Give a table, a list or a folder for each word.")
    return Said(tuple(dict.fromkeys(labels)), ())


def _of_table(rows: Rows, chosen: Mapping[str, str]) -> Said:
    found: dict[str, dict[str, None]] = {"label": {}, "text": {}}
    seen: set[str] = set()
    roles: set[str] = set()
    for _, record in rows:
        seen |= record.keys()
        for role, values in found.items():
            name = chosen.get(role) or next((one for one in record if normal(one) in _NAMES[role]), None)
            if name in record:
                roles.add(role)
                values.update(dict.fromkeys(_values(record, name)))
    if missing := [name for role, name in chosen.items() if role not in roles]:
        raise InputError(f"There is no column '{missing[0]}'. Found: {', '.join(sorted(seen))}.", path=rows.path)
    if not roles:
        raise InputError(
            f"There is neither a label nor a text in it. Found: {', '.join(sorted(seen)) or 'nothing'}.",
            path=rows.path, remedy="Say where they are with --column label=NAME or --column text=NAME.",
        )  # fmt: skip
    return Said(tuple(found["label"]), tuple(found["text"]))


def _values(record: Record, name: str) -> Iterator[str]:
    value = record[name]
    for one in value if isinstance(value, list) else [value]:
        if one is not None and str(one).strip():
            yield str(one).strip()


def _folders(path: Path) -> list[str]:
    """The names of the folders below that hold files, hidden ones and those of noise left out."""
    holding = sorted({file.parent for file in path.rglob("*") if file.is_file() and file.parent != path})
    names = [one.name for one in holding if not one.name.startswith((".", "_"))]
    return [name for name in names if normal(name) not in SPLITS]


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError("It is neither a table nor UTF-8 text.", path=path) from None
