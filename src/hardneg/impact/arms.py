"""The arms: sets of negatives that are compared, all else being equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg import random
from hardneg.impact.task import Task
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged, places
from hardneg.run import Run
from hardneg.similarity import FloatArray
from hardneg.weights import suspects

__all__ = [
    "Arm",
    "filled",
    "mixed",
    "naive_lists",
    "no_mining",
    "of_run",
    "random_arm",
    "sampled_lists",
    "shuffled_arm",
]

_MIX, _SHUFFLE = 0x1417, 0x5F1E  # keep these draws apart from all others
_TRIES = 24  # before all items are looked at one by one


@dataclass(frozen=True, eq=False)
class Arm:
    """A set of negatives by name.

    Args:
        name: as in tables.
        words: what it is.
        lists: of a seed, for each anchor of the task, its negatives, hardest first. A random arm alone looks at it.
        doubted: items that do not count as hard for a classifier, shape ``(items,)``; None for none.
    """

    name: str
    words: str
    lists: Callable[[int], Ragged]
    doubted: BoolArray | None = None


def no_mining(task: Task) -> Arm:
    """No negatives but those that training meets by itself: others in the batch, or all examples alike."""
    empty = Ragged.empty(len(task.positives.anchors))
    return Arm("none", "no mining", lambda seed: empty)  # noqa: ARG005 - the same for all seeds


def random_arm(task: Task, like: Ragged) -> Arm:
    """As many negatives for each anchor as ``like`` has, drawn evenly among all it may have; anew for each seed."""

    def lists(seed: int) -> Ragged:
        return drawn_like(task, like, seed)

    return Arm("random", "random negatives", lists)


def shuffled_arm(task: Task, like: Arm) -> Arm:
    """The same negatives dealt out to anchors at random, so that they are hard for nobody: a null to test with."""

    def lists(seed: int) -> Ragged:
        found = like.lists(seed)
        order = np.argsort(random.uniform(seed, np.array(_SHUFFLE), np.arange(len(found.values))), kind="stable")
        dealt = found.values[order]
        ruled_out = _ruled_out(task, found.rows(), dealt)
        fresh = drawn_like(task, found, seed).values
        return Ragged(found.offsets, np.where(ruled_out, fresh, dealt))

    return Arm("shuffled", "mined negatives of other anchors", lists)


def drawn_like(task: Task, like: Ragged, seed: int) -> Ragged:
    """Random admissible items, as many different ones for each anchor as ``like`` has, each as likely as any other.

    By counter: what an anchor gets does not depend on the others. Where fewer are admissible they are repeated, where
    none is the anchor gets none.
    """
    rows, n, slots = like.rows(), len(task.positives.items), places(like.lengths())
    keys, items = task.positives.anchors.keys[rows], np.full(len(rows), -1, np.int64)
    for number in range(_TRIES):
        open_ = np.flatnonzero(items < 0)
        if not len(open_):
            break
        drawn = (random.uniform(seed, keys[open_], slots[open_], np.array(number)) * n).astype(np.int64)
        fit = ~_ruled_out(task, rows[open_], drawn)
        items[open_[fit]] = drawn[fit]
        items[_repeated(rows, items, n)] = -1
    lacking = np.unique(rows[items < 0])
    if not len(lacking):
        return Ragged(like.offsets, items)
    lists = np.split(items, like.offsets[1:-1])
    for row in lacking.tolist():  # nearly everything is ruled out: look at all there is
        lists[row] = _all_drawn(task, row, len(lists[row]), seed)
    return Ragged.from_lists(lists)


def _repeated(rows: IntArray, items: IntArray, n: int) -> IntArray:
    """Where an anchor has an item that it has before."""
    known = np.flatnonzero(items >= 0)
    _, first = np.unique(rows[known] * n + items[known], return_index=True)
    return np.delete(known, first)


def _all_drawn(task: Task, anchor: int, wanted: int, seed: int) -> IntArray:
    every = np.arange(len(task.positives.items))
    fit = every[~_ruled_out(task, np.full(len(every), anchor), every)]
    order = np.argsort(random.uniform(seed, task.positives.anchors.keys[[anchor]], fit), kind="stable")
    return np.resize(fit[order], wanted) if len(fit) else fit


def filled(task: Task, lists: Ragged, seed: int) -> tuple[Ragged, int]:
    """The same lists, where anchors that have nothing get random items, as many as others mostly have; and how many.

    Else arms would train on different anchors. Where nobody has any (no mining) it stays so.
    """
    lengths = lists.lengths()
    lacking = np.zeros(len(lists), bool)
    lacking[task.learners] = lengths[task.learners] == 0
    if not len(lists.values) or not lacking.any():
        return lists, 0
    usual = int(np.median(lengths[lengths > 0]))
    more = drawn_like(task, Ragged.from_lengths(lacking * usual, np.zeros(int(lacking.sum()) * usual, np.int64)), seed)
    parts = [(more if lacking[row] else lists)[row] for row in range(len(lists))]
    return Ragged.from_lists(parts), int(lacking.sum())


def _ruled_out(task: Task, anchors: IntArray, items: IntArray) -> BoolArray:
    """What an anchor may not have: itself, positives, ignored, its own class, and what is not trained on."""
    return _forbidden(task.positives, anchors, items) | ~task.trainable[items]


def _forbidden(positives: Positives, anchors: IntArray, items: IntArray) -> BoolArray:
    """What is no negative of an anchor: itself, positives, ignored, its own class."""
    return np.asarray(
        positives.positive.contains(anchors, items)
        | positives.ignored.contains(anchors, items)
        | (positives.own[anchors] == items)
        | positives.forbids(anchors, items)
    )


def of_run(task: Task, run: Run, name: str, words: str) -> Arm:
    """What a run has sampled, of what may be trained on."""
    found = task.restricted(sampled_lists(run, task.positives))
    doubted = None
    if task.kind == "classification":
        rows = task.positives.items.positions(run.items.ids)
        doubted = np.zeros(len(task.positives.items), bool)
        which = suspects(run) & (rows >= 0)
        doubted[rows[which]] = True
    return Arm(name, words, lambda seed: found, doubted)  # noqa: ARG005 - the same for all seeds


def sampled_lists(run: Run, positives: Positives) -> Ragged:
    """The sampled negatives of a run by rows of ``positives``, hardest first."""
    return _sorted(*_placed(positives, run.negatives), len(positives.anchors))


def naive_lists(run: Run, positives: Positives) -> Ragged:
    """The hardest candidates of a run that are no known positives, whatever the filters say: as many for each anchor.

    It is what mining without any filter gives (top-k).
    """
    mined = sampled_lists(run, positives).lengths()
    wanted = np.where(mined > 0, np.maximum(mined, int(run.manifest["wanted"])), 0)
    parts = [_placed(positives, part) for part in run.parts()]
    anchor, item, score = (np.concatenate(one) for one in zip(*parts, strict=True))
    lists = _sorted(anchor, item, score, len(positives.anchors))
    lists = lists.where(~_forbidden(positives, lists.rows(), lists.values))
    return lists.where(places(lists.lengths()) < wanted[lists.rows()])


def mixed(task: Task, mined: Ragged, share: float, seed: int) -> Ragged:
    """The mined negatives, of which all but ``share`` give way to random ones: a dose of hardness."""
    fresh = drawn_like(task, mined, seed)
    keep = random.uniform(seed, np.array(_MIX), np.arange(len(mined.values))) < share
    return Ragged(mined.offsets, np.where(keep, mined.values, fresh.values))


def _placed(positives: Positives, pairs: pa.Table) -> tuple[IntArray, IntArray, FloatArray]:
    """Anchors, items and scores of a run's pairs by rows of ``positives``; pairs unknown there are left out."""
    anchor, item = (getattr(positives, f"{side}s").positions(pairs.column(side)) for side in ("anchor", "item"))
    known = (anchor >= 0) & (item >= 0)
    return anchor[known], item[known], pairs.column("score").to_numpy()[known]


def _sorted(anchor: IntArray, item: IntArray, score: FloatArray, n: int) -> Ragged:
    order = np.lexsort((item, -np.asarray(score, np.float64), anchor))
    return Ragged.from_lengths(np.bincount(anchor, minlength=n), item[order])
