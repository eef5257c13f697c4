"""What a listening wrote, opened again: scores and what was known, so that other thresholds can be tried."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.errors import InputError
from hardneg.listening.detectors import Scored
from hardneg.listening.hearing import Hearing
from hardneg.listening.place import SUMMARY
from hardneg.listening.truth import Truth
from hardneg.storage import read_table, write_table

__all__ = ["Known", "Listened", "keep_truth", "opened"]

_TRUTH = "occurrences.parquet"
_SCHEMA = pa.schema({"audio": pa.string(), "start": pa.float64(), "end": pa.float64(), "label": pa.string()})


@dataclass(frozen=True, eq=False)
class Known:
    """A known recording: its name and length, the file of its scores ``(windows, keywords)``."""

    name: str
    seconds: float
    file: Path

    def scores(self) -> Scored:
        """Read from the disk as they are used. Raises InputError where they cannot be."""
        try:
            found: Scored = np.load(self.file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError("The scores cannot be read.", path=self.file, remedy="Listen again.") from error
        return found


@dataclass(frozen=True, eq=False)
class Listened:
    """A finished listening: how was listened, for what, the known recordings, and the file of what is in them."""

    hearing: Hearing
    keywords: tuple[str, ...]
    known: tuple[Known, ...]
    occurrences: Path


def opened(folder: Path) -> Listened:
    """The known recordings of a folder that ``hardneg listen`` wrote.

    Raises InputError where it is none, or keeps no scores (they were given) or not what was known, or names a file
    outside of it.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        hearing = Hearing(**{one.name: summary[one.name] for one in fields(Hearing)})
        keywords = tuple(summary["keywords"])
        rows = [one for one in read_table(folder / "recordings.parquet").to_pylist() if one["known"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("This is no folder of hardneg listen.", path=folder, remedy="Name what it wrote.") from error
    if not (folder / _TRUTH).is_file():
        raise InputError(f"'{folder}' does not keep where the keywords are.", remedy="Listen again, with --truth.")
    if any(one["scores"] is None for one in rows):
        raise InputError(f"'{folder}' keeps no scores: they were given to it.", remedy="Listen with the --detector.")
    known = tuple(Known(one["recording"], one["seconds"], folder / one["scores"]) for one in rows)
    for one in known:
        if not one.file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"The scores of '{one.name}' lie outside '{folder}'.", remedy="Listen again.")
    return Listened(hearing, keywords, known, folder / _TRUTH)


def keep_truth(truth: Truth, recordings: Iterable[str], folder: Path) -> None:
    """Write where keywords and other words are in these recordings, in the form that is read as ``--truth``.

    Nothing is written where none is known.
    """
    rows = []
    for name in recordings:
        if truth.knows(name):
            here = [{"audio": name, "start": one.start, "end": one.end, "label": one.keyword} for one in truth.of[name]]
            rows += here or [{"audio": name, "start": None, "end": None, "label": None}]
    if rows:
        write_table(pa.Table.from_pylist(rows, _SCHEMA), folder / _TRUTH)
