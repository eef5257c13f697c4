"""Miners against those of pytorch-metric-learning and the batch losses of sentence-transformers, where rules agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
peers = pytest.importorskip("pytorch_metric_learning.miners")
from pytorch_metric_learning import distances, losses  # noqa: E402

from hardneg.online import (  # noqa: E402
    AllHard,
    BatchAll,
    BatchHard,
    DistanceWeighted,
    EasyPositive,
    MultiSimilarity,
    SemiHard,
    SemiHardNearest,
    TripletLoss,
    Uniform,
)
from hardneg.online._distances import distances as measured  # noqa: E402

SEEDS = range(4)


def batch(seed: int, size: int = 90, classes: int = 12) -> tuple[Any, Any]:
    source = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, 24, generator=source)
    labels = torch.randint(classes, (size,), generator=source)
    return centres[labels] + 1.5 * torch.randn(size, 24, generator=source), labels


def listed(found: Any) -> set[tuple[int, ...]]:
    return set(zip(*(one.tolist() for one in found), strict=True))


TRIPLETS = [
    (BatchHard(), peers.BatchHardMiner),
    (BatchAll(margin=0.2), lambda: peers.TripletMarginMiner(0.2, "all")),
    (AllHard(), lambda: peers.TripletMarginMiner(0.2, "hard")),
    (SemiHard(margin=0.2), lambda: peers.TripletMarginMiner(0.2, "semihard")),
    (BatchHard(distance="cosine"), lambda: peers.BatchHardMiner(distance=distances.CosineSimilarity())),
    (EasyPositive(), lambda: peers.BatchEasyHardMiner("easy", "semihard")),
    (EasyPositive("hard"), lambda: peers.BatchEasyHardMiner("easy", "hard")),
]


@pytest.mark.parametrize(("ours", "theirs"), TRIPLETS, ids=[f"{one[0]}" for one in TRIPLETS])
@pytest.mark.parametrize("refs", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_triplets_are_those_of_pytorch_metric_learning(ours: Any, theirs: Any, refs: bool, seed: int) -> None:
    x, y = batch(seed)
    sides = (x[:40], y[:40], x[40:], y[40:]) if refs else (x, y)
    peer = theirs()(*sides)
    expected = listed(peer if len(peer) == 3 else (peer[0], peer[1], peer[3]))
    assert len(expected) > 20
    assert listed(ours(*sides)) == expected


@pytest.mark.parametrize("refs", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_are_those_of_pytorch_metric_learning(refs: bool, seed: int) -> None:
    x, y = batch(seed)
    sides = (x[:40], y[:40], x[40:], y[40:]) if refs else (x, y)
    a1, p, a2, n = peers.MultiSimilarityMiner(0.1)(*sides)
    found = MultiSimilarity(0.1)(*sides)
    assert (listed(found[:2]), listed(found[2:])) == (listed((a1, p)), listed((a2, n)))


def test_distance_weighted_draws_as_pytorch_metric_learning_does() -> None:
    """The shares of 20 batches' draws agree, by the distance of what is drawn."""
    x, y = batch(0)
    x = torch.nn.functional.normalize(x)
    mine: list[Any] = []
    theirs: list[Any] = []
    torch.manual_seed(0)
    for _ in range(20):
        for out, miner in ((mine, DistanceWeighted()), (theirs, peers.DistanceWeightedMiner())):
            a, _, n = miner(x, y)
            out.append((x[a] - x[n]).norm(dim=1))
    ours, peer = torch.cat(mine), torch.cat(theirs)
    spread = (ours.var() / len(ours) + peer.var() / len(peer)).sqrt()
    assert abs(ours.mean() - peer.mean()) < 4 * spread
    assert ours.mean() < (x[None] - x[:, None]).norm(dim=2).mean() - 10 * spread  # unlike uniform draws


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["euclidean", "squared", "cosine"])
def test_semi_hard_nearest_gives_the_loss_of_sentence_transformers(kind: Any, seed: int) -> None:
    st = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    x, y = batch(seed)
    x = torch.nn.functional.normalize(x)
    theirs = st.BatchSemiHardTripletLoss(
        None, lambda one: measured(one, one, kind, slice(0, len(one))), margin=0.3
    ).compute_loss_from_embeddings([x], y)
    ours = TripletLoss(0.3, distance=kind)(x, y, SemiHardNearest(distance=kind)(x, y))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_batch_hard_gives_the_loss_of_sentence_transformers(seed: int) -> None:
    st = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    x, y = batch(seed)
    theirs = st.BatchHardTripletLoss(None, margin=5.0).compute_loss_from_embeddings([x], y)
    ours = TripletLoss(5.0, normalize=False)(x, y, BatchHard(normalize=False)(x, y))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("miner", [BatchHard(), SemiHard(margin=0.2), MultiSimilarity(), Uniform()], ids=str)
@pytest.mark.parametrize("refs", [False, True])
def test_losses_of_pytorch_metric_learning_take_what_is_mined(miner: Any, refs: bool) -> None:
    """And where the rule is the same, the value and the gradient are those of our loss."""
    x, y = batch(0)
    sides = (x[:40], y[:40], x[40:], y[40:]) if refs else (x, y)
    found, gradients = miner(*sides), []
    from pytorch_metric_learning.reducers import MeanReducer

    ref = sides[2:] if refs else (None, None)
    values = []
    for loss in (losses.TripletMarginLoss(0.2, reducer=MeanReducer()), TripletLoss(0.2)):
        anchors = sides[0].clone().requires_grad_()
        values.append(loss(anchors, sides[1], found, *ref))
        values[-1].backward()
        gradients.append(anchors.grad)
    torch.testing.assert_close(*values, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)
    active = losses.TripletMarginLoss(0.2)(sides[0], sides[1], found, *ref)
    torch.testing.assert_close(
        TripletLoss(0.2, mean="active")(sides[0], sides[1], found, *ref), active, rtol=1e-4, atol=1e-5
    )
    assert np.isfinite(losses.MultiSimilarityLoss()(sides[0], sides[1], found, *ref).item())


@pytest.mark.parametrize("normal", [True, False])
def test_the_soft_margin_is_that_of_pytorch_metric_learning(normal: bool) -> None:
    from pytorch_metric_learning.reducers import MeanReducer

    x, y = batch(1)
    found = BatchHard()(x, y)
    theirs = losses.TripletMarginLoss(
        0, smooth_loss=True, reducer=MeanReducer(), distance=distances.LpDistance(normalize_embeddings=normal)
    )
    torch.testing.assert_close(
        TripletLoss(None, normalize=normal)(x, y, found), theirs(x, y, found), rtol=1e-4, atol=1e-5
    )
