"""Which anchors and which of their candidates the gallery shows."""

from __future__ import annotations

import numpy as np

from hardneg.ragged import IntArray, place_within
from hardneg.report.facts import Facts, State

__all__ = ["card_limits", "choose_anchors", "choose_candidates"]

_PER_STATE = {State.SAMPLED: 24, State.SUSPECT: 16, State.DROPPED: 10, State.KEPT: 10}


def card_limits(portion: float) -> IntArray:
    """How many candidates of each state a card shows, shape ``(4,)``."""
    return np.array([max(1, round(portion * _PER_STATE[state])) for state in State])


def choose_anchors(facts: Facts, most: int) -> IntArray:
    """All minable anchors where they are few enough; else the short, the suspicious, and an even spread.

    A quarter goes to the anchors that lack most, a quarter to those with most suspects, the rest is spread evenly.
    """
    minable = facts.minable
    if len(minable) <= most:
        return minable
    counts = facts.by_anchor[minable]
    lacking = facts.wanted[minable] - counts[:, State.SAMPLED]
    chosen = np.zeros(len(minable), bool)
    for figure in (lacking, counts[:, State.SUSPECT]):
        first = np.argsort(-figure, kind="stable")[: most // 4]
        chosen[first[figure[first] > 0]] = True
    rest = np.flatnonzero(~chosen)
    spread = np.linspace(0, len(rest) - 1, most - int(chosen.sum())).round().astype(np.int64)
    chosen[rest[spread]] = True
    return minable[chosen]


def choose_candidates(facts: Facts, anchors: IntArray, portion: float = 1.0) -> IntArray:
    """Rows of the candidates to show: by anchor, then sampled, suspect, dropped, kept, each hardest first."""
    rows = np.flatnonzero(np.isin(facts.anchor, anchors))
    keys = (facts.item[rows], -facts.score[rows], facts.state[rows], facts.anchor[rows])
    rows = rows[np.lexsort(keys)]
    group = facts.anchor[rows] * len(State) + facts.state[rows]
    return np.asarray(rows[place_within(group) < card_limits(portion)[facts.state[rows]]], np.int64)
