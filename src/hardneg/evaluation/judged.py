"""Detectors judged on the same images: figures with intervals, mistakes, and what becomes of each box that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hardneg.detect import (
    Detections,
    Evaluation,
    Kind,
    Mistakes,
    Outcomes,
    Spread,
    Truth,
    ap50_without,
    evaluate,
    mistakes,
    outcomes,
    spread,
)
from hardneg.errors import InputError
from hardneg.io.scenes import Scenes
from hardneg.progress import Progress, Silent
from hardneg.ragged import BoolArray

__all__ = ["WRONG", "Judged", "Verdicts", "judge", "names_of_results"]

WRONG = (Kind.BACKGROUND, Kind.CONFUSION, Kind.LOCALISATION, Kind.BOTH, Kind.DUPLICATE)
"""The kinds of mistakes, in the order in which they are shown: first those that are negatives."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One detector on one data set.

    Args:
        name: what it is called.
        truth: what is there.
        found: what it found.
        evaluation: its finds, judged.
        mistakes: what kind each find is.
        spread: its figures with those of draws of images; None where no draws were asked for.
    """

    name: str
    truth: Truth
    found: Detections
    evaluation: Evaluation
    mistakes: Mistakes
    spread: Spread | None = None

    @cached_property
    def missed(self) -> BoolArray:
        """Which boxes count and were not found, shape ``(boxes,)``."""
        return np.asarray((self.evaluation.matches.found < 0) & ~self.truth.uncounted)

    def count(self, kind: Kind) -> int:
        """How many finds are of a kind."""
        return int((self.mistakes.kind == kind).sum())

    def without(self, gone: BoolArray) -> float:
        """The mean AP50 without some finds; see :func:`hardneg.detect.ap50_without`."""
        judged = self.evaluation
        return ap50_without(
            self.truth, self.found, judged.matches, gone, images=judged.images, categories=len(judged.found)
        )

    def left(self, gone: BoolArray) -> Outcomes:
        """The finds of all categories together without some of them, at an overlap of 0.5."""
        return outcomes(self.truth, self.found, self.evaluation.matches, self.evaluation.images, gone=gone)


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What was judged, and the data set it was judged on: the detector in question first, then what it is compared with."""

    scenes: Scenes
    detectors: tuple[Judged, ...]
    seed: int
    draws: int

    @property
    def difference(self) -> Spread | None:
        """The first detector's figures less the second's, draw by draw; None where there are not two."""
        spreads = [one.spread for one in self.detectors]
        return None if len(spreads) != 2 or None in spreads else spreads[0].less(spreads[1])  # type: ignore[union-attr,arg-type]


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
    progress = progress or Silent()
    made = []
    for name, found in zip(names, scenes.found, strict=True):
        images, categories = len(scenes.images), len(scenes.categories)
        with progress.stage(f"Match {name}", 10, "overlaps") as report:
            judged = evaluate(scenes.truth, found, images=images, categories=categories, report=report)
        drawn = None
        if draws and images > 1:
            with progress.stage(f"Draw images for {name}", draws, "draws") as report:
                drawn = spread(judged, draws=draws, seed=seed, report=report)
        kinds = mistakes(scenes.truth, found, judged.matches)
        made.append(Judged(name, scenes.truth, found, judged, kinds, drawn))
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
