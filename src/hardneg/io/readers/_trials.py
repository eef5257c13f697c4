"""Verification trials: two files and whether they are of one person. Enrolments are the anchors, tests the items."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import listed_ids, named_files
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._example import Example, Kind
from hardneg.io.readers._examples import Examples
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._labelled_names import is_picture, is_sound
from hardneg.io.readers._media import Media
from hardneg.io.readers._recordings import NotFound, Recordings
from hardneg.io.readers._vector_files import vector_files
from hardneg.io.readers.vectors import read_vectors
from hardneg.io.reading import Reading, Skips
from hardneg.matrix import Matrix
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray

__all__ = ["Trial", "read_trials"]

_NOT_HERE = (
    *("split", "exclude_split", "corpus", "columns", "grades", "ignore", "positive_from", "negative_to"),
    *("anchors", "positives", "unlabelled", "predictions", "agreeing", "frames", "held_out", "mine_evaluation"),
)


class Trial(NamedTuple):
    """One line: the enrolment, the test, and whether they are the same; None for a line that says none of it."""

    number: int
    enrolment: str
    test: str
    same: bool | None


def read_trials(
    path: Path, options: ReadOptions, skips: Skips, *, name: str, trials: Callable[[Path], Iterator[Trial]]
) -> Reading:
    """Read the trials of a list: same is positive, different a known negative.

    The files are below the media root, or beside the list. What is true of two files is so whichever of them is the
    enrolment. A trial of a file that cannot be used is a counted skip, and so is the file.

    Raises InputError where no trial can be used or none is of the same, OptionError for options of other formats.
    """
    _refuse_options(options)
    notes = Skips()
    judged = _Judged.read(path, trials, skips)
    files = _usable(path, judged.names, options, skips, notes)
    rows = files.positions(judged.names)
    judged = judged.usable(rows, skips)
    if not judged.same.any():
        raise _nothing_usable(path, judged, skips)
    positives = _related(files, rows[judged.enrolments], rows[judged.tests], judged.same)
    for ids in listed_ids(options.exclude_ids, positives.items, skips):
        positives = positives.barring(ids)
    return Reading(
        positives, name, skips.list(), _files(path, options),
        anchor_vectors=_vectors(options.anchor_vectors, positives.anchors, "anchor"),
        item_vectors=_vectors(options.item_vectors, positives.items, "item"),
        counts=_counts(positives, judged), notes=notes.list(),
    )  # fmt: skip


def _nothing_usable(path: Path, judged: _Judged, skips: Skips) -> InputError:
    reasons = ", ".join(f"{one.count} {one.reason}" for one in skips.list())
    said = f" ({reasons})" if reasons else ""
    if len(judged.same):
        return InputError(f"No trial is of the same{said}.", path=path, remedy="Anchors need a positive: add some.")
    remedy = "Say with --media-root in which folder the files are."
    return InputError(f"None of the {judged.total} trials can be used{said}.", path=path, remedy=remedy)


def _files(path: Path, options: ReadOptions) -> dict[str, Path]:
    listed = [Path(options.exclude_ids)] if options.exclude_ids is not None else []
    vectors = [vector_files(one) for one in (options.anchor_vectors, options.item_vectors) if one is not None]
    return named_files([path, *listed, *(one for some in vectors for one in some)])


def _vectors(file: Path | None, things: Collection, what: str) -> Matrix | None:
    return None if file is None else read_vectors(file, things, what)


def _counts(positives: Positives, judged: _Judged) -> dict[str, int]:
    return {
        "rows": judged.total, "anchors": len(positives.anchors), "items": len(positives.items),
        "positives": len(positives.positive.values), "known_negatives": len(positives.negative.values),
        "barred": int(positives.barred.sum()),
    }  # fmt: skip


def _refuse_options(options: ReadOptions) -> None:
    usual = ReadOptions()
    for name in _NOT_HERE:
        if getattr(options, name) != getattr(usual, name):
            raise OptionError(f"The option '{name}' is not for verification trials. Leave it out.")
    if (options.anchor_vectors is None) != (options.item_vectors is None):
        raise OptionError("The 'anchor_vectors' and 'item_vectors' go together: give both, or leave both out.")


@dataclass(frozen=True, eq=False)
class _Judged:
    """Trials as numbers: of names, of lines. ``total`` counts all lines."""

    path: Path
    names: list[str]
    enrolments: IntArray
    tests: IntArray
    same: BoolArray
    lines: IntArray
    total: int

    @classmethod
    def read(cls, path: Path, trials: Callable[[Path], Iterator[Trial]], skips: Skips) -> _Judged:
        codes: dict[str, int] = {}
        enrolments, tests, same, lines, total = array("q"), array("q"), array("b"), array("q"), 0
        for one in trials(path):
            total += 1
            if one.same is None or not (encodable(one.enrolment) and encodable(one.test)):
                skips.add("broken_line", f"{path.name}, line {one.number}")
                continue
            enrolments.append(codes.setdefault(one.enrolment, len(codes)))
            tests.append(codes.setdefault(one.test, len(codes)))
            same.append(one.same)
            lines.append(one.number)
        numbers = [np.array(some, np.int64) for some in (enrolments, tests, lines)]
        return cls(path, list(codes), numbers[0], numbers[1], np.array(same, bool), numbers[2], total)

    def usable(self, rows: IntArray, skips: Skips) -> _Judged:
        """The trials of two different files that can be used, each once; the others are counted.

        Two files that are called both the same and different are the same.
        """
        files = rows[self.enrolments], rows[self.tests]
        pair = np.minimum(*files) * (len(self.names) + 1) + np.maximum(*files)
        order = np.lexsort((np.arange(len(pair)), ~self.same, pair))  # of two judgements the better one is first
        again = np.zeros(len(pair), bool)
        again[order[1:]] = pair[order[1:]] == pair[order[:-1]]
        first = np.empty(len(pair), np.int64)
        first[order] = order[np.maximum.accumulate(np.where(again[order], 0, np.arange(len(order))))]
        known, apart = (files[0] >= 0) & (files[1] >= 0), files[0] != files[1]
        contradicts = known & apart & again & (self.same != self.same[first])
        repeats = known & apart & again & ~contradicts & (self.enrolments == self.enrolments[first])
        for reason, mask in (
            ("trial_of_an_unusable_file", ~known),
            ("trial_of_a_file_with_itself", known & ~apart),
            ("judged_same_and_different", contradicts),
            ("duplicate_row", repeats),
        ):
            skips.add_rows(reason, self.lines[mask], lambda line: f"{self.path.name}, line {line}")
        left = known & apart & ~repeats  # a contradiction still says who is enrolled and who is tested
        same = (self.same | contradicts)[left]
        enrolments, tests, lines = self.enrolments[left], self.tests[left], self.lines[left]
        return replace(self, enrolments=enrolments, tests=tests, same=same, lines=lines)


class _Names:
    """The files that trials name, as places."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def place(self, number: int) -> str:
        """The name of a file."""
        return self._names[number]


