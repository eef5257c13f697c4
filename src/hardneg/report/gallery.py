"""The gallery to read: which anchors and candidates it shows, and their data within a budget of bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.distributions import score_range
from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.numbers import compact
from hardneg.report.reasons import meaning

__all__ = ["BUDGET", "Gallery", "Sizes", "choose_anchors", "choose_candidates", "gallery"]

BUDGET = 4_200_000  # bytes of JSON, so that the page stays below five megabytes
_POSITIVES = 8  # shown for an anchor, the best first
_PER_STATE = {State.SAMPLED: 24, State.SUSPECT: 16, State.DROPPED: 10, State.KEPT: 10}


@dataclass(frozen=True)
class Sizes:
    """How much the gallery shows: anchors, characters of a text, and a part of the candidates of each state."""

    anchors: int
    text: int
    portion: float = 1.0


_LADDER = (
    Sizes(300, 600),
    Sizes(300, 400),
    Sizes(300, 300, 0.6),
    Sizes(300, 200, 0.5),
    Sizes(200, 160, 0.4),
    Sizes(100, 120, 0.3),
    Sizes(40, 80, 0.2),
)


@dataclass(frozen=True)
class Gallery:
    """The data of the gallery and what it says about its own size."""

    data: dict[str, Any]
    shown: int
    anchors: int
    text: int
    per_card: int


def gallery(facts: Facts, budget: int = BUDGET) -> Gallery:
    """The fullest gallery whose data fit the budget."""
    for sizes in _LADDER:
        made = _made(facts, sizes)
        if len(json.dumps(made.data, ensure_ascii=False).encode()) <= budget:
            break
    return made


def choose_anchors(facts: Facts, most: int) -> IntArray:
    """All minable anchors where they are few enough; else the short, the suspicious, and an even spread.

    A quarter goes to the anchors that lack most, a quarter to those with most suspects, the rest is spread evenly.
    """
    minable = facts.minable
    if len(minable) <= most:
        return minable
    counts = facts.by_anchor[minable]
    lacking = facts.wanted - counts[:, State.SAMPLED]
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
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    return np.asarray(rows[place < _limits(portion)[facts.state[rows]]], np.int64)


def _limits(portion: float) -> IntArray:
    return np.array([max(1, round(portion * _PER_STATE[state])) for state in State])


def _made(facts: Facts, sizes: Sizes) -> Gallery:
    anchors = choose_anchors(facts, sizes.anchors)
    rows = choose_candidates(facts, anchors, sizes.portion)
    positives = _best_positives(facts, anchors)
    items = np.unique(np.concatenate([facts.item[rows], *(item for item, _ in positives)]))
    data = {
        "wanted": facts.wanted,
        "range": [compact(end) for end in score_range(facts)],
        "states": [state.name.lower() for state in State],
        "grades": facts.grade.names,
        "sources": facts.source.names,
        "reasons": [_reason(name) for name in facts.reason.names],
        "items": [list(one) for one in excerpt(facts.run.items, items, sizes.text)],
        "anchors": _cards(facts, anchors, rows, positives, items, sizes.text),
    }
    return Gallery(data, len(anchors), len(facts.minable), sizes.text, _limits(sizes.portion).sum())


def _reason(name: str) -> dict[str, str]:
    if not name:
        return {"name": "", "title": "", "figure": ""}
    words = meaning(name)
    return {"name": name, "title": words.title, "figure": words.figure}


def _best_positives(facts: Facts, anchors: IntArray) -> list[tuple[IntArray, IntArray]]:
    """For each anchor its best positives: item rows, and places in ``run.positive_scores``."""
    out = []
    offsets, scores = facts.positive.offsets, facts.run.positive_scores
    for anchor in anchors:
        places = np.arange(offsets[anchor], offsets[anchor + 1])
        places = places[np.argsort(-scores[places], kind="stable")][:_POSITIVES]
        out.append((facts.positive.values[places], places))
    return out


def _cards(
    facts: Facts,
    anchors: IntArray,
    rows: IntArray,
    positives: list[tuple[IntArray, IntArray]],
    items: IntArray,
    length: int,
) -> list[dict[str, Any]]:
    columns = _candidates(facts, rows, items)
    starts = np.searchsorted(facts.anchor[rows], anchors)
    ends = np.searchsorted(facts.anchor[rows], anchors, side="right")
    hardness, reference = _hardness(facts, anchors)
    cards = []
    for at, (anchor, text) in enumerate(zip(anchors, excerpt(facts.run.anchors, anchors, length), strict=True)):
        found, places = positives[at]
        pairs = zip(np.searchsorted(items, found), facts.run.positive_scores[places], strict=True)
        cards.append(
            {
                "id": text[0],
                "text": text[1],
                "cut": text[2],
                "positive": compact(float(reference[at])),
                "positives": [[int(item), compact(float(score))] for item, score in pairs],
                "more": int(facts.positive.lengths()[anchor]) - len(found),
                "counts": facts.by_anchor[anchor].tolist(),
                "hardness": compact(float(hardness[at])),
                "rows": columns[starts[at] : ends[at]],
            }
        )
    return cards


def _candidates(facts: Facts, rows: IntArray, items: IntArray) -> list[list[Any]]:
    """For each row: item, state, reason, grade, source, rank, score, evidence."""
    whole = np.stack(
        [
            np.searchsorted(items, facts.item[rows]),
            facts.state[rows],
            facts.reason.codes[rows],
            facts.grade.codes[rows],
            facts.source.codes[rows],
            facts.rank[rows],
        ],
        axis=1,
    ).tolist()
    scores, evidence = facts.score[rows].tolist(), facts.evidence[rows].tolist()
    return [[*one, compact(score), compact(figure)] for one, score, figure in zip(whole, scores, evidence, strict=True)]


def _hardness(facts: Facts, anchors: IntArray) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each anchor how far its negatives lie above its positive on average, and that positive's score; NaN for none."""
    size = len(facts.run.anchors)
    sampled = facts.state == State.SAMPLED
    gap = np.where(sampled, facts.score.astype(np.float64) - facts.positive_score, 0.0)
    number = facts.by_anchor[:, State.SAMPLED]
    with np.errstate(invalid="ignore"):
        mean = np.bincount(facts.anchor, gap, minlength=size) / np.where(number, number, np.nan)
    reference = np.full(size, np.nan)
    reference[facts.anchor] = facts.positive_score
    return mean[anchors], reference[anchors]
