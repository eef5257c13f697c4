"""One chooser and its limits, applied to the kept candidates of a whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import OptionError
from hardneg.ragged import IntArray
from hardneg.samplers._allocate import allocate
from hardneg.samplers._base import Chooser, Limit, Sampler
from hardneg.table import Rows

__all__ = ["Plan", "plan", "sample"]


@dataclass(frozen=True)
class Plan:
    """What to do with the kept candidates: one chooser, any limits."""

    chooser: Chooser
    limits: tuple[Limit, ...]

    @property
    def per_item(self) -> int | None:
        """The tightest cap on an item."""
        caps = [limit.per_item for limit in self.limits if limit.per_item is not None]
        return min(caps) if caps else None


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
) -> tuple[NDArray[np.bool_], IntArray]:
    """Choose among kept candidates, sorted by anchor and then score (highest first).

    Returns the mask of the chosen rows and, for each anchor, how many it lacks (before any is dropped for that).
    """
    n = np.full(len(anchors), plan.chooser.n, np.int64)
    rows = rows.having(anchor_key=anchors.keys[rows.anchor], item_key=items.keys[rows.item])
    kinds = [kind for limit in plan.limits for kind in limit.kinds(rows, plan.chooser.n, items, source_names)]
    preference = plan.chooser.prefer(rows, seed)
    room = None if plan.per_item is None else np.full(len(items), plan.per_item, np.int64)
    chosen = allocate(rows, preference, n, kinds, room)
    if plan.chooser.on_short == "fill":
        chosen = _filled(rows, chosen, n, room)
    lacking = n - np.bincount(rows.anchor[chosen], minlength=len(anchors))
    if plan.chooser.on_short == "drop":
        chosen &= lacking[rows.anchor] == 0
    return chosen, lacking


def _filled(rows: Rows, chosen: NDArray[np.bool_], n: IntArray, room: IntArray | None) -> NDArray[np.bool_]:
    """The chosen, then any other kept candidate, hardest first; caps hold, quotas no longer."""
    preference = np.where(chosen, -np.inf, rows["score"].astype(np.float64))
    left = n - np.bincount(rows.anchor[chosen], minlength=len(n))
    if room is not None:
        room = room - np.bincount(rows.item[chosen], minlength=len(room))
    return chosen | allocate(rows, preference, left, [], room)
