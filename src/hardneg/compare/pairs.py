"""The negatives of two runs as one set of pairs: what both have, what only one has, and what the other says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.ragged import IntArray, Ragged
from hardneg.report.facts import Facts, State
from hardneg.report.reasons import meaning
from hardneg.run import Run

__all__ = ["Change", "Comparison", "compare"]

_EXAMPLES = 12


@dataclass(frozen=True)
class Change:
    """Negatives that only one of the runs has, and that have the same explanation by the other.

    ``reason`` is the rule that decided there, empty where none did; ``examples`` are rows of anchors and items of the
    run that has the negatives, the hardest first.
    """

    why: str
    reason: str
    count: int
    examples: list[tuple[int, int, float]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs side by side.

    Args:
        before, after: the runs.
        stayed: negatives of both, pairs of the same ids.
        left: those of the first alone, by what the second says of them.
        entered: those of the second alone, by what the first says of them.
        steps: names of steps with their texts in either run, where they differ.
        ledgers: names of counts with their values in either run.
    """

    before: Run
    after: Run
    stayed: int
    left: list[Change]
    entered: list[Change]
    steps: list[tuple[str, str, str]]
    ledgers: list[tuple[str, int, int]]


def compare(before: Run, after: Run) -> Comparison:
    """Compare the negatives of two runs; things are the same by their ids.

    >>> import numpy as np, hardneg as hn
    >>> vectors = np.random.default_rng(0).normal(size=(30, 8)).astype("f4")
    >>> known = hn.Positives.from_pairs([0], [0], items=hn.Collection.of(range(30)))
    >>> one, two = (
    ...     hn.mine(known, sources=hn.sources.Neighbors(vectors[:1], vectors, k=20), filters=["known"], sampler=sampler)
    ...     for sampler in ("top(n=4)", "top(n=6)")
    ... )
    >>> found = compare(one, two)
    >>> found.stayed, found.left, [(change.why, change.count) for change in found.entered]
    (4, [], [('Kept, not sampled', 2)])
    """
    sides = Facts.gather(before), Facts.gather(after)
    keys = _keys(*sides)
    sampled = [facts.state == State.SAMPLED for facts in sides]
    mined = [key[mask] for key, mask in zip(keys, sampled, strict=True)]
    return Comparison(
        before,
        after,
        len(np.intersect1d(*mined)),
        _changes(sides[0], np.flatnonzero(sampled[0] & ~np.isin(keys[0], mined[1])), sides[1], keys),
        _changes(sides[1], np.flatnonzero(sampled[1] & ~np.isin(keys[1], mined[0])), sides[0], keys[::-1]),
        _steps(before, after),
        _ledgers(before, after),
    )


def _keys(one: Facts, other: Facts) -> tuple[IntArray, IntArray]:
    """A number for each candidate of either run, the same for the same ids."""
    anchors = _common(one.run.anchors, other.run.anchors)
    items = _common(one.run.items, other.run.items)
    width = len(one.run.items) + len(other.run.items)
    return one.anchor * width + one.item, anchors[other.anchor] * width + items[other.item]


def _common(one: Collection, other: Collection) -> IntArray:
    """For each thing of the other its row among the first; what is not there comes behind them."""
    rows = one.positions(other.ids)
    return np.where(rows >= 0, rows, len(one) + np.arange(len(other)))


def _changes(has: Facts, rows: IntArray, lacks: Facts, keys: tuple[IntArray, IntArray]) -> list[Change]:
    """Rows of one run by what the other says of them."""
    theirs, order = np.unique(keys[1], return_index=True)
    wanted = keys[0][rows]
    place = np.minimum(np.searchsorted(theirs, wanted), max(0, len(theirs) - 1))
    there = theirs[place] == wanted if len(theirs) else np.zeros(len(rows), bool)
    reasons = [("", "")] * len(rows)
    for at, row in zip(np.flatnonzero(there).tolist(), order[place[there]].tolist(), strict=True):
        reasons[at] = _of_candidate(lacks, row)
    absent = np.flatnonzero(~there)
    for at, why in zip(absent.tolist(), _of_absent(has, rows[absent], lacks.run), strict=True):
        reasons[at] = (why, "")
    grouped: dict[tuple[str, str], list[int]] = {}
    for reason, row in zip(reasons, rows.tolist(), strict=True):
        grouped.setdefault(reason, []).append(row)
    made = [Change(*reason, len(found), _hardest(has, found)) for reason, found in grouped.items()]
    return sorted(made, key=lambda change: (-change.count, change.why))


def _of_candidate(facts: Facts, row: int) -> tuple[str, str]:
    reason = facts.reason.names[facts.reason.codes[row]]
    if facts.state[row] == State.KEPT or not reason:
        return "Kept, not sampled", ""
    return meaning(reason).title, reason


def _of_absent(has: Facts, rows: IntArray, lacks: Run) -> list[str]:
    """Why a pair is no candidate of a run: its anchor or item is not there, it is known, or no source proposed it."""
    anchors, items = (
        things.positions(own.ids.take(pa.array(which)))
        for things, own, which in (
            (lacks.anchors, has.run.anchors, has.anchor[rows]), (lacks.items, has.run.items, has.item[rows])
        )
    )  # fmt: skip
    out = np.full(len(rows), "No candidate: no source proposed it", object)
    for name, one in lacks.positives.lists().items():
        out[_in(one, anchors, items)] = f"Known: {name}"
    out[items < 0] = "No candidate: the item is not in the run"
    out[anchors < 0] = "The anchor is not in the run"
    return [str(one) for one in out]


def _in(lists: Ragged, anchors: IntArray, items: IntArray) -> IntArray:
    there = np.flatnonzero((anchors >= 0) & (items >= 0))
    return there[lists.contains(anchors[there], items[there])]


def _hardest(facts: Facts, rows: list[int]) -> list[tuple[int, int, float]]:
    first = sorted(rows, key=lambda row: (-float(facts.score[row]), row))[:_EXAMPLES]
    return [(int(facts.anchor[row]), int(facts.item[row]), float(facts.score[row])) for row in first]


def _steps(one: Run, other: Run) -> list[tuple[str, str, str]]:
    """What was done differently."""
    pairs = []
    for name in ("encoder", "seed", "wanted", "reference"):
        pairs.append((name, str(one.manifest.get(name, "")), str(other.manifest.get(name, ""))))
    for name in {**one.manifest["steps"], **other.manifest["steps"]}:
        texts = [run.manifest["steps"].get(name, []) for run in (one, other)]
        left, right = (", ".join(text) if isinstance(text, list) else str(text) for text in texts)
        pairs.append((name, left, right))
    return [pair for pair in pairs if pair[1] != pair[2]]


def _ledgers(one: Run, other: Run) -> list[tuple[str, int, int]]:
    names = ("candidates", "dropped", "suspect", "kept_not_sampled", "sampled")
    counts = [(name.replace("_", " "), int(one.ledger[name]), int(other.ledger[name])) for name in names]
    reasons = dict.fromkeys([*one.ledger["reasons"], *other.ledger["reasons"]])
    told = [(name, *(int(run.ledger["reasons"].get(name, 0)) for run in (one, other))) for name in reasons]
    return counts + [(name, left, right) for name, left, right in told]
