"""One chooser and its limits, applied to the kept candidates of a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.ragged import IntArray
from hardneg.samplers._allocate import places_taken, settle
from hardneg.samplers._base import Chooser, Limit, Sampler, groups_of
from hardneg.samplers._wishes import Mask, Wishes
from hardneg.table import Rows, distinct

__all__ = ["Plan", "plan", "sample", "sample_parts", "wishes"]


@dataclass(frozen=True)
class Plan:
    """What to do with the kept candidates: one chooser, any limits."""

    chooser: Chooser
    limits: tuple[Limit, ...]

    @property
    def caps(self) -> dict[str, int]:
        """By column the tightest cap on one of its values."""
        tightest: dict[str, int] = {}
        for name, most in (one for limit in self.limits for one in limit.caps.items()):
            tightest[name] = min(most, tightest.get(name, most))
        return tightest

    @property
    def capped(self) -> bool:
        """Whether anchors compete, so that all must be known before any can choose."""
        return bool(self.caps)

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
    wished = wishes(rows, plan, anchors, items, source_names, seed)
    masks, lacking = sample_parts([wished], plan, plan.chooser.wanted(anchors))
    return masks[0], lacking


def wishes(
    rows: Rows, plan: Plan, anchors: Collection, items: Collection, source_names: Sequence[str], seed: int
) -> Wishes:
    """What the anchors of some kept candidates wish for; rows as for :func:`sample`."""
    if plan.chooser.draws:
        rows = rows.having(anchor_key=anchors.keys[rows.anchor], item_key=items.keys[rows.item])
    wanted = plan.chooser.wanted(anchors)
    kinds = [kind for limit in plan.limits for kind in limit.kinds(rows, wanted, items, source_names)]
    claims = [_claimed(name, rows, items) for name in plan.caps]
    preference = plan.chooser.prefer(rows, seed)
    return Wishes.of(rows, preference, kinds, claims, all_rows=plan.chooser.on_short == "fill")


def _claimed(name: str, rows: Rows, items: Collection) -> IntArray:
    """What each row takes a place of: its item, or the value of a column, -1 for none."""
    if name == "item":
        return rows.item
    return np.asarray(rows[name], np.int64) if name == "class_pair" else groups_of(name, rows, items)


def sample_parts(parts: Sequence[Wishes], plan: Plan, wanted: IntArray) -> tuple[list[Mask], IntArray]:
    """Choose for anchors that want so many each, and whose wishes come in parts, each anchor's in one of them.

    Returns for each part the mask of the chosen among the rows that its wishes are of and, for each anchor, how many
    it lacks (before any is dropped for that).
    """
    rooms = _rooms(parts, plan)
    settle(parts, wanted, rooms)
    masks = [part.chosen() for part in parts]
    lacking = wanted - _got(parts, len(wanted))
    if plan.chooser.on_short == "fill":
        # Any other kept candidate, hardest first; caps hold, quotas no longer.
        rest = [part.rest() for part in parts]
        left = [room - places_taken(parts, which, len(room)) for which, room in enumerate(rooms)]
        settle(rest, lacking, left)
        masks = [mask | part.chosen() for mask, part in zip(masks, rest, strict=True)]
        lacking = lacking - _got(rest, len(wanted))
    if plan.chooser.on_short == "drop":
        for part in parts:
            part.held = part.held[lacking[part.anchors[part.owners(part.held)]] == 0]
        masks = [part.chosen() for part in parts]
    return masks, lacking


def _rooms(parts: Sequence[Wishes], plan: Plan) -> list[IntArray]:
    """How many places each thing has that is claimed; those in use are numbered anew, without gaps."""
    rooms, ends = [], np.cumsum([len(part) for part in parts])
    for which, most in enumerate(plan.caps.values()):
        values, codes = distinct(np.concatenate([np.zeros(0, np.int64), *(part.claims[which] for part in parts)]))
        rooms.append(np.where(values < 0, len(codes), most))  # who has none is not held back
        for part, mine in zip(parts, np.split(codes, ends[:-1]), strict=True):
            claims = list(part.claims)
            claims[which] = mine.astype(np.int32)
            part.claims = tuple(claims)
    return rooms


def _got(parts: Sequence[Wishes], anchors: int) -> IntArray:
    out = np.zeros(anchors, np.int64)
    for part in parts:
        out += np.bincount(part.anchors[part.owners(part.held)], minlength=anchors)
    return out
