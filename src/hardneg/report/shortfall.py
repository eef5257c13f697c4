"""The anchors that came up short, why, and what can be relaxed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardneg.labels import about_anchor
from hardneg.ragged import IntArray
from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.pictures import Thumb
from hardneg.report.reasons import meaning

__all__ = ["ShortAnchor", "Shortfall", "shortfall"]

_SHOWN = 100
_EXCERPT = 160
_PIXELS = 64

_POLICIES = {
    "keep": "What they have is kept.",
    "fill": "They could not be filled up further (on_short=fill).",
    "drop": "Short anchors are left out of the negatives altogether (on_short=drop).",
}


@dataclass(frozen=True)
class ShortAnchor:
    """One anchor with fewer negatives than wanted."""

    id: str
    text: str | None
    cut: int
    sampled: int
    wanted: int
    candidates: int
    suspect: int
    dropped: int
    kept: int
    why: str
    relax: str
    label: str | None  # None where there are no labels
    picture: Thumb | None


@dataclass(frozen=True)
class Shortfall:
    """The short anchors, the emptiest first, up to a number that can be read."""

    anchors: list[ShortAnchor]
    total: int
    missing: int
    policy: str


def shortfall(facts: Facts) -> Shortfall:
    """List the anchors that have a positive and fewer negatives than wanted."""
    counts = facts.by_anchor
    lacking = facts.wanted - counts[:, State.SAMPLED]
    short = facts.minable[lacking[facts.minable] > 0]
    shown = short[np.argsort(-lacking[short], kind="stable")][:_SHOWN]
    reasons = _reasons(facts, shown)
    anchors = []
    pictures = facts.album.thumbs(facts.own[shown], _PIXELS)
    columns = excerpt(facts.run.anchors, shown, _EXCERPT), facts.anchor_labels(shown), pictures
    for row, text, label, picture in zip(shown, *columns, strict=True):
        numbers = {state: int(counts[row, state]) for state in State}
        why, relax = _diagnosis(numbers, int(facts.wanted[row]), reasons[int(row)])
        anchors.append(
            ShortAnchor(
                *text,
                sampled=numbers[State.SAMPLED],
                wanted=int(facts.wanted[row]),
                candidates=sum(numbers.values()),
                suspect=numbers[State.SUSPECT],
                dropped=numbers[State.DROPPED],
                kept=numbers[State.KEPT],
                why=why,
                relax=relax,
                label=label,
                picture=picture,
            )
        )
    policy = _POLICIES.get(str(facts.run.manifest.get("shortage", {}).get("policy")), "")
    return Shortfall(anchors, len(short), int(lacking[short].sum()), policy)


def _reasons(facts: Facts, shown: IntArray) -> Mapping[int, str]:
    """For each of these anchors the reason that took most of its candidates; empty where none did."""
    fired = np.isin(facts.state, (State.SUSPECT, State.DROPPED)) & np.isin(facts.anchor, shown)
    width = max(1, len(facts.reason.names))
    pairs, counts = np.unique(facts.anchor[fired] * width + facts.reason.codes[fired], return_counts=True)
    out = dict.fromkeys((int(row) for row in shown), "")
    for at in np.argsort(counts, kind="stable"):  # the most frequent comes last and stays
        out[int(pairs[at] // width)] = facts.reason.names[int(pairs[at] % width)]
    return out


def _diagnosis(numbers: Mapping[State, int], wanted: int, reason: str) -> tuple[str, str]:
    candidates, kept = sum(numbers.values()), numbers[State.KEPT]
    if not candidates:
        return "The sources proposed nothing.", "Add a source, or check this anchor's vector."
    if candidates < wanted:
        return f"The sources proposed only {candidates}.", "Raise k in the source, or add a source."
    if numbers[State.SAMPLED] + kept >= wanted:
        return (
            f"{kept:,} more fit, but a cap or quota held the sampler back.",
            "Raise the cap or quota, or set on_short=fill.",
        )
    words = meaning(reason)
    why = f"Filters took {numbers[State.SUSPECT] + numbers[State.DROPPED]} of {candidates}, most as “{words.title}”."
    if about_anchor(reason):  # more candidates would be suspect for the same reason
        return why, f"{words.relax[0].upper()}{words.relax[1:]}."
    if not words.relax:
        return why, "Raise k in the source."
    return why, f"{words.relax[0].upper()}{words.relax[1:]}, or raise k in the source."
