"""The cards of the gallery as plain data: an anchor, its positives, its candidates."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.numbers import compact

__all__ = ["best_positives", "cards"]

_POSITIVES = 8  # shown for an anchor, the best first


def best_positives(facts: Facts, anchors: IntArray) -> list[tuple[IntArray, IntArray]]:
    """For each anchor its best positives: item rows, and places in ``run.positive_scores``."""
    out = []
    offsets, scores = facts.positive.offsets, facts.run.positive_scores
    for anchor in anchors:
        places = np.arange(offsets[anchor], offsets[anchor + 1])
        places = places[np.argsort(-scores[places], kind="stable")][:_POSITIVES]
        out.append((facts.positive.values[places], places))
    return out


def cards(
    facts: Facts,
    anchors: IntArray,
    rows: IntArray,
    positives: list[tuple[IntArray, IntArray]],
    items: IntArray,
    length: int,
) -> list[dict[str, Any]]:
    """One card for each anchor; its rows and positives name items by their place in ``items``, which is sorted."""
    columns = _candidates(facts, rows, items)
    starts = np.searchsorted(facts.anchor[rows], anchors)
    ends = np.searchsorted(facts.anchor[rows], anchors, side="right")
    hardness, reference = _hardness(facts, anchors)
    lengths = facts.positive.lengths()
    labels = facts.anchor_labels(anchors)
    out = []
    for at, (anchor, text) in enumerate(zip(anchors, excerpt(facts.run.anchors, anchors, length), strict=True)):
        found, places = positives[at]
        pairs = zip(np.searchsorted(items, found), facts.run.positive_scores[places], strict=True)
        out.append(
            {
                "id": text[0],
                "text": text[1],
                "cut": text[2],
                "label": labels[at],
                "item": _place(items, int(facts.own[anchor])),
                "positive": compact(float(reference[at])),
                "positives": [[int(item), compact(float(score))] for item, score in pairs],
                "more": int(lengths[anchor]) - len(found),
                "counts": facts.by_anchor[anchor].tolist(),
                "wanted": int(facts.wanted[anchor]),
                "hardness": compact(float(hardness[at])),
                "rows": columns[starts[at] : ends[at]],
            }
        )
    return out


def _place(items: IntArray, row: int) -> int | None:
    """Where an item stands among those of the gallery; None for an anchor that is no item."""
    return None if row < 0 else int(np.searchsorted(items, row))


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
    """For each anchor how far its negatives lie above its positive on average, and that positive's score."""
    size = len(facts.run.anchors)
    sampled = facts.state == State.SAMPLED
    gap = np.where(sampled, facts.score.astype(np.float64) - facts.positive_score, 0.0)
    number = facts.by_anchor[:, State.SAMPLED]
    with np.errstate(invalid="ignore"):
        mean = np.bincount(facts.anchor, gap, minlength=size) / np.where(number, number, np.nan)
    reference = np.full(size, np.nan)
    reference[facts.anchor] = facts.positive_score
    return mean[anchors], reference[anchors]
