"""Every part held out in turn: who is where, figures over folds against pooled ones, leaks, options."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestCentroid
from tests import taught

import hardneg as hn
from hardneg.errors import OptionError
from hardneg.impact import Budget, Fold, Lesson, Plan, Probe, Task, cross_fitted, tasks_of
from hardneg.impact.arms import Arm, no_mining, random_arm
from hardneg.impact.exams import EXAMS
from hardneg.impact.folded import InTurn, averaged
from hardneg.impact.leakage import leaks_in_turn
from hardneg.impact.lesson import Scorer
from hardneg.impact.stopping import Best

QUICK = Plan(seeds=2, budget=Budget(steps=10, batch=16), doses=())


def in_folds(task: Task, folds: int = 4, seed: int = 0) -> list[Task]:
    return tasks_of(task.positives, task.vectors, kind=task.kind, folds=folds, seed=seed)


@pytest.mark.parametrize("kind", ["retrieval", "classification", "verification"])
def test_each_row_is_held_out_once_with_all_that_belongs_to_it(kind: str) -> None:
    task = taught.retrieval() if kind == "retrieval" else taught.labelled(0, kind, classes=12)  # type: ignore[arg-type]
    tasks = in_folds(task)
    assert len(tasks) == 4
    held = np.concatenate([one.parts.test for one in tasks])
    assert np.array_equal(np.sort(held), np.arange(len(task.parts.lots)))
    sizes = [len(one.parts.test) for one in tasks]
    assert max(sizes) - min(sizes) <= 30  # an identity's items
    for one in tasks:
        parts = one.parts
        assert np.array_equal(
            np.sort(np.concatenate([parts.train, parts.validation, parts.test])), np.arange(len(parts.lots))
        )
        for left, right in ((parts.train, parts.test), (parts.validation, parts.test), (parts.train, parts.validation)):
            assert not np.intersect1d(parts.lots[left], parts.lots[right]).size
    assert not [one for one in leaks_in_turn(tasks) if one.what in ("same row", "same identity", "shares a positive")]


def test_of_few_lots_there_are_fewer_folds() -> None:
    table = {"id": list(range(40)), "label": [f"l{row % 2}" for row in range(40)]}
    groups = {"group": [f"g{row // 14}" for row in range(40)]}
    items = hn.Collection(pa.table(table | groups))
    tasks = tasks_of(hn.Positives.from_labels(items), None, kind="classification", folds=5)
    assert len(tasks) == 3
    assert "in 3 folds, each in turn, no group on both sides" in tasks[0].parts.how
    few = taught.labelled(0, classes=6).positives
    assert len(tasks_of(few, None, kind="verification", folds=5)) == 3  # two identities at least in each


def test_lots_of_ones_own_stay_together() -> None:
    task = taught.labelled(0, "verification", classes=12)
    alphabets = task.codes // 3
    tasks = tasks_of(task.positives, task.vectors, kind="verification", folds=4, lots=alphabets)
    assert [len(np.unique(alphabets[one.parts.test])) for one in tasks] == [1, 1, 1, 1]


class Centroids:
    """The mean of each class, as scikit-learn has it."""

    key = "centroids"

    def train(self, lesson: Lesson) -> Scorer:
        task, rows = lesson.task, np.concatenate([lesson.task.parts.train, lesson.task.parts.validation])
        vectors = np.asarray(task.vectors.items[:])  # type: ignore[union-attr]
        means = np.stack([vectors[rows][task.codes[rows] == one].mean(axis=0) for one in range(len(task.names))])
        return lambda left, right: -((vectors[left][:, None] - means[right][None]) ** 2).sum(axis=2)


def test_a_figure_over_folds_is_that_of_scikit_learns_cross_validation() -> None:
    task = taught.labelled(0)
    tasks = in_folds(task, folds=5)
    folds = [Fold(one, [replace(no_mining(one), name="run"), no_mining(one)], Centroids()) for one in tasks]
    found = cross_fitted(folds, QUICK)
    vectors = np.asarray(task.vectors.items[:])  # type: ignore[union-attr]
    splits = [(np.setdiff1d(np.arange(len(task.codes)), one.parts.test), one.parts.test) for one in tasks]
    said = cross_val_predict(NearestCentroid(), vectors, task.codes, cv=splits)
    assert found.arms[0].mean[0] == pytest.approx((said == task.codes).mean())
    assert found.held_out["test"] == len(task.codes)
    assert found.held_out["folds"] == 5
    assert found.arms[0].low[0] < found.arms[0].mean[0] < found.arms[0].high[0]
    assert "in 5 folds" in found.sentence


def test_a_mean_over_folds_counts_what_was_asked_and_leaves_out_what_nobody_was() -> None:
    assert averaged([np.array([1.0, np.nan]), np.array([4.0, 2.0])], [2, 1]).tolist() == [2.0, 2.0]
    tasks = in_folds(taught.labelled(0, "verification", classes=12))
    exams = [EXAMS["verification"](one, one.parts.test, None) for one in tasks]
    whole = InTurn(exams)
    vectors = np.asarray(tasks[0].vectors.items[:])  # type: ignore[union-attr]
    each = [one.answers(lambda left, right: vectors[left] @ vectors[right].T) for one in exams]
    answers = whole.joined(each)
    alone = [exam.figures(one)[0] for exam, one in zip(exams, each, strict=True)]
    assert whole.figures(answers)[0] == pytest.approx(np.average(alone, weights=[len(one.rows) for one in exams]))
    weights = (whole.subjects < exams[0].count).astype(float)  # nobody of the other folds was drawn
    assert whole.figures(answers, weights)[0] == pytest.approx(alone[0])
    assert np.array_equal(np.concatenate([one.rows for one in exams]), whole.rows)
    assert whole.count == 12


def test_two_random_arms_are_mostly_not_told_apart_over_folds() -> None:
    said = []
    for seed in range(3):
        task = taught.retrieval(seed, queries=60, documents=120)
        folds = []
        for one in in_folds(task, folds=3, seed=seed):
            arm = random_arm(one, taught.nearest(one).lists(0))
            other = Arm("again", "", lambda number, arm=arm: arm.lists(number + 5000))  # type: ignore[misc]
            folds.append(Fold(one, [other, arm], Probe()))
        plan = Plan(seeds=3, budget=Budget(steps=6, batch=16, negatives=4), doses=(), seed=seed)
        said.append(cross_fitted(folds, plan).verdict)
    assert sum(one != "cannot tell" for one in said) <= 1


def test_folds_where_the_data_hold_a_part_out_are_refused() -> None:
    task = taught.retrieval(queries=120, documents=300)
    run = hn.mine(task.positives, encoder=task.vectors, sampler="top(n=5)")
    given = {"positives": task.positives, "vectors": task.vectors, "against": ()}
    held_out = np.arange(120) < 30
    with pytest.raises(OptionError, match="Leave --folds out"):
        hn.measure_impact(run, plan=replace(QUICK, folds=3), held_out=held_out, **given)  # type: ignore[arg-type]
    one = hn.measure_impact(run, plan=QUICK, held_out=held_out, **given)  # type: ignore[arg-type]
    assert (one.held_out["folds"], one.held_out["test"]) == (1, 30)
    many = hn.measure_impact(run, plan=QUICK, **given)  # type: ignore[arg-type]
    assert (many.held_out["folds"], many.held_out["test"]) == (5, 120)
    alone = hn.measure_impact(run, plan=replace(QUICK, folds=1), **given)  # type: ignore[arg-type]
    assert alone.held_out["folds"] == 1


def test_the_best_state_on_validation_data_is_kept() -> None:
    task = taught.retrieval()
    exam = EXAMS["retrieval"](task, task.parts.validation, None)
    vectors = task.vectors
    assert vectors is not None

    def scorer(weights: np.ndarray) -> Scorer:
        return lambda left, right: (
            np.asarray(vectors.anchors[:])[left] @ np.asarray(vectors.items[:])[right].T * weights
        )

    best = Best(exam, 64, scorer)
    for step in range(1, 65):  # good at step 16 alone: before and after the order is turned round
        best.see(step, np.array([1.0 if step == 16 else -1.0], np.float32))
    assert best.weights.tolist() == [1.0]
    same = Best(exam, 64, lambda weights: scorer(np.array([1.0])))
    for step in range(1, 65):
        same.see(step, np.array([float(step)], np.float32))
    assert same.weights.tolist() == [64.0]  # of equals the last
