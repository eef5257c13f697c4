"""The pairs of Labeled Faces in the Wild (Huang et al., 2007; vis-www.cs.umass.edu/lfw/README.txt): pairs.txt."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._lists import first_lines, mostly
from hardneg.io.readers._trials import Trial, read_trials

__all__ = ["LFW"]


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return path.is_file() and _fits(first_lines(path))


def _fits(lines: list[str]) -> bool:
    """Whether the first line counts pairs, of one set or of several, and the others are some."""
    if len(lines) < 2:
        return False
    counts = lines[0].split()
    return len(counts) in (1, 2) and all(map(str.isdecimal, counts)) and mostly(lines[1:200], _pair)


def _pair(line: str) -> tuple[str, str, bool] | None:
    """The two files of a pair and whether they are of one person: ``name 1 2``, or ``name 1 other 2``."""
    fields = line.strip().split("\t") if "\t" in line else line.split()
    if len(fields) == 3:
        fields.insert(2, fields[0])
    if len(fields) != 4 or not (fields[1].isdecimal() and fields[3].isdecimal()):
        return None
    one, other = (f"{name}/{name}_{int(number):04d}" for name, number in (fields[:2], fields[2:]))
    return one, other, fields[0] == fields[2]


def _trials(path: Path) -> Iterator[Trial]:
    lines = (pair for pair in text_lines(path) if pair[1].strip())
    number, counts = next(lines, (1, ""))
    numbers = counts.split()
    if not (len(numbers) in (1, 2) and all(map(str.isdecimal, numbers))):
        raise InputError(
            "The first line must count the pairs.", path=path, line=number, remedy="As in: 10 300, for 10 sets of 300."
        )
    seen = 0
    for number, line in lines:
        seen += 1
        found = _pair(line)
        yield Trial(number, *found) if found is not None else Trial(number, "", "", None)
    sets, each = (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else (1, int(numbers[0]))
    if seen != 2 * sets * each:
        raise InputError(
            f"There are {seen:,} pairs, and the first line counts {2 * sets * each:,} ({sets} x 2 x {each}).",
            path=path,
            remedy="Get the file again; where pairs were removed on purpose, correct its first line.",
        )


LFW = Format("lfw", "pairs.txt of Labeled Faces in the Wild", _sniff, partial(read_trials, name="lfw", trials=_trials))
