"""Scores of a detector along a recording, made into events; block by block the same as at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import IntArray

__all__ = ["EventRule", "Events", "Listener", "events_of"]

Found = tuple[int, int, float]  # first window, the one after the last, highest score


@dataclass(frozen=True)
class EventRule:
    """When a detector has heard something. Lengths are in windows (the step of the scores).

    An event begins with a score of at least ``on`` and ends before the first one under ``off`` (hysteresis); events no
    more than ``merge`` windows apart are one; those shorter than ``least`` are none; after one that counts, those that
    begin within ``refractory`` windows of its end are none. In this order.

    >>> EventRule(on=0.8, off=0.9)
    Traceback (most recent call last):
    hardneg.errors.OptionError: The 'off' must be at most 'on' (0.8). Got 0.9.
    """

    on: float
    off: float | None = None
    merge: int = 0
    least: int = 1
    refractory: int = 0

    def __post_init__(self) -> None:
        require(not np.isnan(self.on), "on", "a number", self.on)
        require(self.off is None or self.off <= self.on, "off", f"at most 'on' ({self.on})", self.off)
        require(self.merge >= 0, "merge", "at least 0", self.merge)
        require(self.least >= 1, "least", "at least 1", self.least)
        require(self.refractory >= 0, "refractory", "at least 0", self.refractory)


@dataclass(frozen=True, eq=False)
class Events:
    """Events in order of time, apart from one another: windows ``begin[i]`` up to but not ``end[i]``."""

    begin: IntArray
    end: IntArray
    peak: NDArray[np.float64]

    @classmethod
    def of(cls, found: Iterable[Found]) -> Events:
        """Events from ``(begin, end, peak)``."""
        rows = list(found)
        return cls(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.int64),
            np.array([row[2] for row in rows], np.float64),
        )

    def __len__(self) -> int:
        return len(self.begin)


def events_of(scores: NDArray[Any], rule: EventRule) -> Events:
    """The events of a whole recording; ``scores`` has shape ``(windows,)``.

    Raises InputError for a score that is NaN.

    >>> heard = events_of(np.array([0, 9, 6, 4, 0, 0, 9, 0]), EventRule(on=8, off=5))
    >>> heard.begin.tolist(), heard.end.tolist(), heard.peak.tolist()
    ([1, 6], [3, 7], [9.0, 9.0])
    """
    listener = Listener(rule)
    return Events.of([*listener.hear(scores), *listener.finish()])


class Listener:
    """Hears a recording block by block; what it has found in all is what :func:`events_of` finds at once.

    >>> listener = Listener(EventRule(on=8, off=5))
    >>> listener.hear(np.array([0, 9])), listener.hear(np.array([6, 4, 0])), listener.finish()
    ([], [(1, 3, 9.0)], [])
    """

    def __init__(self, rule: EventRule) -> None:
        self._rule = rule
        self._heard = 0
        self._open: tuple[int, float] | None = None  # where the event that goes on began, and its highest score
        self._last: Found | None = None  # ended, but what comes next may be merged with it
        self._deaf_until = 0

    def hear(self, scores: NDArray[Any]) -> list[Found]:
        """The events that are surely over after these windows too."""
        scores = np.asarray(scores, np.float64)
        if np.isnan(scores).any():
            raise InputError(
                f"The score of window {self._heard + int(np.isnan(scores).argmax())} is NaN.",
                remedy="Score the recording again, or leave this part out.",
            )
        out = [event for run in self._runs(scores) for event in self._joined(run)]
        self._heard += len(scores)
        if self._last and self._open is None and self._heard - self._last[1] > self._rule.merge:
            out += self._counted()
        return out

    def finish(self) -> list[Found]:
        """What the end of the recording ends."""
        out = []
        if self._open is not None:
            begin, peak = self._open
            self._open = None
            out += self._joined((begin, self._heard, peak))
        return out + self._counted()

    def _runs(self, scores: NDArray[np.float64]) -> list[Found]:
        """The runs that end in this block; one that goes on stays open."""
        if not len(scores):
            return []
        active, done = self._active(scores), []
        if self._open is not None and not active[0]:  # it ended with the last window of the block before
            done, self._open = [(self._open[0], self._heard, self._open[1])], None
        edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=np.int8(0), append=np.int8(0)))
        begins, ends = edges[::2], edges[1::2]
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            first, peak = self._heard + begin, float(scores[begin:end].max())
            if begin == 0 and self._open is not None:
                first, peak, self._open = self._open[0], max(peak, self._open[1]), None
            if end == len(scores):
                self._open = first, peak
            else:
                done.append((first, self._heard + end, peak))
        return done

    def _active(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each window is in an event: the last score that was no longer between the two thresholds decides."""
        off = self._rule.on if self._rule.off is None else self._rule.off
        clear = np.append(True, (scores >= self._rule.on) | (scores < off))
        state = np.append(self._open is not None, scores >= self._rule.on)
        return np.asarray(state[np.maximum.accumulate(np.where(clear, np.arange(len(clear)), 0))][1:])

    def _joined(self, run: Found) -> list[Found]:
        """Join a run with the one before, which is over where they are too far apart."""
        if self._last is not None and run[0] - self._last[1] <= self._rule.merge:
            self._last = self._last[0], run[1], max(self._last[2], run[2])
            return []
        out = self._counted()
        self._last = run
        return out

    def _counted(self) -> list[Found]:
        """The last event, if it is long enough and not too soon after the one that counted before."""
        event, self._last = self._last, None
        if event is None or event[1] - event[0] < self._rule.least or event[0] < self._deaf_until:
            return []
        self._deaf_until = event[1] + self._rule.refractory
        return [event]