def _usable(path: Path, names: Sequence[str], options: ReadOptions, skips: Skips, notes: Skips) -> Collection:
    """The files that can be used, with the names that trials have for them as ids; all pictures, or all sounds."""
    base = options.media_root or path.parent
    recordings, media, place = Recordings(base, _is_media), Media(base), _Names(names)
    kind: Kind | None = None
    examples: Examples | None = None
    for number, name in enumerate(names):
        try:
            file = media.relative(recordings.find(name))
        except NotFound as reason:
            skips.add(str(reason), name)
            continue
        if file is None:
            skips.add("path_outside_folder", name)
            continue
        if examples is None:
            kind = "path" if is_picture(file) else "audio"
            examples = Examples(kind, base, skips, notes)
        if is_picture(file) != (kind == "path"):
            examples.skip(place, number, "no_picture" if kind == "path" else "no_sound")
        else:
            examples.add(place, Example(number, name, file))
    found = Collection.of([]) if examples is None else examples.finish().items
    return Collection(found.table.drop_columns(["label"]), found.root) if len(found) else Collection.of([])


def _is_media(name: str) -> bool:
    return is_picture(name) or is_sound(name)


def _related(files: Collection, enrolments: IntArray, tests: IntArray, same: BoolArray) -> Positives:
    """The relations, which hold from either side where a file is both enrolled and tested."""
    anchors, items = files.take(np.unique(enrolments)), files.take(np.unique(tests))
    both = np.isin(tests, enrolments) & np.isin(enrolments, tests)
    left, right = np.concatenate([enrolments, tests[both]]), np.concatenate([tests, enrolments[both]])
    ids = files.ids
    grades = np.concatenate([same, same[both]]).astype(np.float64)
    related = Positives.from_pairs(ids.take(left), ids.take(right), anchors=anchors, items=items, grades=grades)
    return related.with_own(items.positions(anchors.ids))
