"""The sounds of the gallery: which can be played within the budget, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hardneg.collection import Collection
from hardneg.labels import label_column
from hardneg.ragged import IntArray
from hardneg.report.excerpts import LONGEST, audio_type
from hardneg.report.facts import Facts, State
from hardneg.report.recordings import Recordings, time

__all__ = ["Sounds", "about_sounds", "add_audio", "in_order"]

_OTHERS = ("speaker", "label", "session")
_SHOWN = 60  # characters of a name


@dataclass(frozen=True)
class Sounds:
    """What the gallery says of its sounds: how many there are, how many can be played, how many are not whole."""

    sounds: int
    playable: int
    cut: int
    longest: float = LONGEST


def in_order(facts: Facts, anchors: IntArray, rows: IntArray, positives: list[tuple[IntArray, IntArray]]) -> IntArray:
    """The items as a listener wants them: anchors, the best positive of each, negatives, suspects, then the others."""
    own, state = facts.own[anchors], facts.state[rows]
    best = [items[:1] for items, _ in positives]
    first = [own[own >= 0], *best, facts.item[rows[state == State.SAMPLED]], facts.item[rows[state == State.SUSPECT]]]
    rest = [items for items, _ in positives] + [facts.item[rows]]
    return _once(np.concatenate([*first, *rest]))


def _once(rows: IntArray) -> IntArray:
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


def about_sounds(facts: Facts, items: IntArray) -> list[dict[str, Any] | None]:
    """For each item what is known of its sound, without the audio; None for one that cannot be shown."""
    assert facts.sounds is not None  # noqa: S101 - the caller has looked
    return [_about(facts.sounds, row, who) for row, who in zip(items.tolist(), _who(facts, items), strict=True)]


def _about(recordings: Recordings, row: int, who: str) -> dict[str, Any] | None:
    excerpt = recordings.excerpt(row)
    if excerpt is None:
        return None
    out: dict[str, Any] = {"time": time(excerpt)}
    if who:
        out["who"] = who
    if excerpt.track is not None:
        out["track"] = excerpt.track
    if excerpt.event is not None:
        out["event"] = excerpt.event
    return out


def _who(facts: Facts, items: IntArray) -> list[str]:
    """The speaker, the word and the session of each item, as far as they are not its label."""
    things: Collection = facts.run.items
    names = [name for name in _OTHERS if name in things.table.column_names and name != label_column(facts.run)]
    columns = [things.table.column(name).take(items).to_pylist() for name in names]
    return [
        ", ".join(f"{name} {value}"[:_SHOWN] for name, value in zip(names, values, strict=True) if value is not None)
        for values in (zip(*columns, strict=True) if columns else [()] * len(items))
    ]


def add_audio(facts: Facts, data: dict[str, Any], items: IntArray, order: IntArray, room: int) -> Sounds:
    """Put audio into the gallery's data, in this order, into the room that is left."""
    assert facts.sounds is not None  # noqa: S101 - the caller has looked
    played = facts.sounds.audio(order, room)
    for place, row in enumerate(items.tolist()):
        if row in played:
            data["items"][place][-1]["audio"] = played[row]
    known = [one[-1] for one in data["items"] if isinstance(one[-1], dict)]
    if played:
        data["audio"] = audio_type()
    if tracks := [value for one in known for value in one.get("track", ()) if value is not None]:
        data["scores"] = [min(0, *tracks), max(1, *tracks)]
    excerpts = [one for row in items.tolist() if (one := facts.sounds.excerpt(row)) is not None]
    return Sounds(len(excerpts), len(played), sum(one.end - one.start < one.seconds for one in excerpts))
