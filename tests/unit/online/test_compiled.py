"""The dense form is one graph for torch.compile, with the same outcome."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from hardneg.online import MINERS, InfoNCE, relations_of  # noqa: E402


def compiled(function: Any, backend: str = "aot_eager") -> Any:
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, backend=backend)


def batch() -> tuple[Any, Any]:
    """Whole coordinates, so that a product has the same bits in any order of adding."""
    source = torch.Generator().manual_seed(0)
    return torch.randint(-3, 4, (48, 6), generator=source).float(), torch.randint(8, (48,), generator=source)


@pytest.mark.parametrize("name", MINERS.steps)
def test_the_dense_form_is_one_graph(name: str) -> None:
    x, y = batch()
    options = ["margin=3"] * (name in ("semi_hard", "semi_hard_facenet", "semi_hard_random"))
    options += ["distance=squared", "normalize=false"] * (name != "distance_weighted")
    miner = MINERS.make(f"{name}({', '.join(options)})")
    torch.manual_seed(0)
    expected = miner.counts(x, y)
    graph = compiled(miner.counts)
    torch.manual_seed(0)
    found = graph(x, y)
    assert expected[0].any()
    for a, b in zip(found, expected, strict=True):
        if not miner.draws or name in ("all_hard", "batch_all", "semi_hard"):
            assert torch.equal(a, b)
        else:  # drawn anew, and as many
            assert float(a.sum()) == float(b.sum())


def test_a_training_step_on_the_dense_form_is_one_graph() -> None:
    """The sum over all semi-hard triplets, by counts, has the value and gradient of the triplets themselves."""
    x, y = batch()
    miner = MINERS.make("semi_hard(margin=3, distance=squared, normalize=false)")

    def loss(e: Any) -> Any:
        positive, negative = miner.counts(e, y)
        d = ((e[:, None] - e) ** 2).sum(2)
        return (positive * d).sum() - (negative * d).sum() + 3 * positive.sum()

    dense, listed = x.clone().requires_grad_(), x.clone().requires_grad_()
    value = compiled(loss)(dense)
    value.backward()
    a, p, n = miner(x, y)
    d = ((listed[:, None] - listed) ** 2).sum(2)
    expected = (d[a, p] - d[a, n] + 3).sum()
    expected.backward()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(dense.grad, listed.grad)


def test_infonce_is_one_graph() -> None:
    source = torch.Generator().manual_seed(0)
    a, p = torch.randn(8, 4, generator=source), torch.randn(8, 4, generator=source)
    loss = InfoNCE(0.1, beta=0.5, tau_plus=0.1)
    torch.testing.assert_close(compiled(loss)(a, p), loss(a, p))


def test_by_machine_code_too() -> None:
    x, y = batch()
    miner = MINERS.make("semi_hard_nearest(distance=squared, normalize=false)")
    try:
        found = compiled(miner.counts, "inductor")(x, y)
    except Exception as error:
        pytest.skip(f"torch.compile does not work here: {type(error).__name__}")
    for a, b in zip(found, miner.counts(x, y), strict=True):
        assert torch.equal(a, b)
    assert relations_of(y).masks().positive.any()
