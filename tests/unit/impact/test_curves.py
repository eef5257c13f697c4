"""ROC, DET and learning curves: against scikit-learn's, against the figures, against what is known of made numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics
from tests import taught

from hardneg.impact.arms import Arm, no_mining
from hardneg.impact.called import Called
from hardneg.impact.classified import Classified
from hardneg.impact.exam import Measure
from hardneg.impact.examined import Examined
from hardneg.impact.learning import learning_of
from hardneg.impact.lesson import Budget, Lesson, Scorer
from hardneg.impact.making import tasks_of
from hardneg.impact.operating import rates_grid
from hardneg.impact.probe import Probe, frozen
from hardneg.impact.result import Result
from hardneg.impact.task import Kind
from hardneg.impact.work import Fold, Plan, cross_fitted, measure
from hardneg.measures import tpr_at_fprs
from hardneg.ragged import Ragged
from hardneg.verify.rates import rates_of

Floats = NDArray[np.float64]

QUICK = Plan(seeds=3, budget=Budget(steps=32, batch=16), doses=())


def of_sklearn(target: NDArray[np.bool_], scores: Floats, weights: Floats, at: float) -> float:
    fpr, tpr, _ = metrics.roc_curve(target, scores, sample_weight=weights, drop_intermediate=False)
    return float(tpr[fpr <= at + 1e-9].max())


@pytest.mark.parametrize("ties", [False, True])
def test_a_curve_on_a_grid_is_scikit_learns(ties: bool) -> None:
    rng = np.random.default_rng(0)
    target = rng.random(400) < 0.3
    scores = rng.normal(size=400) + 1.2 * target
    scores = scores.round(1) if ties else scores
    weights = rng.integers(0, 4, 400).astype(float)
    grid = rates_grid(int((~target).sum()))
    mine = tpr_at_fprs(rates_of(scores, target, weights), grid)
    assert mine == pytest.approx([of_sklearn(target, scores, weights, one) for one in grid])
    fpr, fnr, _ = metrics.det_curve(target, scores, sample_weight=weights)
    some = grid >= fpr.min()
    assert (1 - mine)[some] == pytest.approx([fnr[fpr <= one + 1e-9].min() for one in grid[some]])


def test_the_grid_begins_where_an_impostor_is_accepted() -> None:
    for impostors, first in ((99, 0.1), (100, 0.01), (10_000, 1e-4), (10**7, 1e-4), (1, 1.0)):
        grid = rates_grid(impostors)
        assert (grid[0], grid[-1]) == (first, 1.0)
        assert (np.diff(grid) > 0).all()
        assert np.isin([one for one in (0.02, 0.05, 0.2, 0.5) if one > first], grid).all()


def measured(kind: Kind, plan: Plan = QUICK) -> Result:
    task = taught.labelled(0, kind, classes=14, each=12)
    like = [np.flatnonzero(task.trainable & (task.codes != code))[:6] for code in task.codes]
    lists = task.restricted(Ragged.from_lists(like))
    mined = Arm("run", "the first of other classes", lambda seed: lists)
    probe = Probe(rate=0.01)
    return measure(
        task, [mined, taught.random_like(task, mined), no_mining(task)], probe, plan,
        frozen=frozen(task, probe.seen(task)),
    )  # fmt: skip


def test_a_verifiers_curves_go_through_its_figures() -> None:
    found = measured("verification")
    assert found.operating is not None
    names = [one.name for one in found.measures]
    place, at = names.index("TAR@FAR=0.01"), found.operating.rates.tolist().index(0.01)
    assert list(found.operating.arms) == [arm.name for arm in found.arms]
    for arm in found.arms:
        band = found.operating.arms[arm.name]
        assert band.value[at] == pytest.approx(arm.mean[place])
        # The figure is not known in draws of too few impostors, the curve is.
        assert (band.low[at], band.high[at]) == pytest.approx((arm.low[place], arm.high[place]), abs=0.02)
        assert (np.diff(band.value) >= 0).all()
        assert (band.low <= band.value + 1e-9).all()
        assert (band.value <= band.high + 1e-9).all()
        assert band.value[-1] == 1


def test_a_classifiers_curve_is_that_of_all_its_trials() -> None:
    task = taught.labelled(0)
    exam = Classified(task, task.parts.test, None)
    scores = np.random.default_rng(1).normal(size=(len(task.codes), 5)).astype(np.float32)
    answers = exam.answers(lambda rows, classes: scores[rows][:, classes])
    share = np.exp(scores[task.parts.test])
    share = (share / share.sum(axis=1, keepdims=True)).ravel()
    target = (task.codes[task.parts.test][:, None] == np.arange(5)).ravel()
    grid = rates_grid(int((~target).sum()))
    mine = tpr_at_fprs(rates_of(answers["scores"], answers["target"]), grid)
    assert mine == pytest.approx([of_sklearn(target, share, np.ones(target.size), at) for at in grid])
    result = measured("classification")
    assert result.operating is not None
    assert result.learning is not None
    for arm in result.arms[:3]:  # a classifier is trained to the end
        assert result.learning.train[arm.name].value[-1] == pytest.approx(arm.train[0])
        assert result.learning.validation[arm.name].value[-1] == pytest.approx(arm.validation[0])
    assert {"run", "random", "none", "untrained"} == set(result.operating.arms)


def test_a_ranking_has_no_such_curve() -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    assert measure(task, [mined, taught.random_like(task, mined)], Probe(rate=0.01), QUICK).operating is None


class Unseen:
    """The probe, that shows nothing while it learns."""

    key = Probe(rate=0.01).key

    def train(self, lesson: Lesson) -> Scorer:
        return Probe(rate=0.01).train(replace(lesson, looked=None))


def test_looking_changes_nothing_and_ends_at_the_figures(tmp_path: Path) -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    arms = [mined, taught.random_like(task, mined)]
    seen = measure(task, arms, Probe(rate=0.01), QUICK, folder=tmp_path / "a")
    unseen = measure(task, arms, Unseen(), QUICK)
    assert unseen.learning is None
    assert {**seen.about(), "learning": None} == unseen.about()
    assert seen.learning is not None
    assert seen.learning.steps == (1, 2, 4, 8, 12, 16, 24, 32)
    for arm in seen.arms:  # what is kept is the best of what was seen, of each seed
        curve = seen.learning.validation[arm.name].value
        assert arm.validation[0] >= curve.max() - 1e-9
    about = json.loads(json.dumps(seen.about(), allow_nan=False))["learning"]
    assert [len(about["arms"][0][side]["value"]) for side in ("train", "validation")] == [8, 8]


def test_a_checkpoint_shows_the_model_on_its_way() -> None:
    task = taught.labelled(0)
    shown: list[tuple[int, NDArray[np.float32]]] = []
    rows, classes = task.parts.test[:3], np.arange(5)
    lesson = Lesson(
        task, Ragged.empty(len(task.codes)), Budget(steps=16), 0,
        looked=lambda step, scorer: shown.append((step, scorer(rows, classes).copy())),
    )  # fmt: skip
    last = Probe(rate=0.03).train(lesson)(rows, classes)
    assert [step for step, _ in shown] == [1, 2, 4, 6, 8, 12, 16]
    far = [float(np.abs(one - last).max()) for _, one in shown]
    assert far[0] > far[3] > far[-2] > far[-1] == 0


def test_training_of_ones_own_may_show_itself_and_has_both_curves() -> None:
    task = taught.labelled(0, "verification", classes=12)
    vectors = {one: row for row, one in enumerate(task.positives.items.ids.to_pylist())}
    table = np.asarray(task.vectors.items[:])  # type: ignore[union-attr]

    def train(lesson: Lesson, seed: int) -> object:
        def scorer(noise: float) -> object:
            rng = np.random.default_rng(seed)
            drawn = table + noise * rng.normal(size=table.shape)

            def score(left: object, right: object) -> NDArray[np.float64]:
                rows = [[vectors[one] for one in side.ids.to_pylist()] for side in (left, right)]  # type: ignore[attr-defined]
                return np.asarray(drawn[rows[0]] @ drawn[rows[1]].T)

            return score

        for step in range(1, lesson.budget.total + 1):
            lesson.show(step, scorer(3 / step))
        return scorer(0.0)

    arms = [replace(no_mining(task), name="run"), no_mining(task)]
    plan = replace(QUICK, seeds=2, budget=Budget(steps=16, batch=16))
    found = measure(task, arms, Called(call=train), plan)
    assert found.operating is not None
    assert found.learning is not None
    eer = found.learning.validation["run"].value
    assert eer[0] > eer[-1]
    assert not np.isnan(eer).any()


def examined(course: Floats) -> Examined:
    """One that went so on validation data; in training it always got better."""
    rising = np.linspace(0.5, 1, len(course))
    some = np.zeros(1)
    return Examined({}, some, course[-1:], rising[-1:], np.zeros((2, 3)), np.stack([rising, course]))


def told(fall: float, noise: float, better: int = 1) -> tuple[str, ...]:
    rng = np.random.default_rng(0)
    budget = Budget(steps=160)
    shape = np.array([0.5, 0.6, 0.7, 0.8, 0.79, 0.78, 0.77, 0.76, 0.8 - fall])
    seeds = [examined(better * (shape + noise * rng.normal(size=9))) for _ in range(5)]
    one = np.zeros(1)
    untrained = [Examined({}, one, one, one, np.zeros((2, 3)))]
    found = learning_of({"run": seeds, "untrained": untrained}, Measure("AP", better, ""), budget)
    assert found is not None
    assert list(found.train) == ["run"]
    return found.notes


def test_a_figure_that_fell_again_is_overfitting() -> None:
    assert told(0.2, 0.005) == (
        "Overfitting of run: AP on validation data 0.800 after 20 steps, 0.599 at the end. Try --steps 20.",
    )
    assert told(0.2, 0.005, -1)
    assert not told(0.0, 0.005)
    assert not told(0.2, 0.5)  # not sure
    assert not told(0.005, 0.0001)  # sure, and not worth a word


def test_curves_of_parts_held_out_in_turn_go_through_their_figures() -> None:
    task = taught.labelled(0, "verification", classes=15, each=12)
    probe = Probe(rate=0.01)
    tasks = tasks_of(task.positives, task.vectors, kind="verification", folds=3)
    folds = []
    for one in tasks:
        empty = no_mining(one)
        folds.append(Fold(one, [replace(empty, name="run"), empty], probe))
    found = cross_fitted(folds, replace(QUICK, seeds=2))
    assert found.operating is not None
    assert found.learning is not None
    place, at = [one.name for one in found.measures].index("TAR@FAR=0.01"), found.operating.rates.tolist().index(0.01)
    for arm in found.arms:
        assert found.operating.arms[arm.name].value[at] == pytest.approx(arm.mean[place])
        assert arm.validation[0] <= found.learning.validation[arm.name].value.min() + 1e-9  # the lowest EER is kept
