"""A detector's results on disk, some images at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import Detections
from hardneg.errors import InputError
from hardneg.io.readers._box_rows import Places, Usable, usable
from hardneg.io.readers._found import found_in
from hardneg.io.reading import Skips
from hardneg.scratch import Grouped

__all__ = ["GROUP", "Results", "no_results", "results_in"]

GROUP = 1024  # images looked at together
_HELD = 2**17  # rows held until they are put on disk


@dataclass(frozen=True, eq=False)
class Results:
    """What a detector found, by groups of ``GROUP`` images; ``count`` is how much in all, ``files`` where it was."""

    count: int
    files: Sequence[Path]
    rows: Grouped

    def groups(self) -> list[int]:
        """The groups in which something was found."""
        return self.rows.groups()

    def of(self, group: int) -> Detections:
        """What was found in a group, in the order of the file; its first image is number 0."""
        found = self.rows[group]
        image = found[:, 0].astype(np.int64) - group * GROUP
        return Detections(image, found[:, 1].astype(np.int64), found[:, 2:6].copy(), found[:, 6].copy())


def no_results() -> Results:
    """A detector that found nothing."""
    return Results(0, (), Grouped(7))


def results_in(place: Path, places: Places, least: float, skips: Skips, notes: Skips) -> Results:
    """Read a detector's results in any form; what cannot be used is counted.

    Raises InputError where none of them can be used, and for scores that are no probabilities.
    """
    before = sum(one.count for one in skips.list())
    boxes, files = found_in(place, places)
    kept, scores, count = Grouped(7), _Scores(place), 0
    for some in _together(usable(boxes, places, skips, notes, scored=True, least=least)):
        scores.look(some[:, 6])
        kept.add(some[:, 0].astype(np.int64) // GROUP, some)
        count += len(some)
    if not count and sum(one.count for one in skips.list()) == before:
        raise InputError(
            "None of the results can be used: there is none in it.",
            path=place,
            remedy="Did the detector find nothing? Try a lower score threshold.",
        )
    if not count:
        reasons = ", ".join(f"{one.count} {one.reason}" for one in skips.list())
        lost = sum(one.count for one in skips.list()) - before
        raise InputError(
            f"None of the results can be used with these images and categories ({lost} were read; left out in all: "
            f"{reasons or 'nothing'}).",
            path=place,
            remedy="Check that they belong to these data, and that each has a score.",
        )
    scores.check()
    return Results(count, files, kept)


def _together(blocks: Iterator[Usable]) -> Iterator[NDArray[np.float64]]:
    """The blocks as rows of seven numbers, many blocks at a time."""
    held: list[NDArray[np.float64]] = []
    for some in blocks:
        held.append(np.column_stack([some.image, some.category, some.box, some.score]))
        if sum(map(len, held)) >= _HELD:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


class _Scores:
    """Whether all scores are probabilities, and what they may be where they are not."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._rows, self._outside, self._above = 0, 0, 0
        self._low, self._high = np.inf, -np.inf
        self._first = ""

    def look(self, score: NDArray[np.float64]) -> None:
        """Look at some more of them."""
        outside = np.flatnonzero((score < 0) | (score > 1))
        if len(outside) and not self._outside:
            self._first = f"{score[outside[0]]:g} in place {self._rows + outside[0]}"
        self._rows, self._outside = self._rows + len(score), self._outside + len(outside)
        self._above += int((score > 1).sum())
        self._low, self._high = min(self._low, score.min(initial=np.inf)), max(self._high, score.max(initial=-np.inf))

    def check(self) -> None:
        """Raise InputError where some are none."""
        if not self._outside:
            return
        percent = self._low >= 0 and self._high <= 100 and 2 * self._above > self._rows
        raise InputError(
            f"The scores must be probabilities, in [0, 1]. {self._outside} of {self._rows} are not (first: "
            f"{self._first}).",
            path=self._place,
            remedy="These look like percentages: divide them by 100."
            if percent
            else "These look like logits: put them through the logistic function first.",
        )
