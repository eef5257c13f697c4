"""Two names that are likely one identity, for review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.search import Engine
from hardneg.verify.false_discovery import conformal_p, q_values
from hardneg.verify.identities import Identities, likeness_across, nearest_identities, summed_up

__all__ = ["SameNames", "Strangers", "halves_likeness", "same_identity", "strangers"]

_NEAREST = 10
_TAIL = 0.05  # of the pairs of strangers, the most alike, give the shape of the tail
_CENSORED = 4  # times as many pairs as those that may be of one identity
_RULED_OUT = 0.02


@dataclass(frozen=True)
class Strangers:
    """How alike two different identities are, in the upper tail: ``share * ((top - s) / (top - start)) ** power``.

    A distribution that ends at ``top`` looks so near its end, whatever it is (the Weibull case of Pickands 1975, Annals
    of Statistics 3, with the end known).
    """

    start: float
    share: float
    top: float
    power: float

    def p_values(self, likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """How probable it is that two strangers are at least so alike; ``share`` where they are below the tail.

        >>> Strangers(0.4, 0.1, 1.1, 10.0).p_values(np.array([0.0, 0.4, 0.9, 1.0, 1.2])).round(7).tolist()
        [0.1, 0.1, 4e-07, 0.0, 0.0]
        """
        room = self.top - np.clip(likeness, self.start, 1)
        return np.asarray(self.share * (room / (self.top - self.start)) ** self.power)


def strangers(people: Identities, top: float, *, seed: int = 0) -> Strangers:
    """The tail of the likeness of different identities, from the data themselves.

    The 5% of all pairs that are most alike are looked at, but not their very top, where two names of one identity may
    be: were every name there twice, that would be one pair in ``n - 1``. Those are counted as being at least so high
    (censored), and ``power`` is the maximum of the likelihood. Of fewer than 80 names more pairs are looked at, so that
    at most a quarter of them is censored. Of more than 2,000 names, so many are drawn.

    >>> angles = np.repeat(np.linspace(0, np.pi, 40), 2)
    >>> circle = summed_up(np.stack([np.cos(angles), np.sin(angles)], axis=1), np.arange(80) // 2)
    >>> round(strangers(circle, 1.01).start, 2)
    0.97
    """
    likeness = likeness_across(people, seed)
    names = (1 + np.sqrt(1 + 8 * len(likeness))) / 2  # so many have that many pairs
    censored = 1 / (names - 1)
    share = min(max(_TAIL, _CENSORED * float(censored)), 1.0)
    start, high = np.quantile(likeness, [1 - share, 1 - censored])
    start = min(float(start), top - 1e-6)
    room = np.log((top - start) / (top - np.clip(likeness[likeness > start], start, min(float(high), top - 1e-9))))
    uncensored = int(((likeness > start) & (likeness < high)).sum())
    return Strangers(start, share, top, max(uncensored, 1) / max(float(room.sum()), 1e-9))


def halves_likeness(
    vectors: Matrix, codes: IntArray, *, sessions: IntArray | None = None, seed: int = 0
) -> NDArray[np.float64]:
    """How alike two halves of one identity are, for each with at least 4 examples, by its code.

    With ``sessions`` (whole numbers, shape ``(n,)``) whole sessions go to a half, as two names of one person will come
    from different ones; identities of a single session are then passed over.

    >>> faces = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    >>> halves_likeness(faces, np.repeat([0, 1], 4)).round(3).tolist()
    [1.0, 1.0]
    """
    sessions = np.arange(len(codes)) if sessions is None else sessions
    halved = np.full(len(codes), -1, np.int64)
    for code, rows in by_code(codes):
        if len(rows) < 4:
            continue
        own, place, counts = np.unique(sessions[rows], return_inverse=True, return_counts=True)
        order = np.argsort(random.uniform(seed, np.array([code]), own), kind="stable")
        before = np.append(0, np.cumsum(counts[order])[:-1])
        first = np.zeros(len(own), bool)
        first[order] = before < len(rows) // 2
        side = first[place]
        if min(side.sum(), (~side).sum()) >= 2:
            halved[rows] = 2 * code + side
    if (halved < 0).all():
        return np.zeros(0)
    parts = summed_up(vectors, halved)
    even = np.arange(0, len(parts), 2)
    return parts.likeness(even, even + 1)


def by_code(codes: IntArray) -> list[tuple[int, IntArray]]:
    """Each code with its rows; -1 is none."""
    rows = np.flatnonzero(codes >= 0)
    order = rows[np.argsort(codes[rows], kind="stable")]
    names, starts = np.unique(codes[order], return_index=True)
    return list(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


@dataclass(frozen=True, eq=False)
class SameNames:
    """Pairs of names that may be one identity, the surest first.

    Args:
        left: the code of one name, shape ``(p,)``.
        right: that of the other.
        likeness: how alike they are; 1 is as like as each is to itself.
        p_same: how unusual so low a likeness would be of two halves of one identity (conformal).
        p_strangers: how probable so high a one is of two different identities.
        q: of what is reported up to here, the share expected to be false.
        reported: ``q`` low enough, and one identity not ruled out.
    """

    left: IntArray
    right: IntArray
    likeness: NDArray[np.float64]
    p_same: NDArray[np.float64]
    p_strangers: NDArray[np.float64]
    q: NDArray[np.float64]
    reported: NDArray[np.bool_]


def same_identity(
    vectors: Matrix,
    codes: IntArray,
    *,
    false_reports: float = 0.05,
    sessions: IntArray | None = None,
    engine: Engine | None = None,
    seed: int = 0,
) -> SameNames:
    """Which two names are likely one identity, with the share of false reports held down; for review, not for merging.

    Two figures, both from the data themselves. Against strangers: a p-value from the tail of the likeness of different
    identities, corrected for all pairs of names. Against halves: two halves of one identity are as alike as two names
    of one would be; what is less alike than all but 2% of them, or than all of few, is not reported. The first rests on
    a model of the tail, the second on nothing. Who truly looks the same (twins, one letter in two alphabets) is
    reported, and cannot but be. Where strangers come as near as one identity does, the model is too weak and hardly
    anything is reported.

    Args:
        vectors: of the examples, shape ``(n, d)``, compared by cosine.
        codes: the name of each, whole numbers, -1 for none, shape ``(n,)``.
        false_reports: the share of the reports that may be false.
        sessions: see :func:`halves_likeness`.
        engine: looks for the 10 nearest names of each; ``exact`` if not given.
        seed: draws the halves.

    Raises InputError with fewer than 10 names, or fewer than 10 that have 4 examples (for halves to be compared).

    >>> draw, who = np.random.default_rng(0), np.repeat(np.arange(30), 10)
    >>> faces = draw.normal(size=(30, 16))[who] + 0.3 * draw.normal(size=(300, 16))
    >>> found = same_identity(faces, np.where(np.arange(300) < 5, 30, who))  # half of 0 is under the name 30
    >>> found.left[found.reported].tolist(), found.right[found.reported].tolist()
    ([0], [30])
    """
    require(0 < false_reports < 1, "false_reports", "above 0 and under 1", false_reports)
    people = summed_up(vectors, codes)
    halves = halves_likeness(vectors, codes, sessions=sessions, seed=seed)
    if len(people) < 10 or len(halves) < 10:
        raise InputError(
            f"To know what two names of one identity are like takes 10 names with at least 4 examples. There are "
            f"{len(halves)}, of {len(people)} names.",
            remedy="Look at the nearest identities instead.",
        )
    left, right = nearest_identities(people, _NEAREST, engine=engine).pairs()
    likeness = people.likeness(left, right)
    top = max(1.01, float(np.quantile(halves, 0.95)))
    p = strangers(people, top, seed=seed).p_values(likeness)
    q = q_values(p, tests=len(people) * (len(people) - 1) // 2)
    p_same = conformal_p(halves, likeness)
    order = np.lexsort((right, left, -likeness, p))
    reported = (q <= false_reports) & (p_same > max(_RULED_OUT, 1.5 / (len(halves) + 1)))
    left, right = people.codes[left[order]], people.codes[right[order]]
    return SameNames(left, right, likeness[order], p_same[order], p[order], q[order], reported[order])
