"""A finished run's relations once its reviewers' decisions count, without a search and without vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from hardneg.decisions import FILE, Decision, read_decisions
from hardneg.labels import classes_of
from hardneg.positives import Positives
from hardneg.ragged import IntArray, Ragged
from hardneg.replay import replayed
from hardneg.run import Run, relation_of
from hardneg.similarity import FloatArray
from hardneg.table import Relation, Rows

__all__ = ["Decided", "decided"]


@dataclass(frozen=True, eq=False)
class Decided:
    """The relations of a run with decisions in them, and as they were ``before``.

    ``scores`` has the similarity of each pair of each relation, in its order; ``counts`` are those of the replay, with
    ``no_candidate`` for pairs that are none of the run, and so cannot change it; ``mark`` differs where the pairs do.
    """

    before: Positives
    positives: Positives
    scores: Mapping[str, FloatArray]
    counts: Mapping[str, int]
    mark: str
    shares: bool

    def relations(self, rows: Rows) -> Rows:
        """Candidates with what is known of them now, and each one's nearest positive at its new place among all."""
        old = np.asarray(rows["relation"])
        new = relation_of(self.positives, rows)
        listed = np.isin(new, (Relation.POSITIVE, Relation.NEGATIVE, Relation.IGNORED))
        shared = (new == Relation.SHARED) & (old == Relation.UNKNOWN) & self.shares
        fixed = np.isin(old, (Relation.SELF, Relation.BARRED, Relation.POSITIVE))
        rows = rows.having(relation=np.where((listed | shared) & ~fixed, new, old).astype(np.uint8))
        if "nearest_positive" not in rows.columns:
            return rows
        place, one = rows["nearest_positive"], self.before.positive
        there = np.flatnonzero(place >= 0)
        moved = np.full(len(rows), -1, np.int32)
        nearest = one.values[one.offsets[rows.anchor[there]] + place[there]]
        moved[there] = self.positives.positive.find(rows.anchor[there], nearest)
        return rows.having(nearest_positive=moved)


def decided(run: Run, decisions: Sequence[Decision] | None = None) -> Decided | None:
    """What a run's relations are by these decisions, or by those of its own ledger; None where nobody decided anything.

    A new positive has the score that it has as a candidate, so margins compare with it too.
    """
    decisions = read_decisions(run.path / FILE) if decisions is None else decisions
    if not decisions:
        return None
    before = run.positives
    found = replayed(replace(before, classes=classes_of(run)), decisions)
    wanted = Ragged.from_pairs(found.anchor, found.item, len(run.anchors))
    scores = _candidate_scores(run, wanted)[wanted.offsets[found.anchor] + wanted.find(found.anchor, found.item)]
    use = ~np.isnan(scores) | before.positive.contains(found.anchor, found.item)
    names = np.array(found.relation, object)
    lists, figures = {}, {}
    for name in before.lists():
        mine = use & (names == name)
        gone = _Pairs(found.anchor[use & ~mine], found.item[use & ~mine])
        fresh = _Pairs(found.anchor[mine], found.item[mine])
        lists[name], figures[name] = _with(run, before, name, gone, fresh, scores[mine])
    counts = {**found.counts, "no_candidate": int((~use).sum())}
    pairs = sorted(zip(found.anchor[use].tolist(), found.item[use].tolist(), names[use].tolist(), strict=True))
    mark = hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
    after = replace(before, positive=lists["positive"], negative=lists["negative"], ignored=lists["ignored"])
    return Decided(before, after, figures, counts, mark, "labels" not in run.manifest)


class _Pairs(NamedTuple):
    anchor: IntArray
    item: IntArray


def _with(
    run: Run, before: Positives, name: str, gone: _Pairs, fresh: _Pairs, scores: FloatArray
) -> tuple[Ragged, FloatArray]:
    """One relation without some pairs and with others (of these the scores), and the score of each of its pairs."""
    one = before.lists()[name]
    stays = ~Ragged.from_pairs(*gone, len(one)).contains(one.rows(), one.values)
    new = ~one.contains(*fresh)
    anchor = np.concatenate([one.rows()[stays], fresh.anchor[new]])
    item = np.concatenate([one.values[stays], fresh.item[new]])
    values = np.concatenate([run.relation_scores(name)[stays], scores[new]])
    return Ragged.from_pairs(anchor, item, len(one)), values[np.lexsort((item, anchor))].astype(np.float32)


def _candidate_scores(run: Run, wanted: Ragged) -> FloatArray:
    """The score of each wanted pair, in its order; NaN for one that is no candidate."""
    out = np.full(len(wanted.values), np.nan, np.float32)
    for part in run.parts():
        anchor, item = run.anchors.positions(part.column("anchor")), run.items.positions(part.column("item"))
        place = wanted.find(anchor, item)
        mine = place >= 0
        out[wanted.offsets[anchor[mine]] + place[mine]] = part.column("score").to_numpy()[mine]
    return out
