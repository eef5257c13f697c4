"""Hard examples against loops over images, and against torchvision's own lines where they are at hand."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from hardneg.errors import InputError, OptionError  # noqa: E402
from hardneg.online import hard_examples  # noqa: E402
from hardneg.online.examples import EXAMPLE_RULES, OHEM, SSD, HardPool, TorchvisionSSD  # noqa: E402

TORCHVISION = [
    folder / "torchvision/models/detection/ssd.py" for folder in (Path(sys.prefix) / "vision", *map(Path, sys.path))
]


@st.composite
def worlds(draw: Any) -> tuple[Any, Any, Any]:
    """Losses with equal ones among them, what is positive, what is in the game."""
    shape = draw(st.integers(0, 4)), draw(st.integers(0, 12))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    losses = torch.from_numpy(random.integers(0, 8, shape).astype(np.float32) / 4)
    positive = torch.from_numpy(random.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.7, 1.0])))
    return losses, positive, torch.from_numpy(random.random(shape) < draw(st.sampled_from([0.5, 1.0])))


def hardest(losses: list[float], among: list[int], many: int) -> set[int]:
    return set(sorted(among, key=lambda one: (-losses[one], one))[:many])


def by_image(world: tuple[Any, Any, Any], rule: Any) -> list[Any]:
    """A rule of one image, ``(losses, positives, negatives)``, for each image."""
    out = []
    for losses, positive, valid in zip(*(one.tolist() for one in world), strict=True):
        kinds = [[at for at in range(len(losses)) if valid[at] and positive[at] == one] for one in (True, False)]
        out.append(rule(losses, *kinds))
    return out


def found(world: tuple[Any, Any, Any], rule: Any) -> list[set[int]]:
    losses, positive, valid = world
    mask = hard_examples(losses, positive, rule, valid=valid)
    assert mask.shape == losses.shape
    assert mask.dtype == torch.bool
    assert not (mask & ~valid).any()
    return [set(row.nonzero()[:, 0].tolist()) for row in mask]


@settings(max_examples=60, deadline=None)
@given(world=worlds(), keep=st.integers(1, 9))
def test_ohem_is_the_highest_losses_of_an_image(world: Any, keep: int) -> None:
    expected = by_image(world, lambda losses, p, n: hardest(losses, p + n, keep))
    assert found(world, OHEM(keep)) == expected


@settings(max_examples=60, deadline=None)
@given(world=worlds(), ratio=st.sampled_from([0.0, 0.5, 1.0, 2.5, 3.0]), least=st.integers(0, 4))
def test_ssd_is_its_formula(world: Any, ratio: float, least: int) -> None:
    def rule(losses: list[float], p: list[int], n: list[int]) -> set[int]:
        return set(p) | hardest(losses, n, max(int(ratio * len(p)), least))

    assert found(world, SSD(ratio, least)) == by_image(world, rule)


def test_ssd_gives_images_without_positives_nothing_and_the_floor_gives_them_some() -> None:
    losses, nobody = torch.tensor([[0.2, 0.9, 0.4]]), torch.zeros(1, 3, dtype=torch.bool)
    assert not hard_examples(losses, nobody, "ssd").any()
    assert hard_examples(losses, nobody, "ssd(least=2)").tolist() == [[False, True, True]]


def torchvision_lines() -> str:
    """The lines of ``SSD.compute_loss`` that say which examples count; read, not imported."""
    path = next((one for one in TORCHVISION if one.is_file()), None)
    if path is None:
        pytest.skip("torchvision is not there to be read")
    method = next(
        one
        for one in ast.walk(ast.parse(path.read_text()))
        if isinstance(one, ast.FunctionDef) and one.name == "compute_loss"
    )
    names = ("foreground_idxs", "num_negative", "negative_loss", "negative_loss[foreground_idxs]", "(values, idx)",
             "background_idxs")  # fmt: skip
    lines = [one for one in method.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) in names]
    assert len(lines) == len(names)
    return "\n".join(map(ast.unparse, lines))


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.5, 3.0])
def test_torchvision_says_the_same(ratio: float) -> None:
    lines = torchvision_lines()
    random = torch.Generator().manual_seed(0)
    for share in (0.0, 0.05, 0.2, 0.9):
        losses = torch.rand(6, 40, generator=random)  # no equal ones: its sort is not stable
        positive = torch.rand(6, 40, generator=random) < share
        detector = type("Detector", (), {"neg_to_pos_ratio": ratio})
        known: dict[str, Any] = {"self": detector, "cls_loss": losses, "cls_targets": positive.int()}
        exec(lines, known)
        expected = known["foreground_idxs"] | known["background_idxs"]
        assert torch.equal(hard_examples(losses, positive, TorchvisionSSD(ratio)), expected)


@settings(max_examples=60, deadline=None)
@given(world=worlds(), ratio=st.sampled_from([0.5, 2.5, 3.0]))
def test_torchvision_ssd_is_its_formula(world: Any, ratio: float) -> None:
    def rule(losses: list[float], p: list[int], n: list[int]) -> set[int]:
        return set(p) | {one for place, one in enumerate(sorted(n, key=lambda at: (-losses[at], at)))
                         if place < ratio * len(p)}  # fmt: skip

    assert found(world, TorchvisionSSD(ratio)) == by_image(world, rule)


@settings(max_examples=80, deadline=None)
@given(
    world=worlds(), many=st.integers(1, 10), fraction=st.sampled_from([0.1, 0.25, 0.3, 0.5, 1.0]),
    least=st.integers(0, 3), pool=st.sampled_from([1.0, 1.5, 10.0]),
)  # fmt: skip
def test_a_hard_pool_holds_as_many_as_monai_takes(
    world: Any, many: int, fraction: float, least: int, pool: float
) -> None:
    def rule(losses: list[float], p: list[int], n: list[int]) -> Any:
        positives = min(len(p), int(many * fraction))
        negatives = min(len(n), max(int(max(1, positives) * abs(1 - 1.0 / fraction)), least))
        return positives, negatives, set(p), hardest(losses, n, min(len(n), int(negatives * pool)))

    chosen = found(world, HardPool(many, fraction, least, pool))
    for mine, (positives, negatives, p, hard) in zip(chosen, by_image(world, rule), strict=True):
        assert len(mine & p) == positives
        assert len(mine - p) == negatives
        assert mine - p <= hard


def test_a_hard_pool_draws_each_of_it_equally_often_and_by_the_generator_alone() -> None:
    losses = torch.arange(50.0).expand(20_000, -1)
    positive = torch.zeros(50, dtype=torch.bool).index_fill(0, torch.arange(4), True).expand(20_000, -1)

    def drawn(seed: int) -> Any:
        rule = "hard_pool(examples=4, positive_fraction=0.5, pool=5)"
        return hard_examples(losses, positive, rule, generator=torch.Generator().manual_seed(seed))

    often = drawn(1).double().mean(0)
    assert torch.allclose(often[:4], torch.tensor(0.5).double(), atol=0.015)  # 2 of 4 positives
    assert not often[4:40].any()
    assert torch.allclose(often[40:], torch.tensor(0.2).double(), atol=0.015)  # 2 of the 10 hardest
    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


@pytest.mark.parametrize("rule", EXAMPLE_RULES.steps)
@pytest.mark.parametrize("shape", [(0,), (5,), (0, 5), (2, 0), (2, 5)])
def test_nothing_and_one_image_are_fine(rule: str, shape: tuple[int, ...]) -> None:
    losses, nobody = torch.rand(shape), torch.zeros(shape, dtype=torch.bool)
    for positive in (nobody, ~nobody):
        assert hard_examples(losses, positive, rule).shape == shape


def test_only_what_is_chosen_has_a_gradient() -> None:
    losses = torch.tensor([0.5, 3.0, 1.0, 2.0], requires_grad=True)
    mask = hard_examples(losses, rule="ohem(keep=2)")
    losses[mask].mean().backward()
    assert losses.grad.tolist() == [0, 0.5, 0, 0.5]


@pytest.mark.parametrize("rule", [OHEM(3), SSD(least=1), TorchvisionSSD()], ids=str)
def test_it_compiles_to_one_graph(rule: Any) -> None:
    def chosen(losses: Any, positive: Any) -> Any:
        return hard_examples(losses, positive, rule)

    compiled = torch.compile(chosen, fullgraph=True, backend="eager")
    losses = torch.rand(3, 9, generator=torch.Generator().manual_seed(0))
    assert torch.equal(compiled(losses, losses < 0.2), hard_examples(losses, losses < 0.2, rule))


def test_bad_input_is_named() -> None:
    losses, positive = torch.rand(2, 3), torch.zeros(2, 3, dtype=torch.bool)
    with pytest.raises(InputError, match=r"'ssd' tells positives from negatives\. Give 'positive'"):
        hard_examples(losses, rule="ssd")
    with pytest.raises(InputError, match=r"'positive' must be bool of the losses' shape \(2, 3\)"):
        hard_examples(losses, positive[:1], "ssd")
    with pytest.raises(InputError, match="'valid' must be bool"):
        hard_examples(losses, positive, "ssd", valid=positive.long())
    with pytest.raises(InputError, match="must be floats of shape"):
        hard_examples(losses.long(), positive)
    losses[0, 1] = float("nan")
    with pytest.raises(InputError, match="1 of 6 losses are NaN"):
        hard_examples(losses, positive)
    assert hard_examples(losses, positive, valid=~losses.isnan()).sum() == 5
    with pytest.raises(OptionError, match=r"no rule for examples 'sdd'\. Did you mean 'ssd'"):
        hard_examples(losses, positive, "sdd")
    for bad in ("ohem(keep=0)", "ssd(ratio=-1)", "hard_pool(positive_fraction=0)", "hard_pool(pool=0.5)"):
        with pytest.raises(OptionError, match="must be"):
            EXAMPLE_RULES.make(bad)
