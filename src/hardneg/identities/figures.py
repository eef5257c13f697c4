"""How well a model tells identities apart, with intervals over the identities."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg import random
from hardneg.identities.examples import Examples
from hardneg.progress import Progress
from hardneg.ragged import IntArray
from hardneg.similarity import pair_scores
from hardneg.verify import Cohort, Identities, Interval, Trials, as_norm_apart, at_far, eer, identity_intervals, min_dcf

__all__ = ["FARS", "Figures", "figures_of", "normalised", "scores_of"]

FARS = (1e-2, 1e-3)
_DRAWS = 400
_COHORT = 4000  # a few thousand is what a cohort takes


@dataclass(frozen=True)
class Figures:
    """The error rates of some trials.

    Args:
        targets: how many are of one identity.
        impostors: how many are of two.
        eer: the equal error rate.
        tar: the share of targets accepted at each of the false-accept rates 0.01 and 0.001; NaN where there are too
            few impostors to say.
        min_dcf: the least detection cost, as NIST normalises it, where one trial in a hundred is a target.
    """

    targets: int
    impostors: int
    eer: Interval
    tar: tuple[Interval, ...]
    min_dcf: Interval

    def about(self) -> dict[str, Any]:
        """As JSON, where nothing is NaN."""
        named = {"eer": self.eer, "min_dcf": self.min_dcf}
        named |= {f"tar_at_far_{far:g}": one for far, one in zip(FARS, self.tar, strict=True)}
        intervals = {
            key: {part: None if isnan(value) else value for part, value in asdict(one).items()}
            for key, one in named.items()
        }
        return {"targets": self.targets, "impostors": self.impostors, **intervals}


def figures_of(
    trials: Trials, scores: NDArray[Any], codes: IntArray, *, seed: int, progress: Progress, what: str
) -> Figures:
    """The figures of scored trials; identities are drawn anew 400 times.

    Raises InputError without a target or an impostor.
    """
    statistics = (eer, *(lambda curve, far=far: at_far(curve, far).tar for far in FARS), lambda c: min_dcf(c).value)
    with progress.stage(f"error rates, {what}", _DRAWS, "draws") as report:
        first, *tar, last = identity_intervals(
            statistics, scores, codes[trials.left], codes[trials.right], draws=_DRAWS, seed=seed, report=report
        )
    targets = int(trials.target.sum())
    return Figures(targets, len(trials) - targets, first, tuple(tar), last)


def scores_of(examples: Examples, trials: Trials) -> NDArray[np.float64]:
    """The cosine of each trial."""
    found = pair_scores(examples.vectors, examples.vectors, trials.left, trials.right, "cosine")
    return np.asarray(found, np.float64)


def normalised(
    examples: Examples, trials: Trials, scores: NDArray[np.float64], people: Identities, persons: IntArray, *, top: int,
    seed: int, progress: Progress,
) -> NDArray[np.float64]:  # fmt: skip
    """The scores by adaptive S-norm against the ``top`` nearest other identities of either side, as wholes.

    Neither of the two identities of a trial is in its cohort, nor is a name that may be one of them: ``persons`` has
    one number for each person, shape ``(names,)``. Of more than 4,000 identities so many are drawn.
    """
    mine = np.where(examples.codes >= 0, persons[examples.codes], -1)
    drawn = np.sort(np.argsort(random.uniform(seed, people.codes), kind="stable")[:_COHORT])
    cohort = Cohort(people.vectors[drawn], persons[people.codes[drawn]])
    with progress.stage("normalise scores", 2 * len(trials), "sides of trials") as report:
        return as_norm_apart(scores, examples.vectors, mine, trials, cohort, top=top, report=report)
