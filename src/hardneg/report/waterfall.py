"""The ledger as a waterfall: from all candidates down to the sampled, every step accounted for."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.report.facts import Coded, Facts, State
from hardneg.report.reasons import meaning

__all__ = ["Bar", "waterfall"]

_WORDS = {State.DROPPED: "dropped", State.SUSPECT: "suspect"}


@dataclass(frozen=True)
class Bar:
    """One bar: from ``start`` over ``width``, both in percent of all candidates."""

    kind: str
    title: str
    sentence: str
    reason: str
    count: int
    start: float
    width: float


def waterfall(facts: Facts) -> list[Bar]:
    """All candidates, what each reason took, what was kept, what was sampled. It closes."""
    total = len(facts)
    bars = [("all", "Candidates", "All pairs that the sources proposed.", "", total)]
    for state, word in _WORDS.items():
        for reason, taken in _taken(facts.reason, facts, state):
            words = meaning(reason)
            bars.append((word, words.title, words.sentence, reason, taken))
    kept, sampled = (int((facts.state == state).sum()) for state in (State.KEPT, State.SAMPLED))
    bars.append(("kept", "Kept, not sampled", "Fit to train on; the sampler had enough or was held back.", "", kept))
    out, left = [], total
    for kind, title, sentence, reason, number in bars:
        if kind != "all":
            left -= number
        start = 0 if kind == "all" else left
        out.append(Bar(kind, title, sentence, reason, number, _percent(start, total), _percent(number, total)))
    return [*out, Bar("sampled", "Sampled", "These are the negatives.", "", sampled, 0.0, _percent(sampled, total))]


def _taken(reason: Coded, facts: Facts, state: State) -> list[tuple[str, int]]:
    """How many candidates each reason put into a state, the most first."""
    counts: dict[str, int] = {}
    for code, name in enumerate(reason.names):
        if number := int(((reason.codes == code) & (facts.state == state)).sum()):
            counts[name] = number
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 0.0
