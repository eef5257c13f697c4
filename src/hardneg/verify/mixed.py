"""One name that likely holds two identities, for review."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hardneg import random
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.progress import Report
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import prepared
from hardneg.verify._halves import halved, halves_alike, products
from hardneg.verify.false_discovery import conformal_p, q_values
from hardneg.verify.identities import likeness_across, summed_up
from hardneg.verify.merged import by_code

__all__ = ["MixedNames", "in_two", "mixed_identities"]

_DRAWS, _LEAST = 8000, 50  # names made up: of all together, and of each at least
_BANK = 65_536  # deviations that names are made up from
_MOST = 256  # examples of a name
_ROOM = 2**21  # numbers held at once
_STRANGE = 0.05  # of the pairs of different names, the most alike: what parts more alike than these are is one identity


@dataclass(frozen=True, eq=False)
class MixedNames:
    """Names by how likely they hold two identities, the surest first.

    Args:
        codes: the names with at least 4 examples, shape ``(i,)``.
        likeness: of the two parts that each falls into; see :class:`hardneg.verify.identities.Identities`.
        p: how unusual so low a one is among all names.
        q: of what is reported up to here, the share expected to be false.
        reported: ``q`` low enough, and the parts no more alike than different names may be.
        part: which part, 0 or 1, each example is in, -1 without one, shape ``(n,)``.
    """

    codes: IntArray
    likeness: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    reported: BoolArray
    part: NDArray[np.int8]


def mixed_identities(
    vectors: Matrix,
    codes: IntArray,
    *,
    false_reports: float = 0.05,
    seed: int = 0,
    report: Report = lambda done, total: None,  # noqa: ARG005 - nobody watches
) -> MixedNames:
    """Which names likely hold two identities, with the share of false reports held down; for review, not for splitting.

    Each name is cut in two where it falls apart best, and the parts compared. Any name falls apart a little, so it is
    held against 8,000 names of one identity made from the data: the centre of a name, and around it as many deviations
    as it has examples, each drawn from any name and brought to its spread (a bootstrap of residuals: Efron 1979, Annals
    of Statistics 7). What is more unlike than these is reported, if its parts are also no more alike than the 5% most
    alike pairs of different names: an identity of two looks (with and without glasses) is still one.

    Args:
        vectors: of the examples, shape ``(n, d)``, compared by cosine.
        codes: the name of each, whole numbers, -1 for none, shape ``(n,)``.
        false_reports: the share of the reports that may be false.
        seed: draws the names made up.
        report: is told how many of the names are done.

    Of a name with more than 256 examples so many are looked at; the others are in no part.

    Raises InputError with fewer than 10 names that have 4 examples.

    >>> draw, who = np.random.default_rng(0), np.repeat(np.arange(30), 6)
    >>> faces = draw.normal(size=(30, 16))[who] + 0.3 * draw.normal(size=(180, 16))
    >>> found = mixed_identities(faces, np.where(who == 29, 0, who))  # the name 0 holds two persons
    >>> found.codes[found.reported].tolist()
    [0]
    """
    require(0 < false_reports < 1, "false_reports", "above 0 and under 1", false_reports)
    names = [(code, _some_of(rows, seed)) for code, rows in by_code(codes) if len(rows) >= 4]
    if len(names) < 10:
        raise InputError(
            f"To know what one identity is like takes 10 names with at least 4 examples. There are {len(names)}.",
            remedy="Look through the names by eye.",
        )
    people = summed_up(vectors, codes)
    average = float(np.average(people.within))
    drawn = max(_DRAWS // len(names), _LEAST)
    report(0, len(names))
    part, likeness = np.full(len(codes), -1, np.int8), np.empty(len(names))
    made = np.empty((len(names), drawn))
    looks = _Looks.of(vectors, [rows for _, rows in names])
    done = 0
    with threadpool_limits(1, "blas"):  # thousands of small products
        for some in _of_one_size([len(rows) for _, rows in names], vectors.shape[1]):
            rows = np.stack([names[name][1] for name in some.tolist()])
            alike = products(_unit(vectors[rows.ravel()]).reshape(*rows.shape, -1))
            part[rows] = halved(alike)
            likeness[some] = halves_alike(alike, part[rows], average)
            made[some] = each(partial(looks.made_up, draws=drawn, average=average, seed=seed), some.tolist())
            report(done := done + len(some), len(names))
    p = _p_values(likeness, made)
    q = q_values(p)
    reported = (q <= false_reports) & (likeness <= np.quantile(likeness_across(people, seed), 1 - _STRANGE))
    order = np.lexsort((likeness, p))
    own = np.array([code for code, _ in names], np.int64)
    return MixedNames(own[order], likeness[order], p[order], q[order], reported[order], part)


def in_two(vectors: NDArray[np.float64]) -> NDArray[np.int8]:
    """Cut vectors of length 1 in two parts of at least 2, shape ``(n,)`` of 0 and 1; the first row is in part 0.

    Spherical 2-means (Dhillon & Modha 2001, Machine Learning 42) from a cut across the direction of most variance, so
    there is nothing to draw.

    >>> in_two(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])).tolist()
    [0, 1, 0, 1]
    """
    return np.asarray(halved(products(vectors[None]))[0])


def _of_one_size(sizes: list[int], dimension: int) -> list[IntArray]:
    """The names in lots of one size each, so many at a time that their examples do not fill the memory."""
    lots = []
    for _, of_size in by_code(np.array(sizes, np.int64)):
        each_lot = max(1, _ROOM // (sizes[of_size[0]] * dimension))
        lots += [of_size[start : start + each_lot] for start in range(0, len(of_size), each_lot)]
    return lots


def _some_of(rows: IntArray, seed: int) -> IntArray:
    """At most 256 of the rows: the products of all pairs are held."""
    return rows if len(rows) <= _MOST else np.sort(rows[np.argsort(random.uniform(seed, rows), kind="stable")[:_MOST]])


def _unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    return prepared(vectors, "cosine").astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Looks:
    """What one identity may look like: where each name's centre is, how far its examples stray, and whither any do.

    ``away`` are the deviations of the examples of all names, each divided by the spread of its name; of more than
    65,536 so many are drawn.
    """

    sizes: list[int]
    centres: NDArray[np.float64]
    spreads: NDArray[np.float64]
    away: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Matrix, names: list[IntArray]) -> _Looks:
        sizes = [len(rows) for rows in names]
        centres, spreads = np.empty((len(names), vectors.shape[1])), np.empty(len(names))
        total = sum(sizes)
        kept = np.sort(np.argsort(random.uniform(0, np.arange(total)), kind="stable")[:_BANK])
        bank, before = [], 0
        for name, rows in enumerate(names):
            unit = _unit(vectors[rows])
            centres[name] = unit.mean(axis=0)
            away = (unit - centres[name]) * np.sqrt(len(rows) / (len(rows) - 1))  # the centre follows its examples
            spreads[name] = max(float(np.sqrt((away * away).sum(axis=1).mean())), 1e-9)
            first, last = np.searchsorted(kept, [before, before + len(rows)])
            bank.append(away[kept[first:last] - before] / spreads[name])
            before += len(rows)
        return cls(sizes, centres, spreads, np.concatenate(bank))

    def made_up(self, name: int, draws: int, average: float, seed: int) -> NDArray[np.float64]:
        """The likeness of the parts of names that hold one identity for certain, shape ``(draws,)``."""
        counters = np.array([name]), np.arange(draws)[:, None], np.arange(self.sizes[name])
        chosen = (random.uniform(seed, *counters) * len(self.away)).astype(np.int64)
        out = np.empty(draws)
        step = max(1, _ROOM // (self.sizes[name] * self.centres.shape[1]))
        for start in range(0, draws, step):
            picked = chosen[start : start + step]
            made = self.centres[name] + self.spreads[name] * self.away[picked.ravel()]
            alike = products(_unit(made.astype(np.float32)).reshape(*picked.shape, -1))
            out[start : start + step] = halves_alike(alike, halved(alike), average)
        return out


def _p_values(likeness: NDArray[np.float64], made: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unusual each is among all made up, where those of each name are brought to one middle and spread."""
    middle, spread = made.mean(axis=1), np.maximum(made.std(axis=1), 1e-9)
    return conformal_p(((made - middle[:, None]) / spread[:, None]).ravel(), (likeness - middle) / spread)
