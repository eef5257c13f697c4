"""One chooser and its limits, applied to the kept candidates of a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.ragged import IntArray
from hardneg.samplers._allocate import places_taken, settle
from hardneg.samplers._base import Chooser, Limit, Sampler
from hardneg.samplers._wishes import Mask, Wishes
from hardneg.table import Rows, distinct

__all__ = ["Plan", "plan", "sample", "sample_parts", "wishes"]


@dataclass(frozen=True)
class Plan:
    """What to do with the kept candidates: one chooser, any limits."""

    chooser: Chooser
    limits: tuple[Limit, ...]

    @property
    def per_item(self) -> int | None:
        """The tightest cap on an item."""
        return min((limit.per_item for limit in self.limits if limit.per_item is not None), default=None)

    @property
    def per_pair(self) -> int | None:
        """The tightest cap on a pair of classes."""
        return min((limit.per_pair for limit in self.limits if limit.per_pair is not None), default=None)

    @property
    def capped(self) -> bool:
        """Whether anchors compete, so that all must be known before any can choose."""
        return self.per_item is not None or self.per_pair is not None

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the candidates that limits need beside the usual."""
        return tuple(dict.fromkeys(name for limit in self.limits for name in limit.reads))


def plan(samplers: Sequence[Sampler]) -> Plan:
    """Tell the chooser from the limits.

    Raises OptionError unless there is exactly one chooser.
    """
    choosers = [step for step in samplers if isinstance(step, Chooser)]
    limits = tuple(step for step in samplers if isinstance(step, Limit))
    for step in samplers:
        if not isinstance(step, (Chooser, Limit)):
            raise OptionError(f"A sampler must be a Chooser or a Limit. Got {type(step).__name__}.")
    if len(choosers) != 1:
        found = ", ".join(str(step) for step in choosers) or "none"
        raise OptionError(
            f"A sampler needs exactly one of top, band, tempered and uniform; quotas and caps go with it. Got {found}."
        )
    return Plan(choosers[0], limits)


def sample(
    rows: Rows, plan: Plan, anchors: Collection, items: Collection, source_names: Sequence[str], seed: int
) -> tuple[Mask, IntArray]:
    """Choose among kept candidates, sorted by anchor and then score (highest first).

    Returns the mask of the chosen rows and, for each anchor, how many it lacks (before any is dropped for that).
    """
    masks, lacking = sample_parts(
        [wishes(rows, plan, anchors, items, source_names, seed)], plan, len(anchors), len(items)
    )
    return masks[0], lacking


def wishes(
    rows: Rows, plan: Plan, anchors: Collection, items: Collection, source_names: Sequence[str], seed: int
) -> Wishes:
    """What the anchors of some kept candidates wish for; rows as for :func:`sample`."""
    if plan.chooser.draws:
        rows = rows.having(anchor_key=anchors.keys[rows.anchor], item_key=items.keys[rows.item])
    kinds = [kind for limit in plan.limits for kind in limit.kinds(rows, plan.chooser.n, items, source_names)]
    claims = [] if plan.per_item is None else [rows.item.astype(np.int32)]
    if plan.per_pair is not None:
        claims.append(rows["class_pair"])
    preference = plan.chooser.prefer(rows, seed)
    return Wishes.of(rows, preference, kinds, claims, all_rows=plan.chooser.on_short == "fill")


def sample_parts(
    parts: Sequence[Wishes], plan: Plan, anchors: int, items: int
) -> tuple[list[Mask], IntArray]:  # fmt: skip
    """Choose for ``anchors`` anchors whose wishes come in parts, each anchor's in one of them.

    Returns for each part the mask of the chosen among the rows that its wishes are of and, for each anchor, how many
    it lacks (before any is dropped for that).
    """
    n = np.full(anchors, plan.chooser.n, np.int64)
    rooms = _rooms(parts, plan, items)
    settle(parts, n, rooms)
    masks = [part.chosen() for part in parts]
    lacking = n - _got(parts, anchors)
    if plan.chooser.on_short == "fill":
        # Any other kept candidate, hardest first; caps hold, quotas no longer.
        rest = [part.rest() for part in parts]
        left = [room - places_taken(parts, which, len(room)) for which, room in enumerate(rooms)]
        settle(rest, lacking, left)
        masks = [mask | part.chosen() for mask, part in zip(masks, rest, strict=True)]
        lacking = lacking - _got(rest, anchors)
    if plan.chooser.on_short == "drop":
        for part in parts:
            part.held = part.held[lacking[part.anchors[part.owners(part.held)]] == 0]
        masks = [part.chosen() for part in parts]
    return masks, lacking


def _rooms(parts: Sequence[Wishes], plan: Plan, items: int) -> list[IntArray]:
    """How many places each item and each pair of classes has; the pairs in use are numbered anew, without gaps."""
    rooms = [] if plan.per_item is None else [np.full(items, plan.per_item, np.int64)]
    if plan.per_pair is not None:
        pairs, codes = distinct(np.concatenate([np.zeros(0, np.int64), *(part.claims[-1] for part in parts)]))
        rooms.append(np.where(pairs < 0, len(codes), plan.per_pair))  # who has no class is not held back
        ends = np.cumsum([len(part) for part in parts])
        for part, mine in zip(parts, np.split(codes, ends[:-1]), strict=True):
            part.claims = (*part.claims[:-1], mine.astype(np.int32))
    return rooms


def _got(parts: Sequence[Wishes], anchors: int) -> IntArray:
    out = np.zeros(anchors, np.int64)
    for part in parts:
        out += np.bincount(part.anchors[part.owners(part.held)], minlength=anchors)
    return out
