"""Impostors: the examples that come nearest to one another's, of other identities, and trials made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged
from hardneg.search import Constraints, Engine, Exact, Unlike
from hardneg.similarity import check_vectors, prepared
from hardneg.verify.merged import by_code
from hardneg.verify.trials import Trials

__all__ = ["best_pairs", "hardest_impostors", "likely_persons"]


def likely_persons(codes: IntArray, left: IntArray, right: IntArray) -> IntArray:
    """The codes again, where names that may be one person share the lowest code of them, shape ``(n,)``.

    Names ``left[i]`` and ``right[i]`` may be one; so may two that both may be a third.

    >>> likely_persons(np.array([0, 1, 2, 3, -1]), np.array([1, 2]), np.array([2, 3])).tolist()
    [0, 1, 1, 1, -1]
    """
    lowest = np.arange(int(codes.max(initial=-1)) + 1)
    while True:
        before = lowest.copy()
        lower = np.minimum(lowest[left], lowest[right])
        for side in (left, right):
            np.minimum.at(lowest, side, lower)
        if (lowest == before).all():
            break
    return np.where(codes >= 0, lowest[codes], -1) if len(lowest) else codes


def hardest_impostors(vectors: Matrix, codes: IntArray, n: int, *, engine: Engine | None = None) -> Trials:
    """The ``n`` examples of other identities that are most like each example: the impostor trials that fail first.

    Two that are each other's nearest make one trial. Trials stand by left row, then right.

    Args:
        vectors: of the examples, shape ``(r, d)``, compared by cosine.
        codes: whole numbers, -1 for none, shape ``(r,)``; see :func:`likely_persons` for names that may be one.
        n: how many for each.
        engine: ``exact`` if not given.

    Raises OptionError for an ``n`` under 1.

    >>> faces = np.array([[1, 0], [0, 1], [1, 5], [-1, 0]], np.float32)
    >>> found = hardest_impostors(faces, np.array([0, 0, 1, 2]), 1)
    >>> found.left.tolist(), found.right.tolist()
    ([0, 1, 1], [2, 2, 3])
    """
    require(n >= 1, "n", "at least 1", n)
    vectors = check_vectors(vectors, "trial", rows=len(codes))
    asked = np.flatnonzero(codes >= 0)
    free = Constraints(Ragged.empty(len(codes)), codes < 0, unlike=(Unlike(codes, codes),))
    hits = (engine or Exact()).prepare(vectors, vectors, n, "cosine", free)(asked)
    one, other = asked[hits.items.rows()], hits.items.values
    pairs = Ragged.from_pairs(np.minimum(one, other), np.maximum(one, other), len(codes))
    return Trials(pairs.rows(), pairs.values, np.zeros(len(pairs.values), bool))


def best_pairs(
    vectors: Matrix, codes: IntArray, left: IntArray, right: IntArray, *, most: int = 1000, seed: int = 0
) -> tuple[IntArray, IntArray]:
    """For each pair of identities the two examples of theirs that are most alike, by cosine; ties by row.

    Args:
        vectors: of the examples, shape ``(n, d)``.
        codes: the identity of each, -1 for none, shape ``(n,)``.
        left: one identity of each pair, shape ``(p,)``.
        right: the other.
        most: so many examples of an identity are looked at, drawn by ``seed`` where it has more.
        seed: draws them.

    Raises InputError for an identity without an example.

    >>> faces = np.array([[1, 0], [0, 1], [1, 5], [-1, 0]], np.float32)
    >>> best_pairs(faces, np.array([0, 0, 1, 2]), np.array([0]), np.array([1]))
    (array([1]), array([2]))
    """
    some = {code: _drawn(rows, most, seed) for code, rows in by_code(codes)}
    if missing := (set(left.tolist()) | set(right.tolist())) - some.keys():
        raise InputError(f"{len(missing)} identities have no example (first: {min(missing)}).")
    out = np.empty((2, len(left)), np.int64)
    order = np.argsort(left, kind="stable")
    held, ours = -1, np.zeros((0, 0))
    for pair in order.tolist():
        one, other = int(left[pair]), int(right[pair])
        if one != held:
            held, ours = one, _unit(vectors, some[one])
        place = np.unravel_index(int(np.argmax(ours @ _unit(vectors, some[other]).T)), (len(ours), len(some[other])))
        out[:, pair] = some[one][place[0]], some[other][place[1]]
    return out[0], out[1]


def _drawn(rows: IntArray, most: int, seed: int) -> IntArray:
    if len(rows) <= most:
        return rows
    return np.sort(rows[np.argsort(random.uniform(seed, rows), kind="stable")[:most]])


def _unit(vectors: Matrix, rows: IntArray) -> NDArray[np.float64]:
    return prepared(vectors[rows], "cosine").astype(np.float64)
