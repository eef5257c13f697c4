"""How a detector listens, in seconds: its windows, when it has heard something, how much is cut out around that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.verify import EventRule

__all__ = ["NEARLY", "Hearing"]

NEARLY = 1e-6  # a merge of 0.3 s is three windows of 0.1 s, whatever 0.3 / 0.1 is in binary


@dataclass(frozen=True)
class Hearing:
    """The windows of a detector and the rule of its events. All lengths are in seconds.

    Args:
        window: how much the detector hears at a time.
        hop: from the beginning of one window to that of the next; no longer than a window, or some sound would be in
            none.
        on: an event begins with a score of at least this.
        off: it ends before the first score under this; ``on`` if not given.
        merge: events no further apart are one.
        least: shorter events are none; an event of one window is one hop long.
        refractory: after an event those that begin so soon are none.
        context: so much of the sound before and after an event belongs to its clip.
        collar: by how much each known occurrence is longer at both ends, for annotations that are not exact.

    >>> Hearing(hop=0.1, on=0.8, merge=0.3, least=0.25).rule()
    EventRule(on=0.8, off=None, merge=3, least=3, refractory=0)
    """

    window: float = 1.0
    hop: float = 0.1
    on: float = 0.5
    off: float | None = None
    merge: float = 0.0
    least: float = 0.0
    refractory: float = 0.0
    context: float = 0.5
    collar: float = 0.0

    def __post_init__(self) -> None:
        for name in ("window", "hop"):
            require(0 < getattr(self, name) < math.inf, name, "seconds above 0", getattr(self, name))
        require(self.hop <= self.window, "hop", f"at most the window ({self.window:g})", self.hop)
        for name in ("merge", "least", "refractory", "context", "collar"):
            require(0 <= getattr(self, name) < math.inf, name, "seconds, at least 0", getattr(self, name))
        self.rule()  # says what is wrong with the thresholds

    def rule(self) -> EventRule:
        """The same rule in windows."""
        return EventRule(
            self.on,
            self.off,
            merge=math.floor(self.merge / self.hop + NEARLY),
            least=max(1, math.ceil(self.least / self.hop - NEARLY)),
            refractory=math.ceil(self.refractory / self.hop - NEARLY),
        )

    def span(self, begin: int, end: int, seconds: float) -> tuple[float, float]:
        """From when to when the windows ``begin`` up to but not ``end`` reach, in a sound of so many seconds.

        >>> Hearing(window=1.0, hop=0.5).span(2, 4, seconds=2.25)
        (1.0, 2.25)
        """
        return begin * self.hop, min(seconds, (end - 1) * self.hop + self.window)

    def sharing(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
        """The first window that shares time with what lasts from ``start`` to ``end``, and the one after the last.

        >>> [one.tolist() for one in Hearing(window=1.0, hop=0.5).sharing(np.array([2.0]), np.array([2.25]))]
        [[3], [5]]
        """
        first = np.floor((np.asarray(start) - self.collar - self.window) / self.hop + NEARLY) + 1
        after = np.ceil((np.asarray(end) + self.collar) / self.hop - NEARLY)
        first = np.maximum(first, 0).astype(np.int64)
        return first, np.maximum(after.astype(np.int64), first + 1)
