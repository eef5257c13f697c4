"""What became of each item of a run, over all the anchors it was a candidate for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg.classes import Classes
from hardneg.labels import about_anchor, own_items
from hardneg.ragged import IntArray, Ragged
from hardneg.run import Run
from hardneg.similarity import FloatArray

__all__ = ["Tally", "class_lists", "tally"]

_VERDICTS = ("keep", "drop", "suspect")  # the gravest last
_SUSPECT = 2
ANCHOR_DOUBTED = "own_label"  # the reason where an item is doubted as an anchor, not as a candidate

Pairs = tuple[IntArray, IntArray]


@dataclass(frozen=True, eq=False)
class Tally:
    """One figure for each item, shape ``(items,)``, and the pairs that they are of, as rows of anchors and items.

    ``hardest`` is the row of the anchor with the highest score among those it was sampled for, -1 without one.
    A suspect is what is doubted for at least one anchor, or whose own label is doubted where it is the anchor.
    ``verdict`` and ``reason`` are null for what was never a candidate; the reason is empty for what was kept.
    """

    times: IntArray
    suspect_for: IntArray
    highest: FloatArray
    hardest: IntArray
    verdict: pa.Array
    reason: pa.Array
    sampled_pairs: Pairs
    suspect_pairs: Pairs


def tally(run: Run) -> Tally:
    """Count a run by item, part by part."""
    size = len(run.items)
    times, highest, hardest, sampled = _sampled(run)
    verdicts, reasons, suspects = _judged(run)
    worst = np.full(size, -1, np.int64)
    reason: list[str | None] = [None] * size
    for (item, code, name), _ in sorted(reasons.items(), key=lambda one: (one[0][1], one[1], one[0][2])):
        worst[item], reason[item] = code, name  # the gravest and most frequent comes last and stays
    verdict = pa.array(_VERDICTS).take(pa.array(np.maximum(worst, 0), mask=worst < 0))
    return Tally(times, verdicts[2], highest, hardest, verdict, pa.array(reason, pa.string()), sampled, suspects)


def _sampled(run: Run) -> tuple[IntArray, FloatArray, IntArray, Pairs]:
    size, table = len(run.items), run.negatives
    anchors, items = run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item"))
    scores = table.column("score").to_numpy()
    order = np.lexsort((-anchors, np.nan_to_num(scores, nan=-np.inf), items))  # the hardest of an item comes last
    last = order[np.diff(items[order], append=-1) != 0]
    highest, hardest = np.full(size, np.nan, np.float32), np.full(size, -1, np.int64)
    highest[items[last]], hardest[items[last]] = scores[last], anchors[last]
    return np.bincount(items, minlength=size), highest, hardest, (anchors, items)


def _judged(run: Run) -> tuple[IntArray, Counter[tuple[int, int, str]], Pairs]:
    """Verdicts by item, shape ``(3, items)``; how often each item got which verdict for which reason; the suspects."""
    size, own = len(run.items), own_items(run)
    counts, reasons = np.zeros((3, size), np.int64), Counter[tuple[int, int, str]]()
    suspects: list[Pairs] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for part in run.parts():
        anchors, items = run.anchors.positions(part.column("anchor")), run.items.positions(part.column("item"))
        verdict, _ = _codes(part.column("verdict"), _VERDICTS)
        reason, names = _codes(part.column("reason"), ())
        of_anchor = np.array([about_anchor(name) for name in names])[reason] & (verdict == _SUSPECT)
        of_item, doubted = np.flatnonzero(~of_anchor), np.unique(own[anchors[of_anchor]])
        doubted = doubted[doubted >= 0]
        counts[_SUSPECT] += np.bincount(doubted, minlength=size)
        reasons.update((row, _SUSPECT, ANCHOR_DOUBTED) for row in doubted.tolist())
        anchors, items, verdict, reason = anchors[of_item], items[of_item], verdict[of_item], reason[of_item]
        for code in range(len(_VERDICTS)):
            counts[code] += np.bincount(items[verdict == code], minlength=size)
        keys, number = np.unique((items * 3 + verdict) * len(names) + reason, return_counts=True)
        for key, n in zip(keys.tolist(), number.tolist(), strict=True):
            pair, name = divmod(key, len(names))
            reasons[(*divmod(pair, 3), names[name])] += n
        mask = verdict == _SUSPECT
        suspects.append((anchors[mask], items[mask]))
    left, right = zip(*suspects, strict=True)
    return counts, reasons, (np.concatenate(left), np.concatenate(right))


def _codes(column: pa.ChunkedArray, known: tuple[str, ...]) -> tuple[IntArray, list[str]]:
    """Names as numbers into the known ones, then others as they come."""
    whole = column.cast(pa.string()).combine_chunks()
    names = [*known, *(name for name in whole.unique().to_pylist() if name not in known)]
    codes = pa.compute.index_in(whole, value_set=pa.array(names or [""], pa.string()))
    return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64), names or [""]


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
