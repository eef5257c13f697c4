"""Learning what unknown positives look like, from known ones that are hidden; no anchor judges itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.calibrate.evidence import FEATURES, GROUPS, Evidence, Found
from hardneg.calibrate.hiding import hidden_positives
from hardneg.calibrate.model import Additive, Basis
from hardneg.calibrate.threshold import Pool, unknown_positives
from hardneg.context import REFERENCES, Context, reference_scores
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.search import Constraints, Exact
from hardneg.similarity import FloatArray
from hardneg.table import Rows

__all__ = ["LEAST", "Cases", "Learnt", "cases", "learn"]

Figures = NDArray[np.float64]
LEAST = 10  # hidden positives, and anchors that hide one, below which nothing is learnt
_ANCHORS = 1024  # anchors that are learnt from at most
_FOLDS = 4
_HIDDEN, _OTHERS = 1000, 3000  # rows that a model is fitted to at most
_K = 100
_FLOOR = 0.01  # no candidate is quite without weight


@dataclass(frozen=True, eq=False)
class Cases:
    """What is learnt from: candidates of some anchors, and their hidden positives in two ways.

    ``rows`` holds unjudged candidates first and then the hidden positives that would be proposed, sorted by anchor;
    ``found`` is their evidence. A hidden positive that another anchor has as well is there twice: once hidden for its
    anchor alone, once (``nameless``) for all anchors. An unknown positive that others name is like the one, an unknown
    positive that nobody names is like the other.
    """

    rows: Rows
    found: Found
    hidden: BoolArray
    nameless: BoolArray
    anchors: IntArray  # those that are spoken of, rising: with at least two positives, or with one
    names: bool = True  # whether other anchors are asked
    signs: tuple[int, ...] = tuple(FEATURES.values())  # how the probability may move with each figure

    def of(self, which: BoolArray | IntArray) -> Cases:
        """Some of the rows."""
        found = Found(self.found.figures[which], self.found.nearest[which], self.found.group[which])
        return replace(
            self, rows=self.rows.take(which), found=found, hidden=self.hidden[which], nameless=self.nameless[which]
        )

    @property
    def counted(self) -> BoolArray:
        """The rows of those that are spoken of."""
        return np.isin(self.rows.anchor, self.anchors)

    @property
    def enough(self) -> bool:
        """Whether there is enough to learn from."""
        hidden = self.hidden & ~self.nameless
        return int(hidden.sum()) >= LEAST and len(np.unique(self.rows.anchor[hidden])) >= LEAST


def cases(context: Context, evidence: Evidence, *, single: bool = False) -> Cases:
    """Hide the known positives of anchors with at least two, and find what they are told from.

    Up to 1024 anchors are looked at; where fewer have two, candidates of anchors with one are learnt from as well.

    With ``single`` it is about anchors with one positive, half of those looked at. Nothing can be hidden of them, so
    the others stand in for them: each of these keeps one positive, at random by its id, as all that is known, and hides
    the rest.
    """
    positives = context.positives
    chosen, several = _chosen(context, single)
    found = _candidates(context, chosen)
    vectors = context.vectors(None)
    listed = positives.positive.take(chosen)
    scores = vectors.pairs(chosen[listed.rows()], listed.values)
    place = np.searchsorted(chosen, found.anchor)
    hidden = hidden_positives(listed, scores, Rows(place, found.item, found.columns))
    usable = hidden["proposed"] & several[hidden.anchor]
    if single:
        kept = _one_of_each(context, chosen, listed)
        hidden, usable = _beside(hidden, scores[kept]), usable & ~kept
        listed = listed.where(kept)
        evidence = evidence.knowing(Ragged.from_pairs(chosen, listed.values, len(positives.anchors)))
    references = reference_scores(listed, lambda at, items: vectors.pairs(chosen[at], items))
    hidden = Rows(chosen[hidden.anchor], hidden.item, hidden.columns).take(usable)
    found = found.take(_open(context, found))
    found = Rows(found.anchor, found.item, {
        "score": found["score"], "rank": found["rank"],
        **{f"positive_{one}": references[one][np.searchsorted(chosen, found.anchor)] for one in REFERENCES},
    })  # fmt: skip
    hidden = Rows(hidden.anchor, hidden.item, {name: hidden[name] for name in found.columns})
    named = np.bincount(positives.positive.values, minlength=len(positives.items))[hidden.item] > 1
    again = hidden.take(named)
    rows = Rows.concatenated([found, hidden, again])
    kind = np.repeat([0, 1, 2], [len(found), len(hidden), len(again)])
    order = np.lexsort((rows.item, kind, rows.anchor))
    rows, kind = rows.take(order), kind[order]
    names = int(named.sum()) >= LEAST
    if not names:
        rows, kind = rows.take(kind < 2), kind[kind < 2]
        evidence = evidence.without_naming()
    return Cases(rows, evidence.of(rows, kind > 0, kind == 2), kind > 0, kind == 2, chosen[several != single], names)


def _one_of_each(context: Context, anchors: IntArray, listed: Ragged) -> BoolArray:
    """One of the positives of each anchor, at random by its id."""
    keys = context.positives.anchors.keys[anchors[listed.rows()]], context.positives.items.keys[listed.values]
    return np.asarray(listed.ranks(random.uniform(5, *keys)) == 0)


def _beside(hidden: Rows, scores: FloatArray) -> Rows:
    """Hidden positives beside the only one that their anchor knows, which has this score."""
    alone = {f"positive_{one}": scores[hidden.anchor] for one in REFERENCES}
    return Rows(hidden.anchor, hidden.item, {**hidden.columns, **alone})


def _chosen(context: Context, single: bool) -> tuple[IntArray, BoolArray]:
    """The anchors that are looked at, rising, and which of them have at least two positives; for ``single`` half."""
    positives = context.positives
    active = np.arange(len(positives.anchors)) if context.active is None else context.active
    many = positives.positive.lengths()
    order = active[np.argsort(random.uniform(context.seed, positives.anchors.keys[active]), kind="stable")]
    several, one = order[many[order] > 1], order[many[order] == 1]
    half = _ANCHORS // 2 if single else _ANCHORS
    chosen = np.sort(np.concatenate([several[:half], one[:half]])[:_ANCHORS])
    return chosen, many[chosen] >= 2


@dataclass(frozen=True, eq=False)
class Learnt:
    """The models, each fitted without the anchors of one fold."""

    models: tuple[Additive, ...]

    def parts(self, figures: Figures, keys: IntArray) -> Figures:
        """What each figure adds to the log odds, shape ``(n, len(FEATURES))``."""
        return self._each(figures, keys, Additive.parts, np.empty(figures.shape))

    def log_odds(self, figures: Figures, keys: IntArray) -> Figures:
        """How much likelier evidence is of a hidden positive than of a candidate, as a logarithm, shape ``(n,)``."""
        return self._each(figures, keys, Additive.log_odds, np.empty(len(figures)))

    def _each(
        self, figures: Figures, keys: IntArray, asked: Callable[[Additive, Figures], Figures], out: Figures
    ) -> Figures:
        """Ask of each row the model that was fitted without its anchor, or what else was held out."""
        fold = folds_of(keys)
        for number, model in enumerate(self.models):
            out[fold == number] = asked(model, figures[fold == number])
        return out

    def about(self, names: Sequence[str] = tuple(FEATURES)) -> Mapping[str, Any]:
        """The numbers of all models, for a manifest."""
        return {f"fold_{number}": model.about(names) for number, model in enumerate(self.models)}


def learn(known: Cases, anchor_keys: IntArray, item_keys: IntArray, held: IntArray | None = None) -> Learnt:
    """Fit a model for each fold, to the anchors of all other folds; or to what else ``held`` has the keys of.

    Candidates hold unknown positives, which would teach a model what tells those from known ones. So a first model says
    how likely each candidate is a positive, and as far as it is one it does not count as a negative (one step of
    expectation maximisation; Elkan & Noto 2008 weigh alike). Hidden positives that others name are weighed against
    candidates that others name, and those that nobody names against such candidates, so that being named is no evidence
    by itself: what is known of an item depends on how its judgements were collected.
    """
    fold = folds_of(anchor_keys[known.rows.anchor] if held is None else held)
    draw = random.uniform(2, anchor_keys[known.rows.anchor], item_keys[known.rows.item])
    return Learnt(tuple(_model(known, fold != number, draw) for number in range(_FOLDS)))


def _model(known: Cases, seen: BoolArray, draw: Figures) -> Additive:
    """A model of the anchors seen, fitted twice: then what is likely positive hardly counts as a negative."""
    here = known.of(_some(known, seen, draw))
    basis = Basis.of(here.found.figures, here.hidden, known.signs)
    first = basis.fit(_weights(here.hidden, here.found.group, np.ones(len(here.rows))))
    likely = np.where(here.hidden, 0, _posterior(here, first.log_odds(here.found.figures)))
    return basis.fit(_weights(here.hidden, here.found.group, np.maximum(1 - likely, _FLOOR)), first)


def _posterior(known: Cases, odds: Figures) -> Figures:
    """How likely each row is a positive, if as many candidates of each group are as look like the hidden ones."""
    group = known.found.group
    pool = Pool(known.rows.anchor, known.rows["score"], odds, known.hidden, group)
    many = np.maximum(np.bincount(group[~known.hidden], minlength=GROUPS), 1)
    share = np.array([unknown_positives(pool, one)[0] for one in range(GROUPS)]) / many
    return np.asarray(np.minimum(1, share[group] * np.exp(np.minimum(odds, 50))))


def folds_of(anchor_keys: IntArray) -> IntArray:
    """The fold of each anchor, by its id."""
    return np.asarray(random.uniform(3, anchor_keys) * _FOLDS).astype(np.int64)


def _some(known: Cases, seen: BoolArray, draw: Figures) -> IntArray:
    """At most so many hidden positives and so many candidates of those seen, drawn by their ids."""
    parts = []
    for kind, most in ((known.hidden, _HIDDEN), (~known.hidden, _OTHERS)):
        rows = np.flatnonzero(seen & kind)
        parts.append(rows[np.argsort(draw[rows], kind="stable")[:most]])
    return np.concatenate(parts)


def _weights(hidden: BoolArray, group: IntArray, counted: Figures) -> Figures:
    """Hidden and not hidden weigh the same in each group."""
    out = counted.copy()
    for one in range(GROUPS):
        mine, others = (group == one) & hidden, (group == one) & ~hidden
        out[mine] *= out[others].sum() / max(1e-9, out[mine].sum())
    total = hidden.sum()
    for kind in (hidden, ~hidden):
        out[kind] *= total / max(out[kind].sum(), 1e-9)
    return out


def _open(context: Context, rows: Rows) -> BoolArray:
    """Which candidates nobody has judged: not known as negatives or positives, not ignored."""
    positives = context.positives
    closed = positives.forbids(rows.anchor, rows.item) | (positives.own[rows.anchor] == rows.item)
    for one in positives.lists().values():
        closed |= one.contains(rows.anchor, rows.item)
    return np.asarray(~closed)


def _candidates(context: Context, anchors: IntArray) -> Rows:
    """What the run's source proposes for these anchors; their nearest neighbours where there is none."""
    vectors = context.vectors(None)
    if context.propose is not None:
        return context.propose(anchors)
    positives = context.positives
    free = Constraints(positives.excluded(np.arange(len(positives.anchors))), positives.barred)
    search = Exact().prepare(vectors.anchors, vectors.items, _K, vectors.similarity, free)
    hits = search(anchors)
    columns = {"score": hits.scores, "rank": hits.ranks.astype(np.int32)}
    return Rows(np.repeat(anchors, hits.items.lengths()), hits.items.values, columns)
