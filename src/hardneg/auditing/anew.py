"""Known positives, hidden one at a time and mined anew, from what a finished run holds: no search, no model.

A positive was ruled out while searching, so the run has no candidate row for it. It gets the row that it would have
had: its score is known, and its rank is its place among the candidates and the positives. Then the run's own filters
judge it and the run's own sampler chooses, with the references of the positives that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardneg import random
from hardneg.auditing.learnt import Learnt, judges_alone, steps_of
from hardneg.calibrate import hidden_positives
from hardneg.choosing import FILL, class_columns
from hardneg.context import Context, reference_scores
from hardneg.filters import Duplicates, Filter
from hardneg.filters.duplicates import copies, fingerprints
from hardneg.judging import judge_rows
from hardneg.positives import Positives
from hardneg.progress import Progress, Silent
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.run import Run, rows_of
from hardneg.samplers import sample
from hardneg.similarity import FloatArray
from hardneg.steps import Steps
from hardneg.table import Array, Relation, Rows, Verdict

__all__ = ["FOLDS", "Anew", "mined_anew", "named_elsewhere"]

FOLDS = 5
"""How many positives of an anchor are hidden at most, each in a fold of its own."""

_MEETINGS = 2_000_000  # of anchors over an item, in memory at a time


Gather = Callable[[Positives, Rows], Mapping[str, Array]]


@dataclass(frozen=True, eq=False)
class Anew:
    """All known positives of a run; the columns have the shape ``(positives,)``.

    Args:
        anchor: the row of the anchor.
        item: that of the positive.
        score: its similarity to the anchor.
        rank: the raw rank it has or would have; -1 beyond the candidates.
        weight: how many positives it stands for among the hidden; 0 for one that was not hidden.
        looked_at: of the anchors with several positives the share whose positives were hidden.
        mined: whether it is mined as a negative once it is hidden from its own anchor.
        mined_unseen: the same where no other anchor names it either.
        shared: whether it is a shared positive once it is hidden from its own anchor.
        passed_over: filters that need a model and could not judge the hidden; they were taken to let them pass.
        learnt: filters that judged the hidden by what they had learnt from them.
    """

    anchor: IntArray
    item: IntArray
    score: FloatArray
    rank: IntArray
    weight: FloatArray
    looked_at: float
    mined: BoolArray
    mined_unseen: BoolArray
    shared: BoolArray
    passed_over: tuple[str, ...]
    learnt: tuple[str, ...] = ()


def mined_anew(run: Run, seed: int = 0, progress: Progress | None = None) -> Anew:
    """Hide the known positives of anchors that have several, at most one of an anchor at a time, and mine.

    So every hidden one is looked at in the state in which an unknown positive is: all the others that are known are
    known. Where a filter learnt by hiding them as well, only those that it hid are, with its evidence.
    """
    steps = steps_of(run)
    positives, score = run.positives, run.positive_scores
    anchor, item = positives.positive.rows(), positives.positive.values
    learnt = Learnt.of(run, steps.filters)
    fold, weight, looked_at = _folds(positives, learnt.there, seed)
    named = named_elsewhere(positives.positive, len(positives.items))
    gathers = _gathers(steps, positives)
    judging = tuple(one for one in steps.filters if judges_alone(one, learnt))
    rank = np.full(len(anchor), -1, np.int64)
    mined, unseen = np.zeros((2, len(anchor)), bool)
    with (progress or Silent()).stage("hide known positives", len(run.manifest["parts"]), "parts") as report:
        for place, rows in enumerate(_groups(run, capped=steps.plan.capped), 1):
            there = np.isin(anchor, rows.anchor)
            would_be = hidden_positives(positives.positive, score, rows.take(rows["rank"] >= 0))
            proposed = would_be["proposed"]
            rank[there] = np.where(proposed, would_be["rank"], -1)[there]
            for number in range(FOLDS):
                hidden = np.flatnonzero((fold == number) & there & proposed)
                if not len(hidden):
                    continue
                mine = rows if steps.plan.capped else rows.take(np.isin(rows.anchor, anchor[hidden]))
                columns: dict[str, Array] = {"score": score[hidden], "rank": rank[hidden].astype(np.int32)}
                relation = np.where(named[hidden], Relation.SHARED, Relation.UNKNOWN).astype(np.uint8)
                fresh = Rows(anchor[hidden], item[hidden], {**columns, "relation": relation})
                seen_as = [{name: told[hidden] for name, told in one.items()} for one in (learnt.named, learnt.unseen)]
                seen_as[1]["relation"] = np.full(len(hidden), Relation.UNKNOWN, np.uint8)
                mining = _Mining(run, steps, gathers, judging)
                mined[hidden], unseen[hidden] = _chosen(mining, mine, fresh, fold != number, seen_as)
            report(place, len(run.manifest["parts"]))
    passed_over = tuple(str(one) for one in steps.filters if one not in judging)
    by_learning = tuple(str(one) for one in judging if one.needs_model)
    return Anew(anchor, item, score, rank, weight, looked_at, mined, unseen, named, passed_over, by_learning)


def named_elsewhere(positive: Ragged, items: int) -> BoolArray:
    """For each pair whether it is a shared positive once it alone is hidden.

    That is: whether another anchor has the item, and has another positive in common with this one.

    >>> named_elsewhere(Ragged.from_lists([[0, 1], [0, 1], [1]]), 2).tolist()
    [True, True, True, True, False]
    """
    by_item, count = positive.inverted(items), np.bincount(positive.values, minlength=items)
    out = np.zeros(len(positive.values), bool)
    meetings = np.concatenate([[0], np.cumsum(count[positive.values])])[positive.offsets]
    start = 0
    while start < len(positive):  # in blocks of anchors: an item may be a positive of thousands
        stop = max(start + 1, int(np.searchsorted(meetings, meetings[start] + _MEETINGS, side="right")) - 1)
        mine = positive.take(np.arange(start, stop))
        owners = by_item.take(mine.values)
        at = owners.rows()
        left, right = mine.rows()[at] + start, owners.values
        _, code, times = np.unique(left * len(positive) + right, return_inverse=True, return_counts=True)
        several = (times[code] > 1) & (left != right)
        out[positive.offsets[start] : positive.offsets[stop]] = np.bincount(at[several], minlength=len(mine.values)) > 0
        start = stop
    return out


def _folds(positives: Positives, usable: BoolArray, seed: int) -> tuple[IntArray, FloatArray, float]:
    """The fold of each positive, -1 for one that is not hidden, how many it stands for, and the share of the anchors.

    The hidden ones of an anchor stand for all of its positives, these anchors for all that have several.
    """
    anchor, item = positives.positive.rows(), positives.positive.values
    numbers = random.uniform(seed, positives.anchors.keys[anchor], positives.items.keys[item])
    place = positives.positive.ranks(np.where(usable, numbers, np.inf))
    count = positives.positive.lengths()[anchor]
    hidden = usable & (count > 1) & (place < FOLDS)
    many = np.bincount(anchor[hidden], minlength=len(positives.anchors))
    looked_at = float((many > 0).sum() / max(1, (positives.positive.lengths() > 1).sum()))
    weight = np.where(hidden, count / np.maximum(many[anchor] * looked_at, 1e-9), 0.0).astype(np.float32)
    return np.where(hidden, place, -1), weight, looked_at


def _groups(run: Run, *, capped: bool) -> Iterator[Rows]:
    """The candidates, part by part with what fills it up; all at once where anchors compete for items."""
    groups: dict[str, list[str]] = {}
    for name in run.part_names():
        groups.setdefault("" if capped else name.removeprefix(FILL), []).append(name)
    sources = run.manifest["source_names"]
    for names in groups.values():
        parts = [rows_of(run.part(name), run.anchors, run.items, sources)[0] for name in names]
        shared = set(parts[0].columns).intersection(*(part.columns for part in parts))
        yield Rows.concatenated([Rows(one.anchor, one.item, {k: one[k] for k in sorted(shared)}) for one in parts])


@dataclass(frozen=True, eq=False)
class _Mining:
    """What mines anew: a run, its steps, what gives evidence to new rows, and the filters that can judge these."""

    run: Run
    steps: Steps
    gathers: Sequence[Gather]
    judging: tuple[Filter, ...]


def _chosen(
    mining: _Mining, rows: Rows, fresh: Rows, known: BoolArray, seen_as: Sequence[Mapping[str, Array]]
) -> list[BoolArray]:  # fmt: skip
    """Which of the hidden (``fresh``) are mined, for each way to see them: columns as they would be then.

    ``known`` are the positives that stay.
    """
    run, steps = mining.run, mining.steps
    before = run.positives
    pairs = before.positive.rows()[known], before.positive.values[known]
    positives = replace(before, positive=Ragged.from_pairs(*pairs, len(before.anchors)))
    score = run.positive_scores[known]
    references = reference_scores(positives.positive, lambda anchors, items: score)  # noqa: ARG005
    both = Rows.concatenated([rows, _filled(fresh, rows)])
    order = np.lexsort((both.item, -both["score"], both.anchor))
    both, is_fresh = both.take(order), (np.arange(len(both)) >= len(rows))[order]
    place = order[is_fresh] - len(rows)
    for gather in mining.gathers:
        made = gather(positives, both)
        both = both.having(**{name: np.where(is_fresh, made[name], both[name]) for name in made})
    alone = replace(steps, filters=mining.judging)
    judged, _ = judge_rows(both.take(~is_fresh), steps, references)

    def mined(columns: Mapping[str, Array]) -> BoolArray:
        asked = both.take(is_fresh).having(**{name: column[place] for name, column in columns.items()})
        found = [one.take(one["verdict"] == Verdict.KEEP) for one in (judged, judge_rows(asked, alone, references)[0])]
        return _sampled(run, steps, Rows.concatenated(found), fresh)

    return [mined(columns) for columns in seen_as]


def _sampled(run: Run, steps: Steps, kept: Rows, fresh: Rows) -> BoolArray:
    """Which of these pairs the sampler chooses among what was kept."""
    kept = kept.take(np.lexsort((kept.item, -kept["score"], kept.anchor)))
    kept = class_columns(steps.plan, None)(kept)
    mask, _ = sample(kept, steps.plan, run.anchors, run.items, steps.source_names, int(run.manifest["seed"]))
    width = len(run.items)
    return np.isin(fresh.anchor * width + fresh.item, kept.anchor[mask] * width + kept.item[mask])


def _gathers(steps: Steps, positives: Positives) -> list[Gather]:
    """What gives new rows the evidence that needs no model. Copies are found by texts that are read once."""
    found: list[Gather] = []
    for one in steps.filters:
        if one.evidence and not one.needs_model and getattr(one, "among", None) is None:
            found.append(_copies(positives) if isinstance(one, Duplicates) else _others(one))
    return found


def _copies(positives: Positives) -> Gather:
    anchors = fingerprints(positives.anchors, 0)
    items = fingerprints(positives.items, len(anchors))
    return lambda known, rows: {"copy_of": copies(rows, anchors, items, known.positive)}


def _others(one: Filter) -> Gather:
    def gather(known: Positives, rows: Rows) -> Mapping[str, Array]:
        made = one.gather(Context(known, None))
        return {} if made is None else made(rows)

    return gather


def _filled(fresh: Rows, rows: Rows) -> Rows:
    """The new rows with all columns that the candidates have; of what is not known they say nothing."""
    given: dict[str, Array] = {
        "source": np.ones(len(fresh), np.uint32),
        "source_score": fresh["score"],
        "positive_similarity": np.full(len(fresh), -np.inf, np.float32),
    }
    for name, column in rows.columns.items():
        if name not in fresh.columns and name not in given:
            nothing = np.nan if column.dtype.kind == "f" else 0
            given[name] = np.full(len(fresh), nothing, column.dtype)
    return fresh.having(**{name: given[name] for name in rows.columns if name in given})
