"""Losses, weights and mixtures against their formulas as loops in float64, and against sentence-transformers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hardneg.errors import InputError, OptionError

torch = pytest.importorskip("torch")

from hardneg.online import InfoNCE, MoCHi, TripletLoss, contrast, hardness  # noqa: E402


def cosines(seed: int, anchors: int = 6, refs: int = 9) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    allowed = rng.random((anchors, refs)) < 0.7
    allowed[0] = False
    allowed[1] = True
    return rng.uniform(-1, 1, anchors), rng.uniform(-1, 1, (anchors, refs)), allowed


@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.05])
@pytest.mark.parametrize(("tau_plus", "beta"), [(0.0, 0.0), (0.1, 0.0), (0.0, 1.0), (0.1, 1.0), (0.4, 0.5)])
def test_contrast_is_the_formula(temperature: float, tau_plus: float, beta: float) -> None:
    """Chuang 2020 and Robinson 2021, as the sums they are."""
    for seed in range(5):
        positive, negatives, allowed = cosines(seed)
        found = contrast(
            *(torch.from_numpy(one) for one in (positive, negatives, allowed)),
            temperature=temperature, tau_plus=tau_plus, beta=beta,
        )  # fmt: skip
        assert found[0] == -math.inf
        for row in range(1, len(positive)):
            e = np.exp(negatives[row][allowed[row]] / temperature)
            w = e**beta
            many = len(e)
            total = ((w * e).sum() / w.mean() - tau_plus * many * np.exp(positive[row] / temperature)) / (1 - tau_plus)
            total = max(total, many * np.exp(-1 / temperature)) if tau_plus else total
            assert math.isclose(float(found[row].exp()), total, rel_tol=1e-9), (seed, row)


@pytest.mark.parametrize("beta", [0.0, 1.5])
@pytest.mark.parametrize("tau_plus", [0.0, 0.05])
def test_the_gradient_of_contrast_is_that_of_differences(beta: float, tau_plus: float) -> None:
    positive, negatives, allowed = cosines(3)
    sides = tuple(torch.from_numpy(one[1:]).requires_grad_() for one in (positive, negatives))
    mask = torch.from_numpy(allowed[1:])
    assert torch.autograd.gradcheck(
        lambda p, n: contrast(p, n, mask, temperature=0.7, tau_plus=tau_plus, beta=beta), sides
    )


def test_contrast_stays_finite_where_exponentials_do_not() -> None:
    positive = torch.tensor([1.0, -1.0], requires_grad=True)
    negatives = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], requires_grad=True)
    found = contrast(positive, negatives, torch.ones(2, 2).bool(), temperature=0.005, tau_plus=0.1, beta=2.0)
    found.sum().backward()
    assert found.isfinite().all()
    assert positive.grad.isfinite().all()
    assert negatives.grad.isfinite().all()
    assert math.isclose(
        float(found[0].detach()), math.log(2) - 200, rel_tol=1e-6
    )  # the least that vectors of length 1 can give


def test_of_no_allowed_negatives_the_loss_is_nothing() -> None:
    from hardneg.online import Relations

    a = torch.randn(2, 3, requires_grad=True)
    only = Relations.from_relevance(torch.eye(2).long())
    loss = InfoNCE(0.1, tau_plus=0.1, beta=1.0)(a, torch.randn(2, 3), relation=only)
    loss.backward()
    assert loss.item() == 0
    assert a.grad.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("mode", ["in_batch", "mined", "all"])
@pytest.mark.parametrize("strength", [0.0, 5.0])
@pytest.mark.parametrize("mined", [0, 1, 3])
def test_infonce_is_that_of_sentence_transformers(mode: Any, strength: float, mined: int) -> None:
    st = pytest.importorskip("sentence_transformers.sentence_transformer.losses")
    names = {"in_batch": "in_batch_negatives", "mined": "hard_negatives", "all": "all_negatives"}
    torch.manual_seed(0)
    vectors = [torch.randn(7, 5).requires_grad_() for _ in range(2 + mined)]
    theirs = st.MultipleNegativesRankingLoss(
        None, scale=20.0, hardness_mode=names[mode], hardness_strength=strength
    ).compute_loss_from_embeddings(vectors, torch.zeros(7))
    expected = torch.autograd.grad(theirs, vectors)
    negatives = torch.stack(vectors[2:], 1) if mined else None
    ours = InfoNCE(0.05, strength=strength, harder=mode)(vectors[0], vectors[1], negatives)
    torch.testing.assert_close(ours, theirs)
    for one, other in zip(torch.autograd.grad(ours, vectors), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_synthetic_negatives_are_the_anchor_s_own() -> None:
    torch.manual_seed(0)
    a, p, made = torch.randn(4, 5), torch.randn(4, 5), torch.randn(4, 2, 5)
    made[2] = 0  # an anchor without a negative to mix has none
    na, np_, nm = (torch.nn.functional.normalize(one, dim=-1).double() for one in (a, p, made))
    expected = []
    for row in range(4):
        e = torch.exp(na[row] @ np_.T / 0.1)
        extra = 0 if row == 2 else torch.exp(nm[row] @ na[row] / 0.1).sum()
        expected.append(-torch.log(e[row] / (e.sum() + extra)))
    found = InfoNCE(0.1)(a, p, synthetic=made)
    assert math.isclose(float(found), float(torch.stack(expected).mean()), rel_tol=1e-5)


def test_hardness_has_no_gradient() -> None:
    s = torch.tensor([0.3], requires_grad=True)
    assert not hardness(s, 2.0).requires_grad


@pytest.mark.parametrize("epoch", [0, 9, 10])
def test_mixtures_start_late(epoch: int) -> None:
    x = torch.randn(4, 3)
    assert MoCHi(mixed=2, with_anchor=1)(x, x, epoch=epoch).shape == (4, 3 * (epoch >= 10), 3)


def test_mixtures_lie_between_their_parents() -> None:
    """Of two hardest negatives: on the arc between them; with the anchor: nearer to the negative."""
    torch.manual_seed(0)
    x = torch.nn.functional.normalize(torch.randn(30, 4), dim=1)
    q = torch.nn.functional.normalize(torch.randn(5, 4), dim=1)
    allowed = torch.rand(5, 30) < 0.5
    allowed[4] = False
    mix = MoCHi(hardest=2, mixed=60, with_anchor=40, start=0, generator=torch.Generator().manual_seed(1))
    made = mix(q, x, allowed, epoch=0)
    assert made.shape == (5, 100, 4)
    assert not made.requires_grad
    assert not made[4].any()
    for row in range(4):
        parents = x[torch.where(allowed[row], q[row] @ x.T, -torch.inf).topk(2).indices]
        torch.testing.assert_close(made[row].norm(dim=1), torch.ones(100))
        weights = torch.linalg.lstsq(parents.T, made[row, :60].T).solution
        torch.testing.assert_close(parents.T @ weights, made[row, :60].T, rtol=1e-4, atol=1e-4)
        assert (weights > -1e-4).all()
        assert ((weights > 1e-3).sum(0) == 2).any()
        near = (made[row, 60:] @ parents.T).max(1).values
        assert (near > made[row, 60:] @ q[row]).all()
    again = MoCHi(hardest=2, mixed=60, with_anchor=40, start=0, generator=torch.Generator().manual_seed(1))
    assert torch.equal(again(q, x, allowed, epoch=3), made)


def test_of_no_triplets_the_loss_is_nothing() -> None:
    x = torch.randn(3, 2, requires_grad=True)
    none = tuple(torch.empty(0, dtype=torch.int64) for _ in range(4))
    loss = TripletLoss()(x, None, none)
    loss.backward()
    assert (loss.item(), x.grad.abs().sum().item()) == (0.0, 0.0)


def test_equal_vectors_have_a_gradient_that_is_a_number() -> None:
    x = torch.ones(3, 2, requires_grad=True)
    TripletLoss(0.2)(x, None, tuple(torch.tensor([one]) for one in range(3))).backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [(InfoNCE, {"temperature": 0}), (InfoNCE, {"tau_plus": 1}), (InfoNCE, {"beta": -1}), (InfoNCE, {"harder": "none"}),
     (TripletLoss, {"margin": -1}), (TripletLoss, {"mean": "some"}), (MoCHi, {"hardest": 0}), (MoCHi, {"start": -1})],
)  # fmt: skip
def test_wrong_options_are_said(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"The '{next(iter(options))}' must be"):
        kind(**options)


def test_a_relation_to_other_documents_is_said() -> None:
    from hardneg.online import Relations

    with pytest.raises(InputError, match="2 anchors to 4 documents"):
        InfoNCE()(torch.eye(2), torch.eye(2), torch.eye(2)[:, None], relation=Relations.from_pairs(2))
