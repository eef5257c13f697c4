"""From hidden positives to the share of false negatives: what can be said, and what has to be assumed.

If each positive is known with the same probability ``c``, whichever it is, then swapping a known one for an unknown one
changes the odds of a labelling by ``c / (1 - c)`` and nothing else. So whatever the mining does,

    E[unknown positives mined] = (1 - c) / c * E[known positives mined once they alone are hidden],

where the left side is over anchors with one known positive or more and the right side over those with two or more.
It needs no pass rate that is alike for all, and no count of what is unknown.

``c`` itself is not to be had from known positives: hiding them shows how they are mined, never how many others there
are. But in no region of the candidates can there be more unknown positives than unlabelled pairs, so where known
positives make up a share of a region, ``c`` is at least that (Elkan & Noto 2008, KDD; Blanchard, Lee & Scott 2010,
JMLR 11). That bounds the share of false negatives from above. From below nothing does: all unlabelled pairs may be
negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hardneg.auditing.anew import Anew
from hardneg.auditing.intervals import CONFIDENCE, Interval, clopper_pearson
from hardneg.auditing.population import Coded, Population
from hardneg.auditing.result import Part
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import FloatArray
from hardneg.table import Relation

__all__ = ["Completeness", "Mined", "completeness_of", "hidden_bound", "hidden_parts", "hidden_share"]

_QUANTILES = (0.9, 0.75, 0.5, 0.25)  # of the known positives' scores, where regions begin
_RANKS = (1, 2, 4, 8)
_FEWEST = 5  # known positives that a region must hold
_DOUBLINGS = 60


@dataclass(frozen=True)
class Completeness:
    """The share of the positives among the candidates that is known: a lower end, and what the best region suggests.

    Args:
        low: with the stated confidence it is no lower, if known positives are a random part of all.
        best: the share of known ones in the region where it is highest: the completeness, if all there is positive.
        region: that region, in words.
    """

    low: float
    best: float
    region: str


@dataclass(frozen=True)
class Mined:
    """How many pairs were mined, how many of them are ``nameless`` (their item is no known positive of anybody), and
    how many ``shared`` (their item is one of an anchor that shares another with theirs).

    Where labels are missing item by item, every false negative is nameless. Where they are missing pair by pair, one
    whose item such an anchor has is shared.
    """

    pairs: int
    nameless: int
    shared: int

    @classmethod
    def of(cls, population: Population, within: BoolArray | None = None) -> Mined:
        """Of all that was mined, or of a part."""
        run = population.run
        named = np.bincount(run.positives.positive.values, minlength=len(run.items)) > 0
        here = np.ones(len(population), bool) if within is None else within
        anchor, item = population.anchor[here], population.item[here]
        some, at = np.unique(anchor, return_inverse=True)
        shared = run.positives.shared(some).contains(at, item)
        return cls(len(item), int((~named[item]).sum()), int(shared.sum()))


def completeness_of(population: Population, anew: Anew, confidence: float = CONFIDENCE) -> Completeness:
    """A lower end for the completeness, over regions of high scores and of first ranks (all of them at once,
    Bonferroni).

    Known positives of anchors that have no other are left out, and the unlabelled of these anchors stay: an anchor
    without any known positive is not mined, and that would count too many as known.
    """
    unlabelled = _unlabelled(population)
    several = np.bincount(anew.anchor)[anew.anchor] > 1
    regions = list(_regions(anew, several, unlabelled))
    found = [Completeness(0.0, 0.0, "no region")]
    for name, known, others in regions:
        rows = several & known
        k, n = int(rows.sum()), int(rows.sum() + others.sum())
        if k < _FEWEST:
            continue
        sides = [
            np.append(mine[rows], theirs[others])
            for mine, theirs in ((anew.anchor, unlabelled.anchor), (anew.item, unlabelled.item))
        ]
        inflation = max(_inflation(np.repeat((1 - k / n, -k / n), (k, n - k)), clusters) for clusters in sides)
        tail = 1 - (1 - confidence) * 2 / len(regions)
        low = clopper_pearson(k / inflation, n / inflation, tail).low
        found.append(Completeness(low, k / n, name))
    best = max(found, key=lambda one: one.best)
    return Completeness(max(one.low for one in found), best.best, best.region)


@dataclass(frozen=True, eq=False)
class _Unlabelled:
    """The candidates of which nobody has said anything."""

    anchor: IntArray
    item: IntArray
    score: FloatArray
    rank: IntArray


def _unlabelled(population: Population) -> _Unlabelled:
    run, parts = population.run, []
    for part in run.parts():
        open_ = np.isin(part.column("relation").to_numpy(), (Relation.UNKNOWN, Relation.SHARED))
        ids = (run.anchors.positions(part.column("anchor")), run.items.positions(part.column("item")))
        columns = (*ids, part.column("score").to_numpy(), part.column("rank").to_numpy())
        parts.append([column[open_] for column in columns])
    return _Unlabelled(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _regions(anew: Anew, several: BoolArray, others: _Unlabelled) -> Iterator[tuple[str, BoolArray, BoolArray]]:
    """Regions of candidates: their names, which known positives and which unlabelled pairs they hold."""
    proposed = anew.rank >= 0
    for rank in _RANKS:
        yield f"ranks below {rank}", proposed & (anew.rank < rank), (others.rank >= 0) & (others.rank < rank)
    scores = anew.score[several & proposed]
    for share in _QUANTILES if len(scores) else ():
        least = float(np.quantile(scores, share))
        yield f"scores from {least:.3g} up", proposed & (anew.score >= least), others.score >= least


def _inflation(residual: FloatArray, cluster: IntArray) -> float:
    """How much the variance of a mean is inflated since things hang together in clusters (Kish's design effect)."""
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], residual)
    plain = float((residual**2).sum())
    return max(1.0, float((sums**2).sum()) / plain) if plain > 0 else 1.0


