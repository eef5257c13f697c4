"""Sampling a whole run from the parts on disk, so that a resumed run takes the same path as a fresh one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg import ledger
from hardneg.context import Context
from hardneg.filters.duplicates import fingerprints
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.run import RunWriter, rows_of
from hardneg.samplers import sample
from hardneg.sources import Uniform
from hardneg.steps import Steps
from hardneg.table import Rows, Verdict, negatives_table

__all__ = ["Choice", "choose", "random_items"]

_FOR_SAMPLING = ("score", "rank", "source", "source_score", "positive_score", "grade")


@dataclass(frozen=True, eq=False)
class Choice:
    """What the sampler made of all parts."""

    negatives: pa.Table
    lacking: IntArray  # for each anchor
    counts: Counter[tuple[str, str]]
    pairs: tuple[IntArray, IntArray]  # every candidate: anchor and item rows
    used: BoolArray  # which items are candidates
    columns: tuple[str, ...]  # of the candidates


def choose(writer: RunWriter, steps: Steps, positives: Positives, seed: int) -> Choice:
    """Read the parts back, count their verdicts, and sample from what was kept."""
    anchors, items = positives.anchors, positives.items
    counts: Counter[tuple[str, str]] = Counter()
    kept, pairs = [], []
    names: dict[str, None] = {}
    for part in writer.read():
        rows, reasons = rows_of(part, anchors, items, steps.source_names)
        counts += ledger.count_verdicts(rows, reasons)
        pairs.append((rows.anchor, rows.item))
        names |= dict.fromkeys(rows.columns)
        columns = {name: rows[name] for name in _FOR_SAMPLING}
        kept.append(Rows(rows.anchor, rows.item, columns).take(rows["verdict"] == Verdict.KEEP))
    all_kept = Rows.concatenated(kept)
    all_kept = all_kept.take(np.lexsort((all_kept.item, -all_kept["score"], all_kept.anchor)))
    chosen, lacking = sample(all_kept, steps.plan, anchors, items, steps.source_names, seed)
    both = tuple(np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    used = np.zeros(len(items), bool)
    used[both[1]] = True
    table = negatives_table(all_kept.take(chosen), anchors, items, steps.source_names)
    return Choice(table, lacking, counts, (both[0], both[1]), used, tuple(names))


def random_items(context: Context, anchors: IntArray, choice: Choice, k: int, steps: Steps) -> Rows:
    """Random items for anchors that came up short; none is a candidate already, or says the same as one."""
    items, n = context.positives.items, len(context.positives.anchors)
    rows = Uniform(k).prepare(context)(anchors)
    known, taken = choice.pairs
    # Small codes stand for the texts, so that pairs of them can be looked up.
    said = np.unique(fingerprints(items.texts, len(items), 0), return_inverse=True)[1].astype(np.int64)
    rows = rows.take(~Ragged.from_pairs(known, said[taken], n).contains(rows.anchor, said[rows.item]))
    bit = np.uint32(1 << steps.source_names.index(Uniform.name))
    unranked = {name: np.full(len(rows), -1, np.int32) for name in choice.columns if name.startswith("rank_")}
    return rows.having(source=np.full(len(rows), bit), **unranked)
