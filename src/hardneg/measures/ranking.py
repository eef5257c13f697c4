"""Rankings: where the relevant items stand, and what that is worth. One figure for each query.

Relevance is yes or no. A query without a relevant item gets NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import Ragged, places

__all__ = ["average_precision_at", "ndcg_at", "ranks_of", "recall_at", "reciprocal_rank_at", "success_at"]

PerQuery = NDArray[np.float64]


def ranks_of(scores: NDArray[Any], relevant: Ragged, hidden: Ragged | None = None) -> Ragged:
    """The ranks, from 1, of the relevant items of each query, rising.

    Equal scores stand in the order of the items, so that the ranking is the same each time.

    Args:
        scores: shape ``(queries, items)``, higher is better.
        relevant: for each query its relevant items.
        hidden: for each query items that are taken out of its ranking.

    >>> ranks_of(np.array([[0.1, 0.9, 0.9, 0.5]]), Ragged.from_lists([[2, 0]]))[0].tolist()
    [2, 4]
    """
    out = []
    for query, row in enumerate(np.asarray(scores, np.float64)):
        if hidden is not None and len(hidden[query]):
            row = row.copy()  # noqa: PLW2901 - the caller's array stays as it is
            row[hidden[query]] = -np.inf
        out.append(_ranks(row, relevant[query]))
    return Ragged.from_lists(out)


def _ranks(row: PerQuery, mine: NDArray[np.int64]) -> NDArray[np.int64]:
    own = row[mine][:, None]
    before = np.arange(len(row)) < mine[:, None]
    return np.sort(((row > own) | ((row == own) & before)).sum(axis=1) + 1).astype(np.int64)


def ndcg_at(ranks: Ragged, k: int) -> PerQuery:
    """Discounted gain of the first ``k``, divided by the best there could be (Järvelin & Kekäläinen 2002, TOIS 20(4)).

    >>> ndcg_at(Ragged.from_lists([[1], [3], [11], []]), 10).tolist()
    [1.0, 0.5, 0.0, nan]
    """
    gains = _summed(ranks, np.where(ranks.values <= k, 1 / np.log2(ranks.values + 1), 0.0))
    ideal = np.concatenate([[np.nan], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    return np.asarray(gains / ideal[np.minimum(ranks.lengths(), k)])


def reciprocal_rank_at(ranks: Ragged, k: int) -> PerQuery:
    """One divided by the rank of the first relevant item, 0 where it is not among the first ``k`` (MRR when averaged).

    >>> reciprocal_rank_at(Ragged.from_lists([[2, 3], [11]]), 10).tolist()
    [0.5, 0.0]
    """
    first = _first(ranks)
    return np.where(np.isnan(first), np.nan, np.where(first <= k, 1 / first, 0.0))


def recall_at(ranks: Ragged, k: int) -> PerQuery:
    """The share of the relevant items that are among the first ``k``.

    >>> recall_at(Ragged.from_lists([[2, 30]]), 10).tolist()
    [0.5]
    """
    return _mean(ranks, (ranks.values <= k).astype(np.float64))


def success_at(ranks: Ragged, k: int) -> PerQuery:
    """1 where a relevant item is among the first ``k``, else 0.

    >>> success_at(Ragged.from_lists([[2, 30], [4]]), 3).tolist()
    [1.0, 0.0]
    """
    first = _first(ranks)
    return np.where(np.isnan(first), np.nan, (first <= k).astype(np.float64))


def average_precision_at(ranks: Ragged, k: int) -> PerQuery:
    """The mean over all relevant items of the precision where they stand, 0 beyond ``k`` (MAP when averaged).

    >>> average_precision_at(Ragged.from_lists([[1, 4]]), 10).tolist()
    [0.75]
    """
    return _mean(ranks, np.where(ranks.values <= k, (places(ranks.lengths()) + 1) / ranks.values, 0.0))


def _summed(ranks: Ragged, values: PerQuery) -> PerQuery:
    return np.asarray(np.bincount(ranks.rows(), values, len(ranks)), np.float64)


def _mean(ranks: Ragged, values: PerQuery) -> PerQuery:
    length = ranks.lengths()
    return np.where(length > 0, _summed(ranks, values) / np.maximum(length, 1), np.nan)


def _first(ranks: Ragged) -> PerQuery:
    some = ranks.lengths() > 0
    out = np.full(len(ranks), np.nan)
    out[some] = ranks.values[ranks.offsets[:-1][some]]
    return out