def hidden_share(anew: Anew, mined: Mined, completeness: float, within: BoolArray | None = None) -> Interval:
    """The share of false negatives at a stated completeness.

    Whether labels are missing pair by pair or item by item is not known, so the lower end is the lower of both, the
    upper end and the share the higher.
    """
    tail, odds = (1 - CONFIDENCE) / 2, (1 - completeness) / completeness
    value = max(_ways(anew, mined, within, lambda hits: hits[0] * odds))
    low = min(_ways(anew, mined, within, lambda hits: _false_of(hits, completeness, tail, upper=False)))
    high = max(_ways(anew, mined, within, lambda hits: _false_of(hits, completeness, tail, upper=True)))
    return Interval(*(min(1.0, one / mined.pairs) for one in (value, min(value, low), high)))


def hidden_bound(anew: Anew, mined: Mined, found: Completeness, within: BoolArray | None = None) -> Interval:
    """The share of false negatives is at most this, at the lowest completeness that the candidates allow."""
    if found.low <= 0:
        return Interval(float("nan"), 0.0, 1.0)
    tail = (1 - CONFIDENCE) / 2
    high = max(_ways(anew, mined, within, lambda hits: _false_of(hits, found.low, tail, upper=True)))
    value = max(_ways(anew, mined, within, lambda hits: hits[0] * (1 - found.best) / found.best))
    return Interval(min(1.0, value / mined.pairs), 0.0, min(1.0, high / mined.pairs))


def _ways(
    anew: Anew, mined: Mined, within: BoolArray | None, false_of: Callable[[tuple[float, float]], float]
) -> tuple[float, float]:
    """The number of false negatives where labels are missing pair by pair, so that others may name what is hidden, and
    where they are missing item by item. No more can be false than were mined of what could be.
    """
    shared = anew.mined & anew.shared
    by_pair = min(false_of(_hits(anew, shared, within)), mined.shared)
    by_pair += false_of(_hits(anew, anew.mined & ~shared, within))
    return by_pair, min(false_of(_hits(anew, anew.mined_unseen, within)), mined.nameless)


def hidden_parts(
    population: Population, parts: Coded, of_hidden: IntArray, hidden: tuple[Anew, Completeness], stated: float | None
) -> list[Part]:  # fmt: skip
    """Each part of the mined, at the stated completeness or with its bound; ``of_hidden`` is each positive's part."""
    out, (anew, found) = [], hidden
    for code, name in enumerate(parts.names):
        mined, within = Mined.of(population, parts.codes == code), of_hidden == code
        if mined.pairs:
            hits = int((anew.mined & within).sum())
            asked = int((within & (anew.weight > 0)).sum())
            if stated is None:
                share = hidden_bound(anew, mined, found, within)
            else:
                share = hidden_share(anew, mined, stated, within)
            out.append(Part(name, mined.pairs, asked, hits, share))
    return out


def _hits(anew: Anew, mined: BoolArray, within: BoolArray | None) -> tuple[float, float]:
    """How many hidden positives were mined, and how much their variance is inflated: one item may be hidden often.

    Where not all anchors were looked at, those of one anchor were drawn together.
    """
    rows = mined if within is None else mined & within
    weight = anew.weight[rows].astype(np.float64)
    if not len(weight):
        return 0.0, float(max(1.0, anew.weight.max(initial=1.0)))
    clusters = [anew.item] if anew.looked_at == 1 else [anew.item, anew.anchor]
    sums = [np.bincount(np.unique(one[rows], return_inverse=True)[1], weight) for one in clusters]
    return float(weight.sum()), max(1.0, *(float((one**2).sum() / weight.sum()) for one in sums))


def _false_of(hits: tuple[float, float], completeness: float, tail: float, *, upper: bool) -> float:
    """How many unknown ones are mined, if those mined are known with this probability and ``hits`` of them were.

    The most (or fewest) minable positives ``m`` under which so many hits have a chance of ``tail``: hits are binomial
    of ``m``; what is not a hit is false.
    """
    count, inflation = hits
    x = count / inflation
    low, high = x, (x + 20) / completeness * 10
    for _ in range(_DOUBLINGS):
        m = (low + high) / 2
        one = clopper_pearson(x, max(m, 1e-9), 1 - 2 * tail)
        fits = one.high >= completeness if upper else one.low > completeness
        low, high = (m, high) if fits else (low, m)
    return max(0.0, low - x) * inflation
