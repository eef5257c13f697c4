"""Detectors judged on the same images: figures with intervals, mistakes, and what becomes of each box that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardneg.detect import (
    OVERLAPS,
    Detections,
    Evaluation,
    Kind,
    Matches,
    Mistakes,
    Outcomes,
    Spread,
    Truth,
    ap50_without,
    evaluate,
    matched,
    mistakes,
    outcomes,
    spread,
)
from hardneg.errors import InputError
from hardneg.io.found import Scenes
from hardneg.progress import Progress, Silent
from hardneg.ragged import BoolArray

__all__ = ["WRONG", "InCategory", "Judged", "Verdict", "Verdicts", "judge", "names_of_results", "seen"]

WRONG = (Kind.BACKGROUND, Kind.CONFUSION, Kind.LOCALISATION, Kind.BOTH, Kind.DUPLICATE)
"""The kinds of mistakes, in the order in which they are shown: first those that are negatives."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One detector on one data set.

    Args:
        name: what it is called.
        truth: what is there.
        found: what it found.
        matches: which find found which box, at an overlap of 0.5.
        mistakes: what kind each find is.
        images: how many were looked at.
        categories: how many there are.
    """

    name: str
    truth: Truth
    found: Detections
    matches: Matches
    mistakes: Mistakes
    images: int
    categories: int

    @cached_property
    def together(self) -> Outcomes:
        """The finds of all categories together, at an overlap of 0.5."""
        return self.left(np.zeros(len(self.found), bool))

    @cached_property
    def missed(self) -> BoolArray:
        """Which boxes count and were not found, shape ``(boxes,)``."""
        return np.asarray((self.matches.found < 0) & ~self.truth.uncounted)

    @cached_property
    def ap50(self) -> float:
        """The mean AP50."""
        return self.ap50_without(np.zeros(len(self.found), bool))

    @cached_property
    def without(self) -> Mapping[Kind, float]:
        """The mean AP50 without the finds of each kind of mistake."""
        return {kind: self.ap50_without(self.mistakes.kind == kind) for kind in WRONG}

    def count(self, kind: Kind) -> int:
        """How many finds are of a kind."""
        return int((self.mistakes.kind == kind).sum())

    def ap50_without(self, gone: BoolArray) -> float:
        """The mean AP50 without some finds; see :func:`hardneg.detect.ap50_without`."""
        return ap50_without(self.truth, self.found, self.matches, gone, images=self.images, categories=self.categories)

    def left(self, gone: BoolArray) -> Outcomes:
        """The finds of all categories together without some of them, at an overlap of 0.5."""
        return outcomes(self.truth, self.found, self.matches, self.images, gone=gone)


@dataclass(frozen=True, eq=False)
class Verdict:
    """A detector with its figures; ``spread`` has those of draws of images, None where none were asked for."""

    judged: Judged
    evaluation: Evaluation
    spread: Spread | None = None

    @property
    def name(self) -> str:
        """What the detector is called."""
        return self.judged.name


class InCategory(NamedTuple):
    """The first detector's figures in one category, in the order of MEASURES, and what it gains on the second."""

    name: str
    boxes: int
    figures: NDArray[np.float64]
    gains: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What was judged and on what data: first the detector in question, then the one that it is compared with."""

    scenes: Scenes
    detectors: tuple[Verdict, ...]
    seed: int
    draws: int

    @property
    def difference(self) -> Spread | None:
        """The first detector's figures less the second's, draw by draw; None where there are not two."""
        first, *others = [one.spread for one in self.detectors]
        return None if first is None or not others or others[0] is None else first.less(others[0])

    def by_category(self) -> list[InCategory]:
        """The figures of each category of which a box counts, those with most boxes first."""
        first, *others = [one.evaluation.figures() for one in self.detectors]
        boxes = [len(one[0].box_image) for one in self.detectors[0].evaluation.found]
        return [
            InCategory(name, boxes[row], first[row], first[row] - others[0][row] if others else None)
            for row, name in sorted(enumerate(self.scenes.categories), key=lambda one: -boxes[one[0]])
            if boxes[row]
        ]


def seen(scenes: Scenes, name: str, number: int = 0) -> Judged:
    """One of the detectors, its finds matched and named at an overlap of 0.5."""
    found = scenes.found[number]
    matches = matched(scenes.truth, found)
    kinds = mistakes(scenes.truth, found, matches)
    return Judged(name, scenes.truth, found, matches, kinds, len(scenes.images), len(scenes.categories))


def judge(
    scenes: Scenes, names: Sequence[str], *, draws: int = 1000, seed: int = 0, progress: Progress | None = None
) -> Verdicts:
    """Judge what each detector found.

    Args:
        scenes: the data set, with the finds of each detector.
        names: of the detectors.
        draws: how often images are drawn for intervals; 0 for none.
        seed: draws the images.
        progress: told how far the work is.

    Raises InputError where no box counts, as there is nothing to find.
    """
    if not (~scenes.truth.uncounted).any():
        raise InputError("No box counts: there is nothing to find.", remedy="Give data in which something is labelled.")
    progress, made = progress or Silent(), []
    for number, name in enumerate(names):
        with progress.stage(f"Match {name}", len(OVERLAPS), "overlaps") as report:
            images, categories = len(scenes.images), len(scenes.categories)
            judged = evaluate(scenes.truth, scenes.found[number], images=images, categories=categories, report=report)
        drawn = None
        if draws and images > 1:
            with progress.stage(f"Draw images for {name}", draws, "draws") as report:
                drawn = spread(judged, draws=draws, seed=seed, report=report)
        made.append(Verdict(seen(scenes, name, number), judged, drawn))
    return Verdicts(scenes, tuple(made), seed, draws)


def names_of_results(results: Sequence[Path]) -> list[str]:
    """A name for each file or folder of results: its own, with as much of its folders as tells them apart.

    >>> names_of_results([Path("one/found.json"), Path("two/found.json")])
    ['one/found.json', 'two/found.json']
    """
    whole = [one.resolve() for one in results]
    for depth in range(1, max(len(one.parts) for one in whole) + 1):
        names = ["/".join(one.parts[-depth:]) for one in whole]
        if len(set(names)) == len(set(whole)):
            return names
    return [str(one) for one in whole]
