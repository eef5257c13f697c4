"""Sounds looked at while they are read: each file is decoded once, however many rows name parts of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.io.readers._example import Place, Where
from hardneg.io.reading import Skips
from hardneg.mediafiles import Source, examine_each
from hardneg.sounds import BrokenSound, Clip, Heard, examine_parts

__all__ = ["heard", "note_rates"]

_ROUNDED = 0.01  # seconds; an end that was rounded to hundredths may lie this far after that of its sound
_CLIPPED, _SILENT = 0.01, 0.95
_FILES = 4096  # looked at before what was found becomes Arrow columns


class _File(NamedTuple):
    """One sound and the rows that name parts of it."""

    source: Source
    rows: list[int]
    times: list[tuple[float | None, float | None]]


def heard(table: Any, root: Path | None, places: Sequence[Place], skips: Skips, notes: Skips) -> Any:
    """The rows whose sound can be used, in their order, with the columns ``_key``, ``seconds``, ``rate``, ``content``.

    In the column ``audio`` are paths relative to ``root``, or bytes where there is none; in ``start`` and ``end``
    seconds, which make a row a part of its sound. What is broken is a counted skip, what is odd is noted. An end that
    is rounded to after that of the sound becomes the sound's.
    """
    where = Where(table, places)
    slices = _in_slices(_files(table, root))
    found = pa.concat_tables([_columns(list(_usable(files, where, skips, notes))) for files in slices]).sort_by("row")
    taken = [one for one in found.column_names if one in table.column_names]
    table = table.take(found.column("row")).drop_columns(taken)
    for name in found.column_names[1:]:
        table = table.append_column(name, found.column(name))
    return table


def _usable(files: Sequence[_File], where: Where, skips: Skips, notes: Skips) -> Iterator[tuple[int, Clip, Heard]]:
    """The rows with their parts as they are used; the others are counted."""
    for file, found in zip(files, examine_each(files, _examined, BrokenSound), strict=True):
        parts = [found] * len(file.rows) if isinstance(found, BrokenSound) else found
        for row, (_, end), one in zip(file.rows, file.times, parts, strict=True):
            if isinstance(one, BrokenSound):
                skips.add(one.reason, where(row))
                continue
            _note(one[1], row, where, notes)
            if one[0].end != end:
                notes.add("end_rounded_to_that_of_the_sound", where(row))
            yield row, *one


def note_rates(rates: Any, where: Where, notes: Skips) -> None:
    """Note the sounds whose rate is not that of most of them, counted by rate."""
    counts = Counter(rates.to_pylist())
    most, _ = counts.most_common(1)[0]
    for rate in sorted(set(counts) - {most}):
        rows = np.flatnonzero(pc.equal(rates, rate).to_numpy(zero_copy_only=False))
        notes.add_rows(f"rate_of_{rate}_hz_beside_{most}", rows, where)


def _files(table: Any, root: Path | None) -> Iterator[_File]:
    """Each file once, in the order of its first row; bytes are one file a row."""
    times = list(zip(table.column("start").to_pylist(), table.column("end").to_pylist(), strict=True))
    if root is None:
        for row, source in enumerate(table.column("audio")):
            yield _File(source.as_py(), [row], [times[row]])
        return
    codes = table.column("audio").combine_chunks().dictionary_encode()
    numbers = codes.indices.to_numpy()
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=len(codes.dictionary)))
    for number, (name, end) in enumerate(zip(codes.dictionary, ends.tolist(), strict=True)):
        rows = order[ends[number - 1] if number else 0 : end].tolist()
        path = os.path.join(root, name.as_py())  # noqa: PTH118
        yield _File(path, rows, [times[row] for row in rows])


def _in_slices(files: Iterator[_File]) -> Iterator[list[_File]]:
    while some := [one for _, one in zip(range(_FILES), files, strict=False)]:
        yield some


def _examined(file: _File) -> list[tuple[Clip, Heard] | BrokenSound]:
    return examine_parts(file.source, file.times, slack=_ROUNDED)


def _note(found: Heard, row: int, where: Where, notes: Skips) -> None:
    odd = {
        "clipped": found.clipped > _CLIPPED,
        "silent_throughout": found.silent > _SILENT,
        "several_channels_mean_used": found.channels > 1,
        "suffix_of_another_format": not found.suffix_fits,
    }
    for reason, is_so in odd.items():
        if is_so:
            notes.add(reason, where(row))


def _columns(kept: Sequence[tuple[int, Clip, Heard]]) -> Any:
    return pa.table(
        {
            "row": pa.array([row for row, _, _ in kept], pa.int64()),
            "end": pa.array([clip.end for _, clip, _ in kept], pa.float64()),
            "_key": pa.array([found.content for _, _, found in kept], pa.binary()),
            "seconds": pa.array([found.seconds for _, _, found in kept], pa.float64()),
            "rate": pa.array([found.rate for _, _, found in kept], pa.int32()),
            "content": pa.array([found.content.hex() for _, _, found in kept], pa.string()),
        }
    )
