"""The data of the gallery to read, within a budget of bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.cards import best_positives, cards
from hardneg.report.choice import card_limits, choose_anchors, choose_candidates
from hardneg.report.distributions import score_range
from hardneg.report.embed import embedded_json
from hardneg.report.facts import Facts, State, excerpt, title_lengths
from hardneg.report.numbers import compact
from hardneg.report.reasons import meaning
from hardneg.report.sounds import Sounds, about_sounds, add_audio, in_order

__all__ = ["BUDGET", "Gallery", "Sizes", "gallery"]

BUDGET = 4_200_000  # bytes of JSON, so that the page stays below five megabytes
_AROUND = 12  # bytes of JSON around the audio of a sound


@dataclass(frozen=True)
class Sizes:
    """How much the gallery shows: anchors, characters of a text, a part of the candidates of each state, pixels."""

    anchors: int
    text: int
    portion: float = 1.0
    picture: int = 0


_LADDER = (
    Sizes(300, 600),
    Sizes(300, 400),
    Sizes(300, 300, 0.6),
    Sizes(300, 200, 0.5),
    Sizes(200, 160, 0.4),
    Sizes(100, 120, 0.3),
    Sizes(40, 80, 0.2),
)
_PICTURES = (
    Sizes(300, 300, 0.5, 96),
    Sizes(200, 300, 0.4, 96),
    Sizes(120, 300, 0.3, 96),
    Sizes(60, 200, 0.3, 96),
    Sizes(40, 160, 0.25, 80),
    Sizes(24, 120, 0.2, 64),
    Sizes(12, 80, 0.1, 48),
)
_SOUNDS = (
    Sizes(300, 300, 0.5, 128),
    Sizes(200, 300, 0.4, 128),
    Sizes(120, 300, 0.3, 128),
    Sizes(60, 200, 0.3, 128),
    Sizes(40, 160, 0.25, 96),
    Sizes(24, 120, 0.2, 96),
    Sizes(12, 80, 0.1, 96),
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
    texts: bool
    sounds: Sounds | None = None


def gallery(facts: Facts, budget: int = BUDGET) -> Gallery:
    """The fullest gallery whose data fit the budget.

    Of sounds the pictures and, for those that matter most, the audio must fit; what room is left goes to the others.
    """
    ladder = _SOUNDS if facts.sounds is not None else _PICTURES if facts.album else _LADDER
    for sizes in ladder:
        chosen = _chosen(facts, sizes)
        if sizes != ladder[-1] and _about_bytes(facts, sizes, chosen) > budget:
            continue  # so many need not even be opened
        made = _made(facts, sizes, chosen)
        if (used := len(embedded_json(made.data).encode())) <= budget:
            break
    if facts.sounds is None:
        return made
    order = in_order(facts, chosen.anchors, chosen.rows, chosen.positives)
    return replace(made, sounds=add_audio(facts, made.data, chosen.items, order, budget - used - _AROUND * len(order)))


def _about_bytes(facts: Facts, sizes: Sizes, chosen: _Chosen) -> int:
    pictures = facts.album.about_bytes(chosen.items, sizes.picture)
    if facts.sounds is None:
        return pictures
    return pictures + facts.sounds.about_audio(chosen.first(facts), sizes.picture)


def _reference(facts: Facts) -> str:
    listed = " listed" if facts.classes is not None and facts.classes.kind == "items" else ""
    words = {"min": f"the anchor's weakest{listed} positive", "max": f"the anchor's strongest{listed} positive"}
    return words.get(str(facts.run.manifest.get("reference")), f"the mean of the anchor's{listed} positives")


@dataclass(frozen=True, eq=False)
class _Chosen:
    """What is shown: rows of anchors, of candidates, the positives of each anchor, and all items these name."""

    anchors: IntArray
    rows: IntArray
    positives: list[tuple[IntArray, IntArray]]
    items: IntArray

    def first(self, facts: Facts) -> IntArray:
        """The items that must be heard: the anchors, the best positive of each, and the negatives."""
        own = facts.own[self.anchors]
        sampled = facts.item[self.rows[facts.state[self.rows] == State.SAMPLED]]
        return np.unique(np.concatenate([own[own >= 0], *(items[:1] for items, _ in self.positives), sampled]))


def _chosen(facts: Facts, sizes: Sizes) -> _Chosen:
    anchors = choose_anchors(facts, sizes.anchors)
    rows = choose_candidates(facts, anchors, sizes.portion)
    positives = best_positives(facts, anchors)
    own = facts.own[anchors]
    items = np.unique(np.concatenate([facts.item[rows], own[own >= 0], *(item for item, _ in positives)]))
    return _Chosen(anchors, rows, positives, items)


def _made(facts: Facts, sizes: Sizes, chosen: _Chosen) -> Gallery:
    anchors, rows, items = chosen.anchors, chosen.rows, chosen.items
    data = {
        "range": [compact(end) for end in score_range(facts)],
        "states": [state.name.lower() for state in State],
        "grades": facts.grade.names,
        "sources": facts.source.names,
        "reasons": [_reason(name) for name in facts.reason.names],
        "items": _items(facts, items, sizes),
        "tiles": bool(facts.album) and facts.run.items.texts is None,
        "heard": facts.sounds is not None,
        "kind": None if facts.classes is None else facts.classes.kind,
        "anchors": cards(facts, anchors, rows, chosen.positives, items, sizes.text),
    }
    per_card = int(card_limits(sizes.portion).sum())
    return Gallery(data, len(anchors), len(facts.minable), sizes.text, per_card, _reference(facts), not data["tiles"])


def _items(facts: Facts, items: IntArray, sizes: Sizes) -> list[list[Any]]:
    """For each item: id, text, how much of it is cut off, length of its title, label, picture, what is wrong with it.

    A sound has what is known of it at the end; see ``about_sounds``. What is missing at the end is left out.
    """
    things = facts.run.items
    columns = (excerpt(things, items, sizes.text), title_lengths(things, items), facts.item_labels(items))
    pictures = facts.album.thumbs(items, sizes.picture)
    sounds = [None] * len(items) if facts.sounds is None else about_sounds(facts, items)
    out: list[list[Any]] = []
    for text, title, label, picture, sound in zip(*columns, pictures, sounds, strict=True):
        one: list[Any] = [*text, title]
        if label is not None or picture is not None:
            one.append(label)
        if picture is not None:
            one += [picture.data, picture.problem] if picture.problem or sound else [picture.data]
        if sound is not None:
            one.append(sound)
        out.append(one)
    return out


def _reason(name: str) -> dict[str, str]:
    if not name:
        return {"name": "", "title": "", "figure": ""}
    words = meaning(name)
    return {"name": name, "title": words.title, "figure": words.figure}
