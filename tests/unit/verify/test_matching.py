"""Events and references, one to one; false accepts at a miss rate."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError
from hardneg.verify.events import EventRule, Events, events_of
from hardneg.verify.matching import at_miss_rate, matched

EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=5)
SEGMENTS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=5)


def _events(gaps: list[tuple[int, int]]) -> Events:
    at, rows = 0, []
    for gap, length in gaps:
        rows.append((at + gap, at + gap + length, 1.0))
        at += gap + length
    return Events.of(rows)


@given(gaps=EVENTS, segments=SEGMENTS, collar=st.integers(0, 3))
def test_as_many_are_found_as_can_be(gaps: list[tuple[int, int]], segments: list[tuple[int, int]], collar: int) -> None:
    events = _events(gaps)
    begin, length = np.array(segments, np.int64).reshape(-1, 2).T
    end = begin + length
    fits = [
        [bool(events.begin[e] < end[r] + collar and events.end[e] > begin[r] - collar) for e in range(len(events))]
        for r in range(len(begin))
    ]
    found = matched(events, begin, end, collar=collar)
    for reference, event in enumerate(found.event.tolist()):
        assert event < 0 or fits[reference][event]
    used = found.event[found.event >= 0]
    assert len(set(used.tolist())) == len(used)
    places = [*range(len(events)), *[-1] * len(begin)]
    best = max(
        sum(event >= 0 and fits[r][event] for r, event in enumerate(order))
        for order in set(permutations(places, len(begin)))
    ) if len(begin) else 0  # fmt: skip
    assert len(begin) - found.misses == best
    for event in range(len(events)):
        near = any(row[event] for row in fits)
        assert found.false[event] == (not near)
        assert found.repeated[event] == (near and event not in used)


def test_the_threshold_is_the_best_of_all() -> None:
    draw = np.random.default_rng(0)
    begin = np.arange(20, 1000, 50)
    end = begin + 4
    scores = draw.normal(0, 1, 1000)
    for first in begin:
        scores[first : first + 4] += draw.normal(3, 1)
    rule = EventRule(on=1, off=0.5, merge=1, refractory=3)
    found = at_miss_rate([(scores, begin, end)], rule, miss_rate=0.1, hours=0.5, collar=2)
    least = None
    for on in np.unique(scores):
        events = events_of(scores, EventRule(on=on, off=on - 0.5, merge=1, refractory=3))
        one = matched(events, begin, end, collar=2)
        if one.misses <= 2:
            least = int(one.false.sum()) if least is None else min(least, int(one.false.sum()))
    assert found.false_accepts == least
    assert found.miss_rate <= 0.1
    assert found.per_hour.value == found.false_accepts / 0.5
    stricter = at_miss_rate([(scores, begin, end)], rule, miss_rate=0.05, hours=0.5, collar=2)
    assert stricter.false_accepts >= found.false_accepts


def test_what_is_wrong_is_said() -> None:
    nothing, events = np.zeros(0, np.int64), _events([(0, 1)])
    with pytest.raises(InputError, match="order of time"):
        matched(Events.of([(0, 5, 1.0), (4, 6, 1.0)]), nothing, nothing)
    with pytest.raises(InputError, match="must end after it begins"):
        matched(events, np.array([3]), np.array([3]))
    with pytest.raises(OptionError, match="'collar'"):
        matched(events, nothing, nothing, collar=-1)
    with pytest.raises(InputError, match="no reference"):
        at_miss_rate([(np.zeros(3), nothing, nothing)], EventRule(on=1), miss_rate=0, hours=1)
    silent = [(np.zeros(3), np.array([50]), np.array([60]))]
    with pytest.raises(InputError, match="No threshold misses at most 0"):
        at_miss_rate(silent, EventRule(on=1), miss_rate=0, hours=1)
