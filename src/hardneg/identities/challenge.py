"""Trials to test a model with: the hardest impostors there are, as many at random, and targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.identities.examples import Examples
from hardneg.progress import Progress
from hardneg.ragged import IntArray
from hardneg.verify import Trials, hardest_impostors, sampled_trials

__all__ = ["Challenge", "challenge_of", "drawn"]

_IMPOSTORS = 4  # of each example
_TRIALS = 100_000  # of each kind, where there are more


@dataclass(frozen=True, eq=False)
class Challenge:
    """Two lists of trials with the same targets.

    Args:
        hard: each example with the four of other persons that are most like it, and the targets.
        random: as many impostors at random, and the targets.
    """

    hard: Trials
    random: Trials


def challenge_of(examples: Examples, persons: IntArray, *, seed: int, progress: Progress) -> Challenge:
    """Make the trials; ``persons`` has the person of each example, so that names that may be one are no impostors.

    The targets are as many as the hard impostors, or all there are; two examples of one session are none.
    """
    asked = int((persons >= 0).sum())
    with progress.stage("hardest impostors", asked, "items") as report:
        hard = hardest_impostors(examples.vectors, persons, _IMPOSTORS)
        report(asked, asked)
    easy = sampled_trials(persons, targets=0, impostors=len(hard), seed=seed)
    targets = _across(sampled_trials(examples.codes, targets=len(hard), impostors=0, seed=seed), examples)
    return Challenge(_together(targets, hard), _together(targets, easy))


def drawn(examples: Examples, *, seed: int) -> Trials:
    """All trials, or 100,000 of each kind; two examples of one session are no target."""
    return _across(sampled_trials(examples.codes, targets=_TRIALS, impostors=_TRIALS, seed=seed), examples)


def _across(trials: Trials, examples: Examples) -> Trials:
    return trials if examples.sessions is None else trials.across(examples.sessions)


def _together(one: Trials, other: Trials) -> Trials:
    """Trials of two kinds, by left row, then right."""
    left, right, target = (
        np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("left", "right", "target")
    )
    order = np.lexsort((right, left))
    return Trials(left[order], right[order], target[order])
