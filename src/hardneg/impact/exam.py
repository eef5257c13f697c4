"""What an examination is: one scorer's answers as arrays, and figures of them for any weights of the subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.lesson import Scorer
from hardneg.ragged import IntArray

__all__ = ["Answers", "Exam", "Marking", "Measure"]

Answers = dict[str, NDArray[Any]]
Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A figure by name, whether more of it is better, and what it is."""

    name: str
    better: int  # 1 where more is better, -1 where less is
    words: str
    most: float = 1.0  # what it cannot be above; it is never below 0


class Marking(Protocol):
    """How answers to the questions of one part are marked. The first measure is the one that decides."""

    measures: tuple[Measure, ...]
    rows: IntArray  # the row of each unit (query, item)
    subjects: IntArray  # the number of the lot of each unit, from 0
    count: int  # how many lots there are
    draws: int  # how often subjects are drawn anew
    across: str  # of what the rates of curves are a share, or a number for each

    def figures(self, answers: Mapping[str, NDArray[Any]], weights: Figures | None = None) -> Figures:
        """One figure for each measure, with each unit counted so many times (once, if not given)."""
        ...

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:
        """The rates of false alarms at which curves are read, rising; none where nothing is accepted by a score."""
        ...

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:
        """The share found with no more false alarms than each rate, with each unit counted so many times."""
        ...


class Exam(Marking, Protocol):
    """Questions to one part of a task, and how they are marked."""

    def answers(self, scorer: Scorer) -> Answers:
        """What the scorer says, as arrays. ``unit`` is one mark for each unit, ``choice`` what came first for it."""
        ...

    def by_grade(self, answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """The share of right decisions on easy, semi-hard and hard negatives, as the frozen vectors grade them."""
        ...
