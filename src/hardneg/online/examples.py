"""Which examples of a loss to train on: online hard example mining for detectors and classifiers.

    mask = hard_examples(losses, positive, "ssd(ratio=3, least=3)")      # losses (images, boxes), before any mean
    loss = losses[mask].sum() / positive.sum().clamp(min=1)

=============== ============== ==================================================================================
rule            of positives   of negatives
=============== ============== ==================================================================================
ohem            both kinds alike: the ``keep`` with the highest loss
--------------- -------------------------------------------------------------------------------------------------
ssd             all            ``ratio`` for each positive, those with the highest loss
torchvision_ssd all            the same, where part of a negative counts as one
hard_pool       some at random some at random, of ``pool`` times as many with the highest loss
=============== ============== ==================================================================================
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hardneg.errors import InputError
from hardneg.notation import Registry, Step, require
from hardneg.online._draws import new_seed, uniform

__all__ = ["EXAMPLE_RULES", "OHEM", "SSD", "ExampleRule", "Examples", "HardPool", "TorchvisionSSD", "hard_examples"]


@dataclass(frozen=True, eq=False)
class Examples:
    """The examples of some images, one image a row.

    Args:
        losses: float, shape ``(images, n)``.
        positive: bool, of the same shape.
        negative: likewise; what is neither is out of the game.
        seed: what random numbers depend on; None where the rule draws none.
    """

    losses: Tensor
    positive: Tensor
    negative: Tensor
    seed: Tensor | None = None

    def random(self, stream: int) -> Tensor:
        """A random number in (0, 1) for each example; ``stream`` says what it is for."""
        assert self.seed is not None  # noqa: S101 - rules that draw say so
        rows, columns = (torch.arange(many, device=self.losses.device) for many in self.losses.shape)
        return uniform(self.seed, stream, rows[:, None], columns)


@dataclass(frozen=True)
class ExampleRule(Step):
    """Says which examples are trained on; see :func:`hard_examples`."""

    kinds: ClassVar[bool] = True  # whether it tells positives from negatives
    draws: ClassVar[bool] = False  # whether it needs random numbers

    @abstractmethod
    def choose(self, examples: Examples) -> Tensor:
        """A mask, bool, shape ``(images, n)``."""


@dataclass(frozen=True)
class OHEM(ExampleRule):
    """Of each image the ``keep`` examples with the highest loss, positive or not.

    Shrivastava, Gupta & Girshick 2016, arXiv 1604.03540, section 4: 128 regions of two images, so 64 of each. There
    regions that overlap by 0.7 with one of a higher loss are left out first; give what is left as ``valid``.

    Args:
        keep: how many of an image.
    """

    name: ClassVar[str] = "ohem"
    kinds: ClassVar[bool] = False

    keep: int = 64

    def __post_init__(self) -> None:
        require(self.keep >= 1, "keep", "at least 1", self.keep)

    def choose(self, examples: Examples) -> Tensor:
        """The first by loss."""
        return _first(examples.losses, examples.positive | examples.negative, self.keep)


@dataclass(frozen=True)
class SSD(ExampleRule):
    """Of each image all positives, and for each of them ``ratio`` negatives, those with the highest loss.

    Liu 2016, arXiv 1512.02325, section 2.2, "at most 3:1"; parts of a negative are cut off, as in its Caffe code. An
    image without positives has no loss then, though all it shows is hard negatives: ``least`` gives it some.

    Args:
        ratio: negatives for each positive.
        least: how many negatives of an image there are at least; SSD has 0.
    """

    name: ClassVar[str] = "ssd"

    ratio: float = 3.0
    least: int = 0

    def __post_init__(self) -> None:
        require(self.ratio >= 0, "ratio", "at least 0", self.ratio)
        require(self.least >= 0, "least", "at least 0", self.least)

    def choose(self, examples: Examples) -> Tensor:
        """All positives, and the first negatives by loss."""
        many = (self.ratio * examples.positive.sum(1, keepdim=True).double()).floor().clamp(min=self.least)
        return examples.positive | _first(examples.losses, examples.negative, many)


@dataclass(frozen=True)
class TorchvisionSSD(ExampleRule):
    """The rule of torchvision's ``SSD.compute_loss``: that of :class:`SSD`, where part of a negative counts as one.

    Where an image has fewer negatives than that, torchvision adds the loss of some positives a second time; a mask has
    them once.

    Args:
        ratio: negatives for each positive; torchvision's ``(1 - positive_fraction) / positive_fraction``.
    """

    name: ClassVar[str] = "torchvision_ssd"

    ratio: float = 3.0

    def __post_init__(self) -> None:
        require(self.ratio >= 0, "ratio", "at least 0", self.ratio)

    def choose(self, examples: Examples) -> Tensor:
        """All positives, and the first negatives by loss."""
        many = self.ratio * examples.positive.sum(1, keepdim=True)
        return examples.positive | _first(examples.losses, examples.negative, many)


@dataclass(frozen=True)
class HardPool(ExampleRule):
    """Of each image some positives at random, and negatives at random among the hardest.

    The rule of MONAI's ``HardNegativeSampler``, which is nnDetection's: ``examples * positive_fraction`` positives, or
    as many as there are; for each, and for one at least, ``1 / positive_fraction - 1`` negatives, drawn from ``pool``
    times as many with the highest loss. There the order is by the score of the foreground, which of a negative rises
    with its loss.

    Args:
        examples: how many of an image, at most.
        positive_fraction: the share of them that are positive.
        least: how many negatives of an image there are at least.
        pool: from how many times as many negatives they are drawn; 1 takes the hardest.
    """

    name: ClassVar[str] = "hard_pool"
    draws: ClassVar[bool] = True

    examples: int = 64
    positive_fraction: float = 0.25
    least: int = 1
    pool: float = 10.0

    def __post_init__(self) -> None:
        require(self.examples >= 1, "examples", "at least 1", self.examples)
        require(0 < self.positive_fraction <= 1, "positive_fraction", "above 0 and at most 1", self.positive_fraction)
        require(self.least >= 0, "least", "at least 0", self.least)
        require(self.pool >= 1, "pool", "at least 1", self.pool)

    def choose(self, examples: Examples) -> Tensor:
        """Draw positives, then negatives from the pool."""
        most = int(self.examples * self.positive_fraction)
        positives = examples.positive.sum(1, keepdim=True).clamp(max=most)
        many = (positives.clamp(min=1).double() * abs(1 - 1 / self.positive_fraction)).floor().clamp(min=self.least)
        many = torch.minimum(many, examples.negative.sum(1, keepdim=True).double())
        pool = _first(examples.losses, examples.negative, (many * self.pool).floor())
        return _first(examples.random(0), examples.positive, most) | _first(examples.random(1), pool, many)


EXAMPLE_RULES: Registry[ExampleRule] = Registry(
    "rule for examples",
    ExampleRule,  # type: ignore[type-abstract]
    [OHEM, SSD, TorchvisionSSD, HardPool],
)


def hard_examples(
    losses: Tensor, positive: Tensor | None = None, rule: str | ExampleRule = "ohem", *,
    valid: Tensor | None = None, generator: torch.Generator | None = None,
) -> Tensor:  # fmt: skip
    """Which examples to train on, bool, of the shape of the losses; of equal losses the first counts.

    The mask has no gradient: take ``losses[mask].mean()``, or whatever the loss divides by.

    Args:
        losses: one for each example, before any mean, shape ``(images, n)``, or ``(n,)`` for one image or a batch of
            pictures to be classified.
        positive: which examples are foreground, bool, of the same shape; ``ohem`` does not ask.
        rule: a rule or its text.
        valid: which examples are in the game, bool, of the same shape; as for anchors that count neither way, and for
            rows that were filled up. All if not given.
        generator: what is drawn depends on it alone; PyTorch's own if not given.

    Raises:
        InputError: losses that are NaN, shapes that do not fit, no ``positive`` where the rule asks for it.

    >>> losses = torch.tensor([[0.1, 2.0, 0.7, 0.3, 0.2], [0.4, 0.1, 0.2, 0.3, 0.9]])
    >>> positive = torch.tensor([[True, False, False, False, False], [False] * 5])
    >>> hard_examples(losses, positive, "ssd(ratio=2, least=1)").int().tolist()
    [[1, 1, 1, 0, 0], [0, 0, 0, 0, 1]]
    >>> hard_examples(losses[0], rule="ohem(keep=2)").int().tolist()
    [0, 1, 1, 0, 0]
    """
    chosen = EXAMPLE_RULES.make(rule)
    if positive is None and chosen.kinds:
        raise InputError(f"The rule '{chosen.name}' tells positives from negatives.", remedy="Give 'positive'.")
    everything = torch.ones_like(losses, dtype=torch.bool)
    positive, valid = (~everything if positive is None else positive), (everything if valid is None else valid)
    _check(losses, positive, valid)
    seed = new_seed(generator, losses.device) if chosen.draws else None
    values, foreground, background = torch.atleast_2d(losses.detach(), positive & valid, ~positive & valid)
    return chosen.choose(Examples(values, foreground, background, seed)).reshape(losses.shape)


def _first(values: Tensor, among: Tensor, many: Tensor | int) -> Tensor:
    """Of some examples of each row the ``many`` with the highest values; of equal ones the first."""
    order = values.sort(dim=1, descending=True, stable=True).indices
    place = among.gather(1, order).cumsum(1) - 1
    return among & torch.empty_like(place).scatter_(1, order, place).lt(many)


def _check(losses: Tensor, positive: Tensor, valid: Tensor) -> None:
    if losses.ndim not in (1, 2) or not losses.is_floating_point():
        raise InputError(
            f"The losses must be floats of shape (n,) or (images, n). Got {losses.dtype} of {tuple(losses.shape)}.",
            remedy="Take the loss of each example (reduction='none'), summed over its parts.",
        )
    for mask, what in ((positive, "positive"), (valid, "valid")):
        if mask.shape != losses.shape or mask.dtype != torch.bool:
            raise InputError(
                f"'{what}' must be bool of the losses' shape {tuple(losses.shape)}. Got {mask.dtype} of "
                f"{tuple(mask.shape)}.",
                remedy="Compare labels with the background: labels > 0.",
            )
    if not torch.compiler.is_compiling() and bool((losses.isnan() & valid).any()):
        raise InputError(
            f"{int((losses.isnan() & valid).sum())} of {losses.numel()} losses are NaN.",
            remedy="The training has diverged: lower the learning rate, or mark what has no loss as not 'valid'.",
        )
