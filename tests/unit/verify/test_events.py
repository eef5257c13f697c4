"""Events: the rule window by window, and the same block by block as at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError
from hardneg.verify.events import EventRule, Listener, events_of

SCORES = st.lists(st.integers(0, 9), max_size=60).map(lambda scores: np.array(scores, np.float32))
RULES = st.builds(
    EventRule,
    on=st.integers(5, 8).map(float),
    off=st.one_of(st.none(), st.integers(1, 5).map(float)),
    merge=st.integers(0, 3),
    least=st.integers(1, 3),
    refractory=st.integers(0, 4),
)
Found = list[tuple[int, int, float]]


def _brute(scores: np.ndarray, rule: EventRule) -> Found:
    """The words of the rule, one window after the other and one step after the other."""
    off = rule.on if rule.off is None else rule.off
    active, inside = [], False
    for score in scores.tolist():
        inside = score >= rule.on or (inside and score >= off)
        active.append(inside)
    runs: list[list[int]] = []
    for window, one in enumerate(active):
        if one and runs and runs[-1][1] == window:
            runs[-1][1] = window + 1
        elif one:
            runs.append([window, window + 1])
    merged: list[list[int]] = []
    for begin, end in runs:
        if merged and begin - merged[-1][1] <= rule.merge:
            merged[-1][1] = end
        else:
            merged.append([begin, end])
    out: Found = []
    for begin, end in merged:
        if end - begin >= rule.least and (not out or begin - out[-1][1] >= rule.refractory):
            peak = max(max(scores[a:b].tolist()) for a, b in runs if begin <= a < end)
            out.append((begin, end, peak))
    return out


def _rows(begin: np.ndarray, end: np.ndarray, peak: np.ndarray) -> Found:
    return list(zip(begin.tolist(), end.tolist(), peak.tolist(), strict=True))


@given(scores=SCORES, rule=RULES)
def test_events_are_those_of_the_rule(scores: np.ndarray, rule: EventRule) -> None:
    found = events_of(scores, rule)
    assert _rows(found.begin, found.end, found.peak) == _brute(scores, rule)


@given(scores=SCORES, rule=RULES, cuts=st.lists(st.integers(0, 60), max_size=8))
def test_blocks_make_no_difference(scores: np.ndarray, rule: EventRule, cuts: list[int]) -> None:
    listener, found = Listener(rule), []
    for block in np.split(scores, sorted(cuts)):  # empty blocks among them
        found += listener.hear(block)
    found += listener.finish()
    whole = events_of(scores, rule)
    assert found == _rows(whole.begin, whole.end, whole.peak)


def test_what_is_over_is_told_at_once() -> None:
    listener = Listener(EventRule(on=5, merge=2))
    assert listener.hear(np.array([9.0, 0, 0])) == []  # what comes within two windows belongs to it
    assert listener.hear(np.array([0.0])) == [(0, 1, 9.0)]
    assert listener.hear(np.array([6.0])) == []
    assert listener.finish() == [(4, 5, 6.0)]


def test_what_is_wrong_is_said() -> None:
    listener = Listener(EventRule(on=5))
    listener.hear(np.zeros(10))
    with pytest.raises(InputError, match="window 11 is NaN"):
        listener.hear(np.array([0.0, np.nan]))
    for option in ({"merge": -1}, {"least": 0}, {"refractory": -1}):
        with pytest.raises(OptionError, match=next(iter(option))):
            EventRule(on=5, **option)
