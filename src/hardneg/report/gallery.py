"""The data of the gallery to read, within a budget of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.report.cards import best_positives, cards
from hardneg.report.choice import card_limits, choose_anchors, choose_candidates
from hardneg.report.distributions import score_range
from hardneg.report.embed import embedded_json
from hardneg.report.facts import Facts, State, excerpt, title_lengths
from hardneg.report.numbers import compact
from hardneg.report.reasons import meaning

__all__ = ["BUDGET", "Gallery", "Sizes", "gallery"]

BUDGET = 4_200_000  # bytes of JSON, so that the page stays below five megabytes


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
    reference: str


def gallery(facts: Facts, budget: int = BUDGET) -> Gallery:
    """The fullest gallery whose data fit the budget."""
    for sizes in _LADDER:
        made = _made(facts, sizes)
        if len(embedded_json(made.data).encode()) <= budget:
            break
    return made


def _reference(facts: Facts) -> str:
    words = {"min": "the anchor's weakest positive", "max": "the anchor's strongest positive"}
    return words.get(str(facts.run.manifest.get("reference")), "the mean of the anchor's positives")


def _made(facts: Facts, sizes: Sizes) -> Gallery:
    anchors = choose_anchors(facts, sizes.anchors)
    rows = choose_candidates(facts, anchors, sizes.portion)
    positives = best_positives(facts, anchors)
    items = np.unique(np.concatenate([facts.item[rows], *(item for item, _ in positives)]))
    data = {
        "wanted": facts.wanted,
        "range": [compact(end) for end in score_range(facts)],
        "states": [state.name.lower() for state in State],
        "grades": facts.grade.names,
        "sources": facts.source.names,
        "reasons": [_reason(name) for name in facts.reason.names],
        "items": [
            [*one, title]
            for one, title in zip(
                excerpt(facts.run.items, items, sizes.text), title_lengths(facts.run.items, items), strict=True
            )
        ],
        "anchors": cards(facts, anchors, rows, positives, items, sizes.text),
    }
    return Gallery(
        data, len(anchors), len(facts.minable), sizes.text, int(card_limits(sizes.portion).sum()), _reference(facts)
    )


def _reason(name: str) -> dict[str, str]:
    if not name:
        return {"name": "", "title": "", "figure": ""}
    words = meaning(name)
    return {"name": name, "title": words.title, "figure": words.figure}
