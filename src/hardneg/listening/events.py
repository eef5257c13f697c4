"""What was heard in one recording: events, what became of them, and the clips around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.listening.detectors import Scored
from hardneg.listening.hearing import NEARLY, Hearing
from hardneg.listening.recordings import Recording
from hardneg.listening.truth import Truth
from hardneg.verify import Events, Listener, matched

__all__ = ["OUTCOMES", "SCHEMA", "Heard", "heard_in", "table_of"]

_BLOCK = 65_536  # windows looked at at a time
_MICRO = 6  # places of a second; 0.3 s is not 0.30000000000000004

OUTCOMES = ("unlabelled", "false_accept", "hit", "repeat")
"""What an event is: of a recording of which nothing is known; of a known one, with no occurrence near; the one that
found an occurrence; another one near an occurrence that was found."""

SCHEMA = pa.schema(
    {
        "id": pa.string(), "audio": pa.string(), "start": pa.float64(), "end": pa.float64(), "label": pa.string(),
        "heard": pa.string(), "peak": pa.float32(), "outcome": pa.string(), "recording": pa.string(),
        "event_start": pa.float64(), "event_end": pa.float64(), "scores": pa.list_(pa.float32()),
        "scores_start": pa.float64(), "step": pa.float64(),
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Heard:
    """The events of one keyword in one recording, and the number of each one's outcome in ``OUTCOMES``."""

    keyword: str
    events: Events
    outcome: NDArray[np.int64]
    occurrences: int
    misses: int

    def count(self, outcome: str) -> int:
        """How many events came out so."""
        return int((self.outcome == OUTCOMES.index(outcome)).sum())


def heard_in(scores: Scored, keywords: tuple[str, ...], hearing: Hearing, name: str, truth: Truth) -> list[Heard]:
    """What was heard of each keyword; ``scores`` has shape ``(windows, keywords)`` and is read block by block."""
    listeners = [Listener(hearing.rule()) for _ in keywords]
    found: list[list[tuple[int, int, float]]] = [[] for _ in keywords]
    for start in range(0, len(scores), _BLOCK):
        block = np.asarray(scores[start : start + _BLOCK])
        for column, listener in enumerate(listeners):
            found[column] += listener.hear(block[:, column])
    out = []
    for keyword, listener, rows in zip(keywords, listeners, found, strict=True):
        events = Events.of([*rows, *listener.finish()])
        if not truth.knows(name):
            out.append(Heard(keyword, events, np.zeros(len(events), np.int64), 0, 0))
            continue
        spans = truth.spans(name, keyword)
        match = matched(events, *hearing.sharing(spans[:, 0], spans[:, 1]))
        outcome = np.select([match.false, match.repeated], [1, 3], 2)
        out.append(Heard(keyword, events, outcome, len(spans), match.misses))
    return out


def table_of(
    recording: Recording, scores: Scored, heard: list[Heard], hearing: Hearing, seconds: float, truth: Truth
) -> pa.Table:
    """A row for each event, in the order of time: what :data:`SCHEMA` says."""
    rows = []
    for column, one in enumerate(heard):
        cut = _Cutter(hearing, seconds, truth.spans(recording.name, one.keyword), *truth.said(recording.name))
        rows += [_row(recording, scores, column, cut, event) for event in _events(one)]
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["event_start"], row["heard"])), SCHEMA)


@dataclass(frozen=True)
class _Event:
    keyword: str
    begin: int
    end: int
    peak: float
    outcome: str


def _events(heard: Heard) -> Iterator[_Event]:
    found = heard.events
    columns = (found.begin.tolist(), found.end.tolist(), found.peak.tolist(), heard.outcome.tolist())
    for begin, end, peak, outcome in zip(*columns, strict=True):
        yield _Event(heard.keyword, begin, end, peak, OUTCOMES[outcome])


def _row(recording: Recording, scores: Scored, column: int, cut: _Cutter, event: _Event) -> dict[str, Any]:
    first, last = cut.hearing.span(event.begin, event.end, cut.seconds)
    start, end = cut.clip(first, last, keep_clear=event.outcome == "false_accept")
    low, high = cut.track(event, start, end, len(scores))
    return {
        "id": f"{recording.name}#{event.keyword}@{first:.3f}",
        "audio": recording.name, "recording": recording.name,
        "start": round(start, _MICRO), "end": round(end, _MICRO),
        "event_start": round(first, _MICRO), "event_end": round(last, _MICRO),
        "heard": event.keyword, "peak": event.peak, "outcome": event.outcome,
        "label": event.keyword if event.outcome in ("hit", "repeat") else cut.said(first, last),
        "scores": np.asarray(scores[low:high, column], np.float32).tolist(),
        "scores_start": round(low * cut.hearing.hop, _MICRO), "step": cut.hearing.hop,
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Cutter:
    """Cuts clips out of a recording of so many seconds: the keyword is at ``spans``, ``words`` are at ``times``."""

    hearing: Hearing
    seconds: float
    spans: NDArray[np.float64]
    words: list[str]
    times: NDArray[np.float64]

    def clip(self, first: float, last: float, *, keep_clear: bool) -> tuple[float, float]:
        """An event with what is around it; to keep clear of the keyword it ends where that begins.

        A false accept shares no time with the keyword, but the context around it might.
        """
        start, end = max(0.0, first - self.hearing.context), min(self.seconds, last + self.hearing.context)
        if keep_clear and len(self.spans):
            before, after = self.spans[self.spans[:, 1] <= first, 1], self.spans[self.spans[:, 0] >= last, 0]
            start, end = float(before.max(initial=start)), float(after.min(initial=end))
        return start, end

    def said(self, first: float, last: float) -> str | None:
        """The word that shares most time with an event; a false accept shares none with the keyword."""
        if not self.words:
            return None
        shared = np.minimum(last, self.times[:, 1]) - np.maximum(first, self.times[:, 0])
        return self.words[int(shared.argmax())] if shared.max() > 0 else None

    def track(self, event: _Event, start: float, end: float, windows: int) -> tuple[int, int]:
        """The windows that are wholly in a clip, and those of the event itself."""
        hop, window = self.hearing.hop, self.hearing.window
        low = min(event.begin, math.ceil(start / hop - NEARLY))
        high = max(event.end, math.floor((end - window) / hop + NEARLY) + 1)
        return max(0, low), windows if end >= self.seconds else min(windows, high)
