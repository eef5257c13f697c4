"""What a missing label looks like, learnt from the labels that are there, each hidden once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.predict._extra import needs, one_thread
from hardneg.predict._folds import canonical, folds_of
from hardneg.predict.membership import Ladder
from hardneg.ragged import BoolArray, IntArray

Figures = NDArray[np.floating[Any]]

__all__ = ["conformal_p_values", "told_apart"]


def told_apart(features: Figures, one: BoolArray, groups: IntArray, seed: int = 0, folds: int = 5) -> Figures:
    """The probability of each row to be one of ``one``, by a logistic regression that had not seen its group.

    Float64, shape ``(n,)``. The outcome does not depend on the order of the rows. Where nothing can be learnt (fewer
    than two groups, or than two rows of a kind) it is the share of ``one``, for all alike.

    Args:
        features: shape ``(n, d)``; each is brought to a standard deviation of 1.
        one: which rows are to be told from the others, shape ``(n,)``.
        groups: what is held out together, such as all of one image, shape ``(n,)``.
        seed: of the folds.
        folds: how many.

    >>> steps = np.arange(40.0)
    >>> found = told_apart(steps[:, None], steps >= 20, np.arange(40) % 10)
    >>> bool(found[0] < 0.1 and found[-1] > 0.9)
    True
    """
    if len(np.unique(groups)) < 2 or min(one.sum(), (~one).sum()) < 2:
        return np.full(len(one), one.mean() if len(one) else 0.0)
    order = canonical(np.column_stack([features, one, groups]))[0]
    rows, codes = features[order].astype(np.float64), one[order].astype(np.int64)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    fold = folds_of(codes, groups[order], folds, seed)
    out = np.empty(len(rows))
    with one_thread("blas"):
        for held in np.unique(fold):
            out[order[fold == held]] = _learnt(rows, codes, fold != held)(rows[fold == held])
    return out


def _learnt(rows: Figures, codes: IntArray, seen: BoolArray) -> Callable[[Figures], Figures]:
    if len(np.unique(codes[seen])) < 2:
        return lambda asked: np.full(len(asked), codes[seen].mean())
    model = needs("sklearn.linear_model").LogisticRegression(max_iter=1000).fit(rows[seen], codes[seen])
    return lambda asked: np.asarray(model.predict_proba(asked)[:, 1])


def conformal_p_values(figures: Figures, known: Figures) -> Figures:
    """The share of the known figures that are no higher, itself counted in: ``(1 + m) / (1 + n)``.

    If a figure comes from where the known ones came from, its p-value is below ``e`` with probability at most ``e``
    (Vovk, Gammerman & Shafer 2005). 1 for all where nothing is known.

    >>> conformal_p_values(np.array([0.5, 3.5]), np.array([1.0, 2, 3])).tolist()
    [0.25, 1.0]
    """
    return np.asarray(Ladder.of(known, np.ones(len(known))).share_no_better(figures))
