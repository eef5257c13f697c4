"""One name that likely holds two identities, for review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray
from hardneg.similarity import prepared
from hardneg.verify.false_discovery import conformal_p, q_values
from hardneg.verify.identities import likeness_across, summed_up, within_names
from hardneg.verify.merged import by_code

__all__ = ["MixedNames", "in_two", "mixed_identities"]

_STEPS = 20
_DRAWS, _LEAST = 8000, 50  # names made up: of all together, and of each at least
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


def mixed_identities(vectors: Matrix, codes: IntArray, *, false_reports: float = 0.05, seed: int = 0) -> MixedNames:
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

    Raises InputError with fewer than 10 names that have 4 examples.

    >>> draw, who = np.random.default_rng(0), np.repeat(np.arange(30), 6)
    >>> faces = draw.normal(size=(30, 16))[who] + 0.3 * draw.normal(size=(180, 16))
    >>> found = mixed_identities(faces, np.where(who == 29, 0, who))  # the name 0 holds two persons
    >>> found.codes[found.reported].tolist()
    [0]
    """
    require(0 < false_reports < 1, "false_reports", "above 0 and under 1", false_reports)
    names = [(code, rows) for code, rows in by_code(codes) if len(rows) >= 4]
    if len(names) < 10:
        raise InputError(
            f"To know what one identity is like takes 10 names with at least 4 examples. There are {len(names)}.",
            remedy="Look through the names by eye.",
        )
    people = summed_up(vectors, codes)
    average = float(np.average(people.within))
    part, likeness = np.full(len(codes), -1, np.int8), np.empty(len(names))
    for place, (_, rows) in enumerate(names):
        unit = prepared(vectors[rows], "cosine").astype(np.float64)
        part[rows] = in_two(unit)
        likeness[place] = _parts_likeness(unit, part[rows], average)
    p = _p_values(likeness, _made_up(vectors, [rows for _, rows in names], average, seed))
    q = q_values(p)
    reported = (q <= false_reports) & (likeness <= np.quantile(likeness_across(people, seed), 1 - _STRANGE))
    order = np.lexsort((likeness, p))
    own = np.array([code for code, _ in names], np.int64)
    return MixedNames(own[order], likeness[order], p[order], q[order], reported[order], part)


def _parts_likeness(unit: NDArray[np.float64], part: NDArray[np.int8], average: float) -> float:
    """The likeness of two parts of a name, as :class:`hardneg.verify.identities.Identities` has it."""
    sums = [unit[part == one].sum(axis=0) for one in (0, 1)]
    counts = np.array([(part == one).sum() for one in (0, 1)])
    alike = (np.array([one @ one for one in sums]) - counts) / 2
    within = within_names(alike, counts * (counts - 1) / 2, average)
    return float(sums[0] @ sums[1] / counts.prod() / np.sqrt(within.prod()))


def _made_up(vectors: Matrix, names: list[IntArray], average: float, seed: int) -> NDArray[np.float64]:
    """The likeness of the parts of names that hold one identity for certain, shape ``(names, draws)``."""
    centres, spreads, bank = [], [], []
    for rows in names:
        unit = prepared(vectors[rows], "cosine").astype(np.float64)
        centres.append(unit.mean(axis=0))
        away = (unit - centres[-1]) * np.sqrt(len(rows) / (len(rows) - 1))  # the centre follows its examples
        spreads.append(max(float(np.sqrt((away * away).sum(axis=1).mean())), 1e-9))
        bank.append(away / spreads[-1])
    away = np.concatenate(bank)
    out = np.empty((len(names), max(_DRAWS // len(names), _LEAST)))
    for name, rows in enumerate(names):
        counters = np.array([name]), np.arange(out.shape[1])[:, None], np.arange(len(rows))
        chosen = (random.uniform(seed, *counters) * len(away)).astype(np.int64)
        for draw, picked in enumerate(chosen):
            made = (centres[name] + spreads[name] * away[picked]).astype(np.float32)
            unit = prepared(made, "cosine").astype(np.float64)
            out[name, draw] = _parts_likeness(unit, in_two(unit), average)
    return out


def _p_values(likeness: NDArray[np.float64], made: NDArray[np.float64]) -> NDArray[np.float64]:
    """How unusual each is among all made up, where those of each name are brought to one middle and spread."""
    middle, spread = made.mean(axis=1), np.maximum(made.std(axis=1), 1e-9)
    return conformal_p(((made - middle[:, None]) / spread[:, None]).ravel(), (likeness - middle) / spread)


def in_two(vectors: NDArray[np.float64]) -> NDArray[np.int8]:
    """Cut vectors of length 1 in two parts of at least 2, shape ``(n,)`` of 0 and 1; the first row is in part 0.

    Spherical 2-means (Dhillon & Modha 2001, Machine Learning 42) from a cut across the direction of most variance, so
    there is nothing to draw.

    >>> in_two(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])).tolist()
    [0, 1, 0, 1]
    """
    centred = vectors - vectors.mean(axis=0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    side = _balanced(centred @ direction)
    for _ in range(_STEPS):
        means = [vectors[side == one].sum(axis=0) for one in (0, 1)]
        one, two = (mean / max(float(np.linalg.norm(mean)), 1e-12) for mean in means)
        after = _balanced(vectors @ (two - one))
        if (after == side).all():
            break
        side = after
    return np.asarray(side if side[0] == 0 else 1 - side, np.int8)


def _balanced(lean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Who leans to the second side, but at least 2 on each."""
    order = np.argsort(lean, kind="stable")
    count = int(np.clip((lean > 0).sum(), 2, len(lean) - 2))
    side = np.zeros(len(lean), np.int64)
    side[order[len(lean) - count :]] = 1
    return side
