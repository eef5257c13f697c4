"""Recall against false accepts an hour at every threshold, of a detector before and after, with bands.

At each threshold all events are found anew by the rule that was listened with, so the curve is what a user would get
who set that threshold. Recordings are drawn anew for the bands: false accepts of one come in bunches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil, floor, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.exam import Answers, Figures
from hardneg.impact.operating import Operating, decades, operating_of
from hardneg.progress import Progress
from hardneg.ragged import IntArray
from hardneg.verify import EventRule, events_of, matched, thresholds_near

__all__ = ["AFTER", "BEFORE", "Hourly", "Part", "hourly_curves"]

AFTER, BEFORE = "after", "before"
_THRESHOLDS = 100  # by the highest score of each occurrence, and as many by all scores there
_ROOM = 1e-9

Part = tuple[NDArray[Any], IntArray, IntArray]  # scores of a recording, begins and ends of what is in it, in windows


class Hourly:
    """Known recordings, drawn anew for intervals; of each how long it is and how often the keyword occurs.

    Args:
        hours: of each recording, shape ``(n,)``.
        occurrences: how many it has, shape ``(n,)``.
    """

    draws = 400
    across = "false accepts an hour"

    def __init__(self, hours: Figures, occurrences: IntArray) -> None:
        self.hours, self.occurrences = hours, occurrences
        self.count, self.subjects = len(hours), np.arange(len(hours))

    def grid(self, answers: Mapping[str, NDArray[Any]]) -> Figures:
        """From the power of ten on at which one false accept or more is allowed, to where all are."""
        most = max(float(self._rates(answers, np.ones(self.count)).max(initial=0)), _ROOM)
        first = -floor(log10(self.hours.sum()) + _ROOM)
        rates = decades(first, max(first + 1, ceil(log10(most) - _ROOM)))
        return rates[: max(2, int(np.searchsorted(rates, most)) + 1)]

    def found_at(self, answers: Mapping[str, NDArray[Any]], rates: Figures, weights: Figures | None = None) -> Figures:
        """What is found as the threshold falls, until there are more false accepts an hour; NaN without an occurrence.

        Far down all runs into a few long events, of which few are false. That is no better, so it is not gone on there.
        """
        times = np.ones(self.count) if weights is None else weights
        there = float(self.occurrences @ times)
        if not there:
            return np.full(len(rates), np.nan)
        made = np.maximum.accumulate(self._rates(answers, times))
        best = np.maximum.accumulate(np.append(0.0, answers["hits"] @ times / there))
        return np.asarray(best[np.searchsorted(made, rates + _ROOM, side="right")])

    def _rates(self, answers: Mapping[str, NDArray[Any]], times: Figures) -> Figures:
        return np.asarray(answers["false"] @ times / (self.hours @ times))


def hourly_curves(before: Sequence[Part], after: Sequence[Part], hours: Figures, rules: tuple[EventRule, EventRule],
                  seed: int, progress: Progress) -> Operating | None:  # fmt: skip
    """The curves of two detectors on the same recordings; None where the keyword never occurs.

    Args:
        before: of each recording what the old detector said, and what is there.
        after: the same of the new one.
        hours: how long each is.
        rules: of the events of either, whose ``off`` stays as far from ``on``.
        seed: draws the recordings.
        progress: shows how the work goes.
    """
    exam = Hourly(hours, np.array([len(begin) for _, begin, _ in before]))
    if not exam.occurrences.sum():
        return None
    sides = {AFTER: (after, rules[1]), BEFORE: (before, rules[0])}
    answers = {name: [_answers(parts, rule)] for name, (parts, rule) in sides.items()}
    return operating_of(exam, answers, seed, progress)


def _answers(parts: Sequence[Part], rule: EventRule) -> Answers:
    """Hits and false accepts at falling thresholds, shape ``(thresholds, recordings)``; that of the rule is one."""
    found = []
    for on in sorted({*thresholds_near(parts, count=_THRESHOLDS), rule.on}, reverse=True):
        trial = replace(rule, on=on, off=None if rule.off is None else on - (rule.on - rule.off))
        each = [matched(events_of(scores, trial), begin, end) for scores, begin, end in parts]
        found.append([[len(one.event) - one.misses, int(one.false.sum())] for one in each])
    both = np.array(found, np.float64).reshape(-1, len(parts), 2)
    return {"hits": both[:, :, 0], "false": both[:, :, 1]}
