"""What a sampler must do: a chooser, which orders and counts, and a limit, which holds it back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardneg.context import Context
from hardneg.samplers import SAMPLERS, Chooser, Limit, Sampler, Top, plan, sample
from hardneg.table import Rows
from hardneg.testing._expect import expect, expect_round_trip
from hardneg.testing._world import kept_rows, renumbered, world

__all__ = ["check_sampler"]

_SOURCES = ["one", "two"]


def check_sampler(step: Sampler, context: Context | None = None) -> None:
    """Raise AssertionError unless a sampler keeps its promises.

    A chooser gives each candidate one number, finite or -inf, decided by the seed and the candidate's own anchor:
    the same in any block and under any row numbers. A limit is counted, for an anchor or for an item, and holds.

    Args:
        step: a :class:`hardneg.samplers.Chooser` or a :class:`hardneg.samplers.Limit`.
        context: where to try it; a small world with texts, vectors and every relation if not given.
    """
    context = context or world()
    expect_round_trip(SAMPLERS, step)
    rows = kept_rows(context)
    if isinstance(step, Chooser):
        _check_preference(step, rows, context)
        _check_choice(step, rows, context)
    elif isinstance(step, Limit):
        _check_limit(step, rows, context)
    else:
        expect(False, step, "be a Chooser or a Limit", type(step).__mro__[1].__name__)


def _check_preference(step: Chooser, rows: Rows, context: Context) -> None:
    for seed in (0, 1, 2**63):
        whole = _preferred(step, rows, seed)
        again = _preferred(step, rows, seed)
        expect(np.array_equal(whole, again), step, "prefer the same each time for one seed")
        blocks = [_preferred(step, rows.take(rows.anchor == anchor), seed) for anchor in np.unique(rows.anchor)]
        expect(np.array_equal(np.concatenate(blocks), whole), step, "prefer the same whatever other anchors there are")
        n, m = len(context.positives.anchors), len(context.positives.items)
        moved = _preferred(step, renumbered(rows, n - 1 - np.arange(n), m - 1 - np.arange(m)), seed)
        back = np.argsort(np.argsort(-rows.anchor, kind="stable"), kind="stable")
        expect(np.array_equal(moved[back], whole), step, "prefer the same under other row numbers")
    _preferred(step, rows.take(np.zeros(len(rows), bool)), 0)


def _preferred(step: Chooser, rows: Rows, seed: int) -> NDArray[np.float64]:
    found = step.prefer(rows, seed)
    expect(np.shape(found) == (len(rows),), step, f"give a preference of shape ({len(rows)},)", np.shape(found))
    expect(found.dtype == np.float64, step, "give its preference as float64", found.dtype)
    expect(not np.isnan(found).any(), step, "give no NaN for a preference")
    expect((found < np.inf).all(), step, "give finite preferences, or -inf for never", "inf")
    return found


def _check_choice(step: Chooser, rows: Rows, context: Context) -> None:
    chosen, lacking = _sampled(replace(step, on_short="keep"), None, rows, context)
    expect(not (chosen & ~np.isfinite(step.prefer(rows, 0))).any(), step, "choose nothing that it never wants")
    available = np.bincount(rows.anchor[np.isfinite(step.prefer(rows, 0))], minlength=len(lacking))
    expect((lacking == np.maximum(step.n - available, 0)).all(), step, f"choose {step.n} where there are so many")


def _check_limit(step: Limit, rows: Rows, context: Context) -> None:
    items, n = context.positives.items, 6
    for name, most in step.caps.items():
        expect(most >= 1, step, f"allow at least one negative for each '{name}'", most)
    kinds = step.kinds(rows, np.full(len(context.positives.anchors), n), items, _SOURCES)
    for kind, limits in kinds:
        expect(np.shape(kind) == (len(rows),), step, "give each row a kind", np.shape(kind))
        expect(((kind >= 0) & (kind < len(limits))).all(), step, "give a limit for each kind")
        expect((np.asarray(limits) >= 0).all(), step, "give limits of at least 0", limits)
    chosen, _ = _sampled(Top(n), step, rows, context)
    for kind, limits in kinds:
        for anchor in np.unique(rows.anchor):
            counts = np.bincount(kind[chosen & (rows.anchor == anchor)], minlength=len(limits))
            expect((counts <= limits).all(), step, f"hold to {list(limits)} for each anchor", list(counts))
    for name, most in step.caps.items():
        values = (rows.item if name == "item" else rows[name])[chosen]
        used = np.bincount(values[values >= 0]).max(initial=0)
        expect(used <= most, step, f"hold to its cap on '{name}'", used)


def _sampled(
    chooser: Chooser, limit: Limit | None, rows: Rows, context: Context
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    steps = plan([chooser] if limit is None else [chooser, limit])
    return sample(rows, steps, context.positives.anchors, context.positives.items, _SOURCES, 0)
