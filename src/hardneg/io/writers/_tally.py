"""What became of each item of a run, over all the anchors it was a candidate for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.classes import Classes
from hardneg.labels import about_anchor, own_items
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["ROLES", "Tally", "class_lists", "role_names", "roles", "tally"]

_VERDICTS = ("keep", "drop", "suspect")  # the gravest last
ROLES = ("anchor", "positive", "negative", "suspect")
ANCHOR_DOUBTED = "own_label"  # the reason where an item is doubted as an anchor, not as a candidate

Pairs = tuple[IntArray, IntArray]


@dataclass(frozen=True, eq=False)
class Tally:
    """One figure for each item, shape ``(items,)``, and the pairs that they are of, as rows of anchors and items.

    ``hardest`` is the row of the anchor with the highest score among those it was sampled for, -1 without one.
    A suspect is what is doubted for at least one anchor, or whose own label is doubted where it is the anchor.
    ``label_doubted`` marks the latter. ``verdict`` and ``reason`` are null for what was never a candidate; the reason
    is empty for what was kept.
    """

    times: IntArray
    suspect_for: IntArray
    highest: FloatArray
    hardest: IntArray
    verdict: pa.Array
    reason: pa.Array
    sampled_pairs: Pairs
    suspect_pairs: Pairs
    label_doubted: BoolArray


def tally(run: Run) -> Tally:
    """Count a run by item, part by part."""
    size = len(run.items)
    times, highest, hardest, sampled = _sampled(run)
    counts, suspects = _judged(run)
    kinds = sorted(counts, key=lambda kind: (_VERDICTS.index(kind[0]), kind[1]))  # the gravest last
    worst, most, chosen = np.full(size, -1, np.int64), np.zeros(size, np.int64), np.full(size, -1, np.int64)
    suspect_for = np.zeros(size, np.int64)
    for at, kind in enumerate(kinds):
        number, gravity = counts[kind], _VERDICTS.index(kind[0])
        better = (number > 0) & ((gravity > worst) | (number >= most))
        worst[better], most[better], chosen[better] = gravity, number[better], at
        suspect_for += number * (kind[0] == "suspect")
    rows = pa.array(np.maximum(chosen, 0), mask=chosen < 0)
    doubted = np.zeros(size, bool) if (of := ("suspect", ANCHOR_DOUBTED)) not in counts else counts[of] > 0
    verdict, reason = (pa.array([kind[which] for kind in kinds] or [""]).take(rows) for which in (0, 1))
    return Tally(times, suspect_for, highest, hardest, verdict, reason, sampled, suspects, doubted)


def _sampled(run: Run) -> tuple[IntArray, FloatArray, IntArray, Pairs]:
    size, table = len(run.items), run.negatives
    anchors, items = run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item"))
    scores = table.column("score").to_numpy()
    order = np.lexsort((-anchors, np.nan_to_num(scores, nan=-np.inf), items))  # the hardest of an item comes last
    last = order[np.diff(items[order], append=-1) != 0]
    highest, hardest = np.full(size, np.nan, np.float32), np.full(size, -1, np.int64)
    highest[items[last]], hardest[items[last]] = scores[last], anchors[last]
    return np.bincount(items, minlength=size), highest, hardest, (anchors, items)


def _judged(run: Run) -> tuple[dict[tuple[str, str], IntArray], Pairs]:
    """How often each item got which verdict for which reason, an array of shape ``(items,)`` for each; the suspects."""
    size, own = len(run.items), own_items(run)
    counts: defaultdict[tuple[str, str], IntArray] = defaultdict(lambda: np.zeros(size, np.int64))
    suspects: list[Pairs] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for part in run.parts():
        anchors, items = run.anchors.positions(part.column("anchor")), run.items.positions(part.column("item"))
        names = [part.column(one).cast(pa.string()).combine_chunks() for one in ("verdict", "reason")]
        kinds = pc.binary_join_element_wise(*names, " ").dictionary_encode()
        codes = kinds.indices.to_numpy()
        for code, kind in enumerate(kinds.dictionary.to_pylist()):
            verdict, _, reason = kind.partition(" ")
            rows = np.flatnonzero(codes == code)
            if about_anchor(reason):
                doubted = np.unique(own[anchors[rows]])
                counts[verdict, ANCHOR_DOUBTED] += np.bincount(doubted[doubted >= 0], minlength=size)
                continue
            counts[verdict, reason] += np.bincount(items[rows], minlength=size)
            if verdict == "suspect":
                suspects.append((anchors[rows], items[rows]))
    left, right = zip(*suspects, strict=True)
    return counts, (np.concatenate(left), np.concatenate(right))


def roles(run: Run, found: Tally) -> BoolArray:
    """Whether each item is an anchor, a listed positive, a sampled negative, a suspect: shape ``(4, items)``."""
    size, own = len(run.items), own_items(run)
    anchor, positive = np.zeros(size, bool), np.zeros(size, bool)
    anchor[own[own >= 0]] = True
    positive[run.positives.positive.values] = True
    return np.stack([anchor, positive, found.times > 0, found.suspect_for > 0])


def role_names(has: BoolArray) -> pa.Array:
    """What each thing is, in words.

    >>> role_names(np.array([[True, False], [False, False], [True, False], [False, True]])).to_pylist()
    ['anchor+negative', 'suspect']
    """
    codes = (has * (1 << np.arange(len(ROLES)))[:, None]).sum(axis=0)
    names = ["+".join(name for bit, name in enumerate(ROLES) if code >> bit & 1) for code in range(1 << len(ROLES))]
    return pa.array(names).take(pa.array(codes))


def class_lists(classes: Classes, anchors: IntArray, items: IntArray, rows: IntArray) -> pa.Array:
    """For each of the item ``rows`` the classes of its anchors, the most frequent first, as a column of lists."""
    of_anchor = Ragged.from_codes(classes.anchors).take(anchors)
    item, code = items[of_anchor.rows()], of_anchor.values
    keys, number = np.unique(item * max(1, len(classes.names)) + code, return_counts=True)
    item, code = np.divmod(keys, max(1, len(classes.names)))
    order = np.lexsort((code, -number, item))
    item, code = item[order], code[order]
    lengths = np.bincount(item, minlength=len(classes.items))
    found = Ragged(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), code).take(rows)
    names = pa.array(classes.names, pa.string()).take(pa.array(found.values))
    return pa.ListArray.from_arrays(pa.array(found.offsets, pa.int32()), names)
