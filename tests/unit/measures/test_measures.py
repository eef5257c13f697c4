"""Every measure against scikit-learn, ir-measures or counting by hand."""

from __future__ import annotations

import math
from typing import Any

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, R, Success, nDCG
from numpy.typing import NDArray
from sklearn import metrics

from hardneg.errors import OptionError
from hardneg.measures import (
    accuracy,
    area,
    at_threshold,
    average_precision,
    average_precision_at,
    confusion,
    false_positive_rate,
    fpr_at_tpr,
    macro_f1,
    ndcg_at,
    ranks_of,
    recall_at,
    reciprocal_rank_at,
    success_at,
    threshold_at_tpr,
)
from hardneg.ragged import Ragged
from hardneg.verify import error_rates
from hardneg.verify.rates import rates_of

DRAWS = range(6)


def decisions(seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, 200)
    predicted = np.where(rng.random(200) < 0.6, true, rng.integers(0, 4, 200))
    return true, predicted, rng.integers(0, 4, 200).astype(np.float64)


@pytest.mark.parametrize("seed", DRAWS)
def test_decisions_as_scikit_learn(seed: int) -> None:
    true, predicted, weights = decisions(seed)
    counts = confusion(true, predicted, 4, weights)
    assert np.array_equal(counts, metrics.confusion_matrix(true, predicted, labels=range(4), sample_weight=weights))
    assert accuracy(counts) == pytest.approx(metrics.accuracy_score(true, predicted, sample_weight=weights))
    expected = metrics.f1_score(true, predicted, average="macro", sample_weight=weights)
    assert macro_f1(counts) == pytest.approx(expected)
    by_hand = [weights[(predicted == one) & (true != one)].sum() / weights[true != one].sum() for one in range(4)]
    assert false_positive_rate(counts) == pytest.approx(np.mean(by_hand))


def test_a_class_that_is_not_there_does_not_count() -> None:
    counts = confusion(np.array([0, 1]), np.array([0, 1]), 3)
    assert macro_f1(counts) == 1.0
    assert false_positive_rate(counts) == 0.0
    assert math.isnan(accuracy(np.zeros((2, 2))))


def scored(seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    target = rng.random(300) < 0.3
    scores = np.round(rng.normal(target * 1.0, 1.0), 1)  # rounded, so that many are equal
    return scores, target, rng.integers(0, 3, 300).astype(np.float64)


@pytest.mark.parametrize("seed", DRAWS)
def test_curves_as_scikit_learn(seed: int) -> None:
    scores, target, weights = scored(seed)
    curve = rates_of(scores, target, weights)
    expected = metrics.average_precision_score(target, scores, sample_weight=weights)
    assert average_precision(curve) == pytest.approx(expected)
    assert area(curve) == pytest.approx(metrics.roc_auc_score(target, scores, sample_weight=weights))
    fpr, tpr, thresholds = metrics.roc_curve(target, scores, sample_weight=weights, drop_intermediate=False)
    first = int(np.argmax(tpr >= 0.95 - 1e-12))
    assert fpr_at_tpr(curve, 0.95) == pytest.approx(fpr[first])
    assert threshold_at_tpr(curve, 0.95) == thresholds[first]


@pytest.mark.parametrize("seed", DRAWS)
def test_a_threshold_counted_by_hand(seed: int) -> None:
    scores, target, weights = scored(seed)
    point = at_threshold(scores, target, 0.5, weights)
    drawn = np.repeat(np.arange(len(scores)), weights.astype(int))
    accepted = scores[drawn] >= 0.5
    assert point.tpr == pytest.approx(accepted[target[drawn]].mean())
    assert point.fpr == pytest.approx(accepted[~target[drawn]].mean())


def test_all_equal_scores_are_accepted_together() -> None:
    curve = error_rates(np.full(3, 0.5), np.full(5, 0.5))
    assert (area(curve), fpr_at_tpr(curve, 0.5)) == (0.5, 1.0)
    assert average_precision(curve) == pytest.approx(3 / 8)
    with pytest.raises(OptionError, match="tpr"):
        threshold_at_tpr(curve, 0.0)


def rankings(seed: int, ties: bool) -> tuple[NDArray[np.float64], Ragged]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(12, 150))
    if ties:
        scores = np.round(scores, 1)
    relevant = Ragged.from_lists([np.unique(rng.integers(0, 150, rng.integers(1, 15))) for _ in range(12)])
    return scores, relevant


def by_ir_measures(scores: NDArray[np.float64], relevant: Ragged) -> dict[str, list[float]]:
    wanted: dict[str, Any] = {
        "ndcg": nDCG @ 10, "rr": RR @ 10, "recall": R @ 10, "ap": AP @ 100, "success": Success @ 1,
    }  # fmt: skip
    qrels = [ir_measures.Qrel(f"q{q:02}", f"d{d:03}", 1) for q in range(len(scores)) for d in relevant[q].tolist()]
    run = [
        ir_measures.ScoredDoc(f"q{q:02}", f"d{d:03}", float(s))
        for q, row in enumerate(scores)
        for d, s in enumerate(row)
    ]
    found: dict[str, dict[str, float]] = {name: {} for name in wanted}
    for one in ir_measures.iter_calc(list(wanted.values()), qrels, run):
        name = next(key for key, value in wanted.items() if value == one.measure)
        found[name][one.query_id] = one.value
    return {name: [each[key] for key in sorted(each)] for name, each in found.items()}


@pytest.mark.parametrize("seed", DRAWS)
def test_rankings_as_ir_measures(seed: int) -> None:
    scores, relevant = rankings(seed, ties=False)
    ranks = ranks_of(scores, relevant)
    expected = by_ir_measures(scores, relevant)
    found = {
        "ndcg": ndcg_at(ranks, 10), "rr": reciprocal_rank_at(ranks, 10), "recall": recall_at(ranks, 10),
        "ap": average_precision_at(ranks, 100), "success": success_at(ranks, 1),
    }  # fmt: skip
    for name, values in found.items():
        assert values.tolist() == pytest.approx(expected[name]), name


@pytest.mark.parametrize("seed", DRAWS)
def test_ranks_as_a_stable_sort(seed: int) -> None:
    scores, relevant = rankings(seed, ties=True)
    hidden = Ragged.from_lists([np.setdiff1d([3, 7, 90], relevant[q]) for q in range(len(relevant))])
    ranks = ranks_of(scores, relevant, hidden)
    for query in range(len(scores)):
        order = [one for one in np.argsort(-scores[query], kind="stable").tolist() if one not in hidden[query]]
        assert ranks[query].tolist() == sorted(order.index(one) + 1 for one in relevant[query].tolist())


def test_a_query_without_a_relevant_item_has_no_figure() -> None:
    ranks = ranks_of(np.ones((1, 3)), Ragged.from_lists([[]]))
    for found in (ndcg_at(ranks, 5), reciprocal_rank_at(ranks, 5), recall_at(ranks, 5), success_at(ranks, 1)):
        assert np.isnan(found).all()
