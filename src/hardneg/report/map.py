"""The vectors on a plane: which anchors, positives and negatives lie near one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.ragged import IntArray
from hardneg.report.cards import best_positives
from hardneg.report.choice import choose_anchors, choose_candidates
from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.numbers import share
from hardneg.similarity import FloatArray

__all__ = ["HEIGHT", "WIDTH", "Map", "plane_map"]

WIDTH, HEIGHT = 1000, 600
_ANCHORS, _PORTION, _TEXT = 200, 0.34, 90
_EDGE = 20
KINDS = ("kept", "dropped", "suspect", "sampled", "positive")


@dataclass(frozen=True)
class Map:
    """What is drawn, the rare and the important last.

    Args:
        layers: a kind of item and its dots as an SVG path.
        anchors: the anchors as a path.
        data: the same for the script: places of items, and of each anchor its place, words and items by kind.
        share: of the variance, in words.
        shown, of: how many anchors are drawn, and how many there are.
    """

    layers: list[tuple[str, str]]
    anchors: str
    data: dict[str, Any]
    share: str
    shown: int
    of: int


def plane_map(facts: Facts) -> Map | None:
    """The map of a run; None where it keeps no places."""
    table = facts.run.plane
    if table is None or table.num_rows != len(facts.run.anchors) + len(facts.run.items):
        return None
    places = np.stack([table.column(name).to_numpy() for name in ("x", "y")], axis=1)
    anchors = choose_anchors(facts, _ANCHORS)
    rows = choose_candidates(facts, anchors, _PORTION)
    positives = [found[:4] for found, _ in best_positives(facts, anchors)]
    items = np.unique(np.concatenate([facts.item[rows], *positives]))
    pixels = _pixels(np.concatenate([places[anchors], places[len(facts.run.anchors) + items]]))
    of_anchors, of_items = pixels[: len(anchors)], pixels[len(anchors) :]
    kinds = _kinds(facts, items, np.concatenate(positives) if positives else np.zeros(0, np.int64))
    told = float((table.schema.metadata or {}).get(b"share", b"nan"))
    return Map(
        [(name, _path(of_items[kinds == code])) for code, name in enumerate(KINDS) if (kinds == code).any()],
        _path(of_anchors),
        {"items": of_items.tolist(), "anchors": _anchors(facts, anchors, rows, positives, items, of_anchors)},
        share(told, 1),
        len(anchors),
        len(facts.minable),
    )


def _pixels(places: FloatArray) -> IntArray:
    """Places in whole pixels of the drawing: one scale for both axes, upwards is up."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([WIDTH - 2 * _EDGE, HEIGHT - 2 * _EDGE])
    scale = float((room / np.maximum(high - low, 1e-9)).min())
    middle = (places - (low + high) / 2) * scale * np.array([1, -1])
    return np.asarray((middle + np.array([WIDTH, HEIGHT]) / 2).round(), np.int64)


def _kinds(facts: Facts, items: IntArray, positive: IntArray) -> IntArray:
    """What each item is, of several the last in ``KINDS``."""
    of_state = {State.KEPT: 0, State.DROPPED: 1, State.SUSPECT: 2, State.SAMPLED: 3}
    kind = np.zeros(len(facts.run.items), np.int64)
    np.maximum.at(kind, facts.item, np.array([of_state[one] for one in State])[facts.state])
    kind[positive] = len(KINDS) - 1
    return np.asarray(kind[items])


def _path(pixels: IntArray) -> str:
    """Dots as strokes of no length, which round ends make visible."""
    return "".join(f"M{x} {y}h0" for x, y in np.unique(pixels, axis=0).tolist())


def _anchors(
    facts: Facts, anchors: IntArray, rows: IntArray, positives: list[IntArray], items: IntArray, pixels: IntArray
) -> list[list[Any]]:
    """For each anchor: its words, place, positives, negatives and suspects, these by their place among the items."""
    starts = np.searchsorted(facts.anchor[rows], anchors)
    ends = np.searchsorted(facts.anchor[rows], anchors, side="right")
    out = []
    for at, words in enumerate(excerpt(facts.run.anchors, anchors, _TEXT)):
        some = rows[starts[at] : ends[at]]
        found = [facts.item[some[facts.state[some] == state]] for state in (State.SAMPLED, State.SUSPECT)]
        lists = [np.searchsorted(items, one).tolist() for one in (positives[at], *found)]
        out.append([words[1] or words[0], *pixels[at].tolist(), *lists])
    return out
