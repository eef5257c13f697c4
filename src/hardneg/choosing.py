"""Sampling a whole run from the parts on disk, so that a resumed run takes the same path as a fresh one.

One part is in memory at a time. Where items have caps all anchors compete, so what each wishes for is held as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg import ledger
from hardneg.classes import Classes, together
from hardneg.context import Context
from hardneg.errors import OptionError
from hardneg.filters.duplicates import fingerprints
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.run import Run, rows_of
from hardneg.samplers import Plan, sample, sample_parts, wishes
from hardneg.sources import Uniform
from hardneg.steps import Steps
from hardneg.table import Rows, Verdict, distinct, negatives_table
from hardneg.writing import RunWriter

__all__ = ["FILL", "Choice", "choose", "class_columns", "kept_of", "random_items"]

FILL = "fill-"  # before the name of a part: random items for those of its anchors that are short

_FOR_SAMPLING = ("score", "rank", "source", "source_score", "positive_score", "grade")
_READ = ["anchor", "item", *_FOR_SAMPLING, "verdict", "reason"]


@dataclass(frozen=True, eq=False)
class Choice:
    """What the sampler made of all parts."""

    negatives: pa.Table
    lacking: IntArray  # for each anchor
    counts: Counter[tuple[str, str]]
    used: BoolArray  # which items are candidates
    doubted: BoolArray  # which are suspect for anyone


def choose(writer: RunWriter, steps: Steps, positives: Positives, seed: int) -> Choice:
    """Read the parts back, count their verdicts, and sample from what was kept.

    Raises OptionError for a limit on classes where there are none.
    """
    anchors, items, plan, names = positives.anchors, positives.items, steps.plan, steps.source_names
    with_classes = class_columns(plan, positives.classes)
    counts: Counter[tuple[str, str]] = Counter()
    used, doubted = np.zeros(len(items), bool), np.zeros(len(items), bool)
    groups = _groups(writer.names)
    there = set(writer.columns(writer.names[0])) - {"anchor", "item"} if writer.names else set()
    more = [name for name in plan.reads if name in there]

    def kept(group: Sequence[str], *, count: bool = True) -> Rows:
        found = []
        for name in group:
            rows, reasons = rows_of(writer.read(name, list(dict.fromkeys(_READ + more))), anchors, items, names)
            if count:
                counts.update(ledger.count_verdicts(rows, reasons))
                used[rows.item] = True
                doubted[rows.item[rows["verdict"] == Verdict.SUSPECT]] = True
            found.append(_for_sampling(rows, more))
        return with_classes(_in_order(Rows.concatenated(found)))

    if not plan.capped:
        wanted = plan.chooser.wanted(anchors)
        chosen, lacking = [], wanted.copy()
        for group in groups:
            rows = kept(group)
            mask, short = sample(rows, plan, anchors, items, names, seed)
            chosen.append(rows.take(mask))
            lacking -= wanted - short
    else:
        wished = [wishes(kept(group), plan, anchors, items, names, seed) for group in groups]
        masks, lacking = sample_parts(wished, plan, plan.chooser.wanted(anchors))
        del wished
        chosen = [kept(group, count=False).take(mask) for group, mask in zip(groups, masks, strict=True)]
    return Choice(negatives_table(Rows.concatenated(chosen), anchors, items, names), lacking, counts, used, doubted)


def class_columns(plan: Plan, classes: Classes | None) -> Callable[[Rows], Rows]:
    """What gives candidates the classes that the limits of a plan read: ``item_class`` and ``class_pair``.

    Raises OptionError where they read some and there are none.
    """
    if not {"item_class", "class_pair"} & set(plan.reads):
        return lambda rows: rows
    if classes is None:
        limits = " and ".join(str(one) for one in plan.limits if {"item_class", "class_pair"} & set(one.reads))
        raise OptionError(f"{limits} needs items with labels, and there are none. Leave it out, or give labelled data.")
    of_anchors, of_items = together(classes.anchors), together(classes.items)
    width = int(of_items.max(initial=0)) + 1

    def having(rows: Rows) -> Rows:
        mine, theirs = of_anchors[rows.anchor], of_items[rows.item]
        return rows.having(item_class=theirs, class_pair=np.where((mine < 0) | (theirs < 0), -1, mine * width + theirs))

    return having


def random_items(context: Context, k: int, steps: Steps) -> Callable[[IntArray, Rows], Rows]:
    """Prepare, and return the function that proposes random items for short anchors of a part.

    It takes these anchors and the part's candidates; what it proposes is none of them and says the same as none.
    """
    items = context.positives.items
    propose = Uniform(k).prepare(context)
    said = fingerprints(items)
    bit = np.uint32(1 << steps.source_names.index(Uniform.name))

    def fresh(anchors: IntArray, part: Rows) -> Rows:
        rows = propose(anchors)
        # Small codes stand for the texts, so that pairs of them can be looked up.
        codes = distinct(np.concatenate([said[part.item], said[rows.item]]))[1]
        known = Ragged.from_pairs(part.anchor, codes[: len(part)], len(context.positives.anchors))
        rows = rows.take(~known.contains(rows.anchor, codes[len(part) :]))
        unranked = {name: np.full(len(rows), -1, np.int32) for name in part.columns if name.startswith("rank_")}
        return rows.having(source=np.full(len(rows), bit), **unranked)

    return fresh


def kept_of(run: Run) -> Rows:
    """All candidates of a finished run that no filter spoke against, with what sampling reads.

    They stand by anchor, hardest first. Row numbers are those of ``run.anchors`` and ``run.items``.
    """
    names = run.manifest["source_names"]

    def kept(part: pa.Table) -> Rows:
        return _for_sampling(rows_of(part.select(_READ), run.anchors, run.items, names)[0], ())

    return _in_order(Rows.concatenated([kept(part) for part in run.parts()]))


def _groups(names: Sequence[str]) -> list[list[str]]:
    """Each part together with what fills it up, in order."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.removeprefix(FILL), []).append(name)
    return list(groups.values())


def _for_sampling(rows: Rows, more: Sequence[str]) -> Rows:
    """The kept, with what sampling needs."""
    columns = {name: rows[name] for name in (*_FOR_SAMPLING, *more)}
    slim = Rows(rows.anchor.astype(np.int32), rows.item.astype(np.int32), columns)
    return slim.take(rows["verdict"] == Verdict.KEEP)


def _in_order(rows: Rows) -> Rows:
    """By anchor, hardest first, then in the order of the items; mostly they stand so already."""
    anchor, score, item = rows.anchor, rows["score"], rows.item
    rises = (score[1:] < score[:-1]) | ((score[1:] == score[:-1]) & (item[1:] >= item[:-1]))
    if ((anchor[1:] > anchor[:-1]) | ((anchor[1:] == anchor[:-1]) & rises)).all():
        return rows
    return rows.take(np.lexsort((item, -score, anchor)))
