"""The items mined most often: hubs teach a model to push one item away from everything."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hardneg.report.facts import Facts, State, excerpt
from hardneg.report.numbers import plural, share
from hardneg.report.pictures import Thumb

__all__ = ["PopularItem", "Popularity", "popularity"]

_SHOWN = 10
_EXCERPT = 220
_PIXELS = 96
_A_HUB = 0.1  # an item that is a negative of every tenth anchor is worth a word


@dataclass(frozen=True)
class PopularItem:
    """One item, and for how many anchors it is a negative, a suspect, a positive."""

    id: str
    text: str | None
    cut: int
    negatives: int
    suspect: int
    positive: int
    width: float  # of its bar, in percent of the longest
    label: str | None  # None where there are no labels
    picture: Thumb | None


@dataclass(frozen=True)
class Popularity:
    """The items mined most, and how evenly the negatives are spread."""

    items: list[PopularItem]
    sentences: list[str]
    used: int
    top_share: float  # of all negatives held by the top percent of the items
    top_items: int
    labelled: bool


def popularity(facts: Facts) -> Popularity | None:
    """Count the negatives by item; None where nothing was sampled."""
    size = len(facts.run.items)
    counts = {state: np.bincount(facts.item[facts.state == state], minlength=size) for state in State}
    mined = counts[State.SAMPLED]
    total = int(mined.sum())
    if not total:
        return None
    order = np.argsort(-mined, kind="stable")
    shown = order[: min(_SHOWN, int((mined > 0).sum()))]
    positive = np.bincount(facts.positive.values, minlength=size)
    items = [
        PopularItem(
            *text,
            negatives=int(mined[row]),
            suspect=int(counts[State.SUSPECT][row]),
            positive=int(positive[row]),
            width=round(100 * int(mined[row]) / int(mined[order[0]]), 2),
            label=label,
            picture=picture,
        )
        for row, text, label, picture in zip(
            shown,
            excerpt(facts.run.items, shown, _EXCERPT),
            facts.item_labels(shown),
            facts.album.thumbs(shown, _PIXELS),
            strict=True,
        )
    ]
    top = math.ceil(facts.corpus_size() / 100)
    held = int(mined[order[:top]].sum())
    used = int((mined > 0).sum())
    return Popularity(
        items, _words(facts, items[0], (top, held, total), used), used, held / total, top, facts.classes is not None
    )


def _words(facts: Facts, first: PopularItem, spread: tuple[int, int, int], used: int) -> list[str]:
    anchors, (top, held, total) = len(facts.minable), spread
    which = "most-mined item (the top 1%) holds" if top == 1 else f"{top:,} most-mined items (the top 1%) hold"
    out = [
        f"{plural(used, 'item')} of {facts.corpus_size():,} serve as a negative at least once.",
        f"The {which} {share(held, total)} of all negatives; "
        f"an even spread would give {share(top, facts.corpus_size())}.",
        f"The first is a negative for {first.negatives:,} of {plural(anchors, 'anchor')} "
        f"({share(first.negatives, anchors)}).",
    ]
    capped = any(step.startswith("caps") for step in facts.run.manifest["steps"]["sampler"])
    if not capped and first.negatives >= 10 and first.negatives > _A_HUB * anchors:
        out.append(f"To spread them, cap how often one item serves: caps(per_item={max(2, first.negatives // 2)}).")
    return out
