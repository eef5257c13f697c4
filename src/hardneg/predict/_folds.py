"""Who is held out when, and a row order that does not depend on how the rows came."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.predict._extra import needs
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Groups", "canonical", "folds_of", "group_numbers", "unknown_to_fold"]

Groups = Sequence[object] | NDArray[np.generic]


def canonical(vectors: FloatArray) -> tuple[IntArray, int]:
    """An order of the rows by their content, and how many rows share their vector with an earlier one.

    Models add up row after row and folds are drawn by place, so rows in another order would give other figures.

    >>> rows = np.array([[1.0], [2.0], [3.0]], np.float32)
    >>> order, again = canonical(rows)
    >>> bool((rows[order] == rows[::-1][canonical(rows[::-1])[0]]).all()), again
    (True, 0)
    """
    keys = np.array([int.from_bytes(blake2b(row.tobytes(), digest_size=7).digest()) for row in vectors], np.int64)
    return np.argsort(keys, kind="stable"), len(keys) - len(np.unique(keys))


def group_numbers(groups: Groups | None, rows: int) -> IntArray | None:
    """The groups as numbers, shape ``(rows,)``, -1 for what is in no group; None where there are no groups.

    Raises InputError for another number of groups than rows.

    >>> group_numbers(["b", "a", "b", None], 4)
    array([ 2,  1,  2, -1])
    """
    if groups is None:
        return None
    if len(groups) != rows:
        raise InputError(f"There must be one group for each item: {rows} items, {len(groups)} groups.")
    names = np.array(["" if one is None else str(one) for one in groups])
    numbers = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return np.where([one is None for one in groups], -1, numbers)


def each_its_own(groups: IntArray) -> IntArray:
    """What is in no group (-1) as a group by itself.

    >>> each_its_own(np.array([0, -1, 3, -1])).tolist()
    [0, 4, 3, 5]
    """
    out, none = groups.copy(), groups < 0
    out[none] = groups.max(initial=-1) + 1 + np.arange(int(none.sum()))
    return out


def folds_of(codes: IntArray, groups: IntArray | None, folds: int, seed: int) -> IntArray:
    """The fold in which each row is held out, shape ``(n,)``; -1 for a row that never is.

    Folds are stratified by class; the rows of a group stay together. A class with fewer rows than folds is spread
    over some of them. The only row of a class is never held out, since no model could then know the class. The same
    goes for rows whose class stands in their own fold alone, as when all of it is one group: they do not teach the
    fold's model, and their prediction must come from elsewhere.

    Args:
        codes: class numbers, -1 for unlabelled, shape ``(n,)``.
        groups: group numbers, shape ``(n,)``, or None.
        folds: how many folds, if there are as many rows (or groups) as that.
        seed: of the shuffle.

    >>> folds_of(np.array([0, 0, 0, 1, 1, 2, -1]), None, 2, 0)[-2:].tolist()
    [-1, -1]
    """
    out = np.full(len(codes), -1, np.int64)
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    rows = np.flatnonzero((codes >= 0) & (groups is not None or sizes[codes] > 1))
    most = min(folds, len(np.unique(groups[rows])) if groups is not None else int(sizes.max()))
    if most < 2 or len(rows) < most:
        return out
    selection = needs("sklearn.model_selection")
    make = selection.StratifiedKFold if groups is None else selection.StratifiedGroupKFold
    splitter = make(n_splits=min(most, max(2, int(sizes.max()))), shuffle=True, random_state=seed % 2**32)
    given = () if groups is None else (groups[rows],)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds is all right
        for number, (_, held) in enumerate(splitter.split(np.zeros((len(rows), 1)), codes[rows], *given)):
            out[rows[held]] = number
    return out


def unknown_to_fold(codes: IntArray, fold: IntArray) -> NDArray[np.bool_]:
    """Rows in a fold whose class no row outside the fold has, shape ``(n,)``.

    >>> unknown_to_fold(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0])).tolist()
    [False, False, True, True]
    """
    out = np.zeros(len(codes), bool)
    for number in np.unique(fold[fold >= 0]):
        inside = fold == number
        out |= inside & ~np.isin(codes, codes[~inside & (codes >= 0)])
    return out
