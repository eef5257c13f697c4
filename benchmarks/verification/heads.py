"""A head for verification trained on random impostor pairs and on mined ones, tested on people it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

import hardneg as hn
from benchmarks.labelled.noise import ids
from benchmarks.verification.data import Named
from hardneg.verify import Rates, Trials, at_far, eer, hardest_impostors, leaks, rates_of, sampled_trials, split_apart
from hardneg.verify.bootstrap import identity_weights

__all__ = ["ARMS", "FIGURES", "Outcome", "measured"]

ARMS = ("vectors as they come", "random", "mined, default guards", "mined, no guards", "half random, half mined")
FIGURES = ("EER", "TAR at FAR 0.01", "TAR at FAR 0.001", "EER, look-alikes")
_PAIRS, _WIDTH, _BATCH = 4, 64, 64
_TARGETS, _IMPOSTORS = 10_000, 20_000

Pairs = NDArray[np.int64]  # shape (p, 2)


@dataclass(frozen=True)
class Outcome:
    """One arm at one seed: the figures of held-out people, and the same where these are drawn anew."""

    arm: str
    seed: int
    figures: list[float]
    drawn: list[list[float]]
    pairs: int


def measured(data: Named, seed: int, *, steps: int, draws: int) -> list[Outcome]:
    """Half of the identities train a head in each arm, with as many pairs and steps; the others are the test."""
    held_out = split_apart([data.codes], share=0.5, seed=seed)
    assert not leaks(~held_out, held_out, {"identity": data.codes})
    train, test = data.take(~held_out), data.take(held_out)
    random, mined, unguarded = (_pairs(train, *steps_of, seed=seed) for steps_of in _STEPS)
    count = min(len(random), len(mined), len(unguarded))
    rng = np.random.default_rng(seed)
    lists = [rng.permutation(one)[:count] for one in (random, mined, unguarded)]
    half = np.concatenate([lists[0][: count // 2], lists[1][: count - count // 2]])
    base = _principal(train.vectors)
    heads = [base, *(_trained(train, base, one, steps, seed) for one in (*lists, half))]
    return [Outcome(arm, seed, *_tested(test, head, seed, draws), count) for arm, head in zip(ARMS, heads, strict=True)]


_STEPS: tuple[tuple[str, list[str] | None, str], ...] = (
    ("uniform(k=50)", ["known"], f"uniform(n={_PAIRS})"),
    ("neighbors(k=50)", None, f"top(n={_PAIRS})"),
    ("neighbors(k=50)", ["known"], f"top(n={_PAIRS})"),
)


def _pairs(train: Named, source: str, filters: list[str] | None, sampler: str, *, seed: int) -> Pairs:
    """Impostor pairs, as rows; filters of None are the default ones."""
    from hardneg.steps import usual_filters

    positives = hn.Positives.from_labels(train.collection(), seed=seed)
    run = hn.mine(
        positives, sources=source, filters=filters or list(usual_filters(positives)), sampler=sampler, seed=seed,
        encoder=hn.Vectors.of_items(train.vectors, positives),
    )  # fmt: skip
    return np.stack([ids(run.negatives, name) for name in ("anchor", "item")], axis=1)


def _principal(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where every head begins: the directions in which the training vectors differ most."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.linalg.svd(unit, full_matrices=False)[2][:_WIDTH].astype(np.float32)


def _trained(train: Named, base: NDArray[np.float32], impostors: Pairs, steps: int, seed: int) -> NDArray[np.float32]:
    """A linear map; the cosine after it says, by logistic loss, whether a pair is of one identity."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    unit = functional.normalize(torch.from_numpy(train.vectors))
    head, scale, shift = (torch.nn.Parameter(torch.tensor(one)) for one in (base, 10.0, -5.0))
    optimiser = torch.optim.Adam([{"params": [head]}, {"params": [scale, shift], "lr": 1e-2}], lr=1e-3)
    members = [np.flatnonzero(train.codes == code) for code in np.unique(train.codes)]
    for _ in range(steps):
        targets = np.stack(
            [rng.choice(members[one], 2, replace=False) for one in rng.integers(len(members), size=_BATCH)]
        )
        some = np.concatenate([targets, impostors[rng.integers(len(impostors), size=_BATCH)]])
        left, right = (functional.normalize(unit[some[:, side]] @ head.T) for side in (0, 1))
        wanted = torch.tensor([1.0] * _BATCH + [0.0] * _BATCH)
        loss = functional.binary_cross_entropy_with_logits(scale * (left * right).sum(dim=1) + shift, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return np.asarray(head.detach().numpy(), np.float32)


def _tested(test: Named, head: NDArray[np.float32], seed: int, draws: int) -> tuple[list[float], list[list[float]]]:
    """The figures of up to 30,000 trials, and those where identities are drawn anew, the same draws for all arms."""
    trials = sampled_trials(test.codes, targets=_TARGETS, impostors=_IMPOSTORS, seed=seed)
    near = hardest_impostors(test.vectors, test.codes, _PAIRS)  # in the vectors as they come, whatever the head
    targets = trials.some(trials.target)
    look_alikes = Trials(*(np.append(getattr(targets, one), getattr(near, one)) for one in ("left", "right", "target")))
    found = test.vectors / np.linalg.norm(test.vectors, axis=1, keepdims=True) @ head.T
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    people, codes = np.unique(test.codes, return_inverse=True)

    def curve(some: Trials, draw: int | None) -> Rates:
        scores = (found[some.left] * found[some.right]).sum(axis=1).astype(np.float64)
        if draw is None:
            return rates_of(scores, some.target)
        weights = identity_weights(len(people), codes[some.left], codes[some.right], draw, seed=seed)
        return rates_of(scores, some.target, weights)

    def figures(draw: int | None) -> list[float]:
        every = curve(trials, draw)
        return [eer(every), at_far(every, 1e-2).tar, at_far(every, 1e-3).tar, eer(curve(look_alikes, draw))]

    return figures(None), [figures(draw) for draw in range(draws)]
