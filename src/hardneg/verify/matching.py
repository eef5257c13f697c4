"""Events against what was truly there: found, missed, false; and the threshold for a miss rate."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray
from hardneg.verify.alarms import Rate, rate_per_hour
from hardneg.verify.events import EventRule, Events, events_of

__all__ = ["Matched", "Operating", "at_miss_rate", "matched", "thresholds_near"]

_THRESHOLDS = 200


@dataclass(frozen=True, eq=False)
class Matched:
    """What became of references and events.

    Args:
        event: the event that found each reference, -1 where it was missed, shape ``(references,)``.
        false: which events found none and are near none, shape ``(events,)``.
        repeated: which events are near a reference that another one found: neither hit nor false accept.
    """

    event: IntArray
    false: BoolArray
    repeated: BoolArray

    @property
    def misses(self) -> int:
        """How many references were missed."""
        return int((self.event < 0).sum())


def matched(events: Events, begin: IntArray, end: IntArray, *, collar: int = 0) -> Matched:
    """Match events one to one with reference segments; they fit where they share a window.

    As many references are found as can be. An event fits those of a stretch of references or none, so taking the
    events in order, each for the reference that has the fewest left to wait for, is best (Glover 1967, Naval Research
    Logistics Quarterly 14).

    Args:
        events: in order of time, apart from one another.
        begin: of the references, in windows, shape ``(r,)``.
        end: the window after their last, shape ``(r,)``.
        collar: by how many windows each reference is longer at both ends.

    Raises InputError for events that overlap or references that end before they begin.

    >>> heard = Events.of([(0, 2, 1.0), (5, 6, 1.0), (8, 9, 1.0)])
    >>> found = matched(heard, np.array([1, 20]), np.array([5, 30]), collar=1)
    >>> found.event.tolist(), found.false.tolist(), found.repeated.tolist()
    ([0, -1], [False, False, True], [False, True, False])
    """
    require(collar >= 0, "collar", "at least 0", collar)
    if (events.begin[1:] < events.end[:-1]).any():
        raise InputError("The events must be in order of time and apart from one another.")
    if (np.asarray(end) <= np.asarray(begin)).any():
        raise InputError("A reference must end after it begins.", remedy="Give the window after its last as the end.")
    first = np.searchsorted(events.end, np.asarray(begin) - collar, side="right")
    last = np.searchsorted(events.begin, np.asarray(end) + collar, side="left")
    event = np.full(len(first), -1, np.int64)
    order, taken = np.argsort(first, kind="stable").tolist(), 0
    waiting: list[tuple[int, int]] = []  # the event from which on each no longer fits, and the reference
    for one in range(len(events)):
        while taken < len(order) and first[order[taken]] <= one:
            heapq.heappush(waiting, (int(last[order[taken]]), order[taken]))
            taken += 1
        while waiting and waiting[0][0] <= one:
            heapq.heappop(waiting)
        if waiting:
            event[heapq.heappop(waiting)[1]] = one
    near = np.zeros(len(events) + 1, np.int64)
    fits = last > first
    np.add.at(near, first[fits], 1)
    np.add.at(near, last[fits], -1)
    close = np.cumsum(near)[:-1] > 0
    hit = np.isin(np.arange(len(events)), event)
    return Matched(event, ~close, close & ~hit)


@dataclass(frozen=True)
class Operating:
    """What a detector does at a threshold: its miss rate, and false accepts an hour with their interval."""

    on: float
    miss_rate: float
    false_accepts: int
    per_hour: Rate


def at_miss_rate(
    recordings: Sequence[tuple[NDArray[Any], IntArray, IntArray]],
    rule: EventRule,
    *,
    miss_rate: float,
    hours: float,
    collar: int = 0,
) -> Operating:
    """The fewest false accepts an hour at a miss rate: the threshold is sought, the rest of the rule stays.

    200 thresholds are tried at even quantiles of the highest scores near each reference, which decide what is missed,
    and 200 at those of all scores there, which do as well where events need a length; each once where there are fewer.
    ``off`` follows ``on`` at the same distance. Of equal counts the highest threshold is taken.
    The interval is that of the threshold chosen, as if it had been set before: choose it on other recordings than
    those you report.

    Args:
        recordings: scores of each, with the begins and ends of its references, in windows.
        rule: see :class:`hardneg.verify.events.EventRule`; its ``on`` and ``off`` only give their distance.
        miss_rate: the share of references that may be missed.
        hours: how long the recordings are together.
        collar: see :func:`matched`.

    Raises InputError without a reference, or where no threshold misses so few.

    >>> scores = np.array([0, 9, 0, 5, 0, 7, 0])
    >>> at_miss_rate([(scores, np.array([1, 5]), np.array([2, 6]))], EventRule(on=1), miss_rate=0, hours=0.5).on
    7.0
    """
    require(0 <= miss_rate < 1, "miss_rate", "at least 0 and under 1", miss_rate)
    total = sum(len(begin) for _, begin, _ in recordings)
    if not total:
        raise InputError("There is no reference, so nothing can be missed.", remedy="Give what the recordings hold.")
    best: Operating | None = None
    for on in thresholds_near(recordings, collar=collar):
        off = None if rule.off is None else on - (rule.on - rule.off)
        trial = replace(rule, on=on, off=off)
        found = [matched(events_of(scores, trial), begin, end, collar=collar) for scores, begin, end in recordings]
        missed, false = sum(one.misses for one in found) / total, sum(int(one.false.sum()) for one in found)
        if missed <= miss_rate and (best is None or false < best.false_accepts):
            best = Operating(on, missed, false, rate_per_hour(false, hours))
    if best is None:
        raise InputError(
            f"No threshold misses at most {miss_rate:g} of the references.",
            remedy="Allow more misses, a larger 'collar', or shorter events ('least').",
        )
    return best


def thresholds_near(
    recordings: Sequence[tuple[NDArray[Any], IntArray, IntArray]], *, collar: int = 0, count: int = _THRESHOLDS
) -> list[float]:
    """What to try as ``on``, falling: even quantiles of the highest score near each reference, and of all there.

    Args:
        recordings: as of :func:`at_miss_rate`.
        collar: as there.
        count: how many of either, at most.

    >>> thresholds_near([(np.array([0, 9, 0, 5, 0]), np.array([1, 3]), np.array([2, 4]))])
    [9.0, 5.0]
    """
    near = [
        np.asarray(scores[max(0, one - collar) : two + collar], np.float64)
        for scores, begin, end in recordings
        for one, two in zip(np.asarray(begin).tolist(), np.asarray(end).tolist(), strict=True)
    ]
    near = [one for one in near if len(one)]
    if not near:
        return []
    evenly = np.linspace(0, 1, count)
    chosen = [
        np.quantile(np.unique(one), evenly, method="nearest")
        for one in (np.stack([*map(np.max, near)]), np.concatenate(near))
    ]
    return [float(one) for one in np.unique(np.concatenate(chosen))[::-1]]
