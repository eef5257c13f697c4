"""The probe's mathematics against torch and scikit-learn; equal budgets; what an arm may hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tests import taught

from hardneg.errors import OptionError
from hardneg.impact.adam import Adam
from hardneg.impact.arms import Arm, drawn_like, filled, mixed, no_mining, random_arm, shuffled_arm
from hardneg.impact.contrastive import Batch, loss_and_gradient, projected
from hardneg.impact.lesson import Budget, Lesson
from hardneg.impact.probe import Probe, prepared
from hardneg.impact.task import Task
from hardneg.ragged import Ragged


def batch(rng: np.random.Generator, negatives: int) -> Batch:
    hidden = np.zeros((6, 6), bool)
    hidden[0, 3] = hidden[4, 1] = True
    anchors, positives, own = (
        rng.normal(size=shape).astype(np.float32) for shape in ((6, 5), (6, 5), (6, negatives, 5))
    )
    return Batch(anchors, positives, own, hidden)


@pytest.mark.parametrize("negatives", [0, 3])
def test_the_gradient_is_that_of_torch(negatives: int) -> None:
    rng = np.random.default_rng(0)
    one, layer = batch(rng, negatives), (0.1 * rng.normal(size=(5, 5))).astype(np.float32)
    weights = torch.tensor(layer, dtype=torch.float64, requires_grad=True)

    def z(rows: object) -> torch.Tensor:
        x = torch.as_tensor(rows, dtype=torch.float64)
        return torch.nn.functional.normalize(x + x @ weights, dim=-1)

    a, p, n = z(one.anchors), z(one.positives), z(one.negatives)
    among = (a @ p.T).masked_fill(torch.as_tensor(one.hidden), float("-inf"))
    logits = torch.cat([among, torch.einsum("bd,bnd->bn", a, n)], dim=1) / 0.1
    loss = torch.nn.functional.cross_entropy(logits, torch.arange(6))
    loss.backward()
    value, gradient = loss_and_gradient(one, layer, 0.1)
    assert value == pytest.approx(loss.item(), rel=1e-4)
    assert weights.grad is not None
    assert np.allclose(gradient, weights.grad.numpy(), atol=1e-4)
    assert np.allclose(projected(one.anchors, layer), a.detach().numpy(), atol=1e-5)


def test_adam_is_that_of_torch() -> None:
    rng = np.random.default_rng(1)
    mine = rng.normal(size=(3, 2)).astype(np.float32)
    theirs = torch.tensor(mine.copy(), requires_grad=True)
    adam, other = Adam(mine, 0.1, steps=20), torch.optim.Adam([theirs], lr=0.1)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(other, 20)
    for _ in range(20):
        gradient = rng.normal(size=(3, 2)).astype(np.float32)
        adam.step(gradient)
        theirs.grad = torch.tensor(gradient)
        other.step()
        plan.step()
    assert np.allclose(mine, theirs.detach().numpy(), atol=1e-5)


def test_a_classifier_is_as_good_as_scikit_learns() -> None:
    task = taught.labelled(3, each=60)
    scorer = Probe().train(Lesson(task, Ragged.empty(len(task.positives.anchors)), Budget(), 0))
    vectors, (train, test) = prepared(task).items, (task.parts.train, task.parts.test)
    other = LogisticRegression(C=10.0).fit(vectors[train], task.codes[train])
    mine = (scorer(test, np.arange(5)).argmax(axis=1) == task.codes[test]).mean()
    assert mine == pytest.approx(other.score(vectors[test], task.codes[test]), abs=0.05)


def of_lesson(task: Task, arm: Arm, seed: int = 4) -> Lesson:
    return Lesson(task, filled(task, arm.lists(seed), seed)[0], Budget(steps=12, batch=16, negatives=3), seed)


def test_all_arms_see_the_same_anchors_and_positives() -> None:
    task = taught.retrieval()
    mined = taught.nearest(task)
    arms = [mined, random_arm(task, mined.lists(0)), no_mining(task), shuffled_arm(task, mined)]
    seen = [list(of_lesson(task, arm).steps()) for arm in arms]
    for steps in zip(*seen, strict=True):
        for other in steps[1:]:
            assert np.array_equal(steps[0].anchors, other.anchors)
            assert np.array_equal(steps[0].positives, other.positives)
        assert [one.negatives.shape for one in steps] == [(16, 3), (16, 3), (16, 0), (16, 3)]


def test_no_arm_holds_what_may_not_be_had() -> None:
    for task in (taught.retrieval(), taught.labelled(0), taught.labelled(0, "verification", classes=12)):
        lists = task.restricted(Ragged.from_lists([np.arange(7)] * len(task.positives.anchors)))
        lengths = np.where(np.isin(np.arange(len(lists)), task.learners), 6, 0)
        like = Ragged.from_lengths(lengths, np.zeros(lengths.sum(), np.int64))
        for found in (drawn_like(task, like, 1), mixed(task, drawn_like(task, like, 2), 0.5, 3), lists):
            rows, items = found.rows(), found.values
            assert np.isin(rows, task.learners).all()
            assert task.trainable[items].all()
        fresh = drawn_like(task, like, 1)
        assert np.array_equal(fresh.lengths(), lengths)
        assert not task.positives.positive.contains(fresh.rows(), fresh.values).any()
        assert not task.positives.forbids(fresh.rows(), fresh.values).any()
        if task.kind != "retrieval":
            held_out = np.concatenate([task.parts.validation, task.parts.test])
            assert not np.isin(fresh.values, held_out).any()


def test_random_negatives_are_even_and_follow_the_seed() -> None:
    task = taught.retrieval()
    like = taught.nearest(task).lists(0)
    one, same, other = (drawn_like(task, like, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.values, same.values)
    assert not np.array_equal(one.values, other.values)
    counts = np.bincount(one.values, minlength=len(task.positives.items))
    expected = len(one.values) / len(counts)
    assert ((counts - expected) ** 2 / expected).sum() < len(counts) + 5 * np.sqrt(2 * len(counts))


def test_a_dose_is_the_share_that_is_mined() -> None:
    task = taught.retrieval()
    mined = taught.nearest(task).lists(0)
    for share in (0.0, 0.3, 1.0):
        found = mixed(task, mined, share, 5)
        assert (found.values == mined.values).mean() == pytest.approx(share, abs=0.06)


def test_anchors_without_a_negative_get_random_ones() -> None:
    task = taught.retrieval()
    mined = taught.nearest(task).lists(0)
    lost = task.learners[:5]
    keep = ~np.isin(mined.rows(), lost)
    short = Ragged.from_lengths(np.bincount(mined.rows()[keep], minlength=len(mined)), mined.values[keep])
    found, count = filled(task, short, 0)
    assert count == 5
    assert (found.lengths()[task.learners] == 8).all()
    empty = Ragged.empty(len(mined))
    assert filled(task, empty, 0) == (empty, 0)


def test_weights_of_every_arm_have_a_mean_of_one() -> None:
    task = taught.labelled(0)
    lengths = np.where(np.isin(np.arange(150), task.learners), 4, 0)
    lists = drawn_like(task, Ragged.from_lengths(lengths, np.zeros(lengths.sum(), np.int64)), 0)
    train = task.parts.train
    for share in (0.0, 0.5, 1.0):
        assert Lesson(task, lists, Budget(steps=2), 0, share=share).weights[train].mean() == pytest.approx(1)
    assert (Lesson(task, lists, Budget(steps=2), 0, share=0.0).weights[train] == 1).all()
    assert np.allclose(Lesson(task, lists, Budget(steps=2), 0, np.ones(150, bool)).weights[train], 1)
    drawn = np.concatenate(list(Lesson(task, lists, Budget(steps=200), 0).draws()))
    often = np.bincount(drawn, minlength=150)[train] / len(drawn)
    assert np.corrcoef(often, Lesson(task, lists, Budget(), 0).weights[train])[0, 1] > 0.9


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="batch"):
        Budget(batch=0)
