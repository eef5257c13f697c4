"""Is the model good enough to mine with? One that guesses finds random items and calls them hard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.ragged import IntArray

__all__ = ["Strength", "strength"]

LEAST_SKILL = 0.2


@dataclass(frozen=True)
class Strength:
    """How much better than guessing a model is.

    Args:
        accuracy: the share of rows it takes for their label.
        majority: the share of the largest class, which a model without any input reaches.
        balanced: the mean over classes of the share it takes for them (balanced accuracy).
        low: the lower end of the interval of ``balanced``.
        high: its upper end.
        chance: the balanced accuracy of any guess that ignores the input: 1 / the number of classes seen.
        least: what ``low`` must reach.
    """

    accuracy: float
    majority: float
    balanced: float
    low: float
    high: float
    chance: float
    least: float

    @property
    def too_weak(self) -> bool:
        """Whether nothing should be mined with it."""
        return not self.low >= self.least

    @property
    def why(self) -> str:
        """The verdict in words.

        >>> print(strength(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]), 2).why)
        too weak to mine with: balanced accuracy 0.500, interval 0.213 to 0.787, must surely reach 0.600 (chance 0.500)
        """
        verdict = "too weak to mine with" if self.too_weak else "strong enough to mine with"
        return (
            f"{verdict}: balanced accuracy {self.balanced:.3f}, interval {self.low:.3f} to {self.high:.3f}, "
            f"must surely reach {self.least:.3f} (chance {self.chance:.3f})"
        )


def strength(
    taken: IntArray, codes: IntArray, classes: int, *, skill: float = LEAST_SKILL, z: float = 1.96
) -> Strength:
    """How much better than guessing, from rows whose label the model had not seen.

    The rule: a model is too weak unless the lower bound of its balanced accuracy reaches ``chance + skill * (1 -
    chance)``. Balanced accuracy, not accuracy, since always saying the largest class must not pass. The bound is
    normal, its variance taken from each class's recall as Agresti & Coull (1998, The American Statistician 52)
    shrink it: a recall of 0 or 1 in a few rows is not certain. The middle is not shrunk, since of many small classes
    that would lift a guesser above chance. Classes without rows are left out; without any row the model is too weak.

    Args:
        taken: what each row is taken for, shape ``(n,)``.
        codes: its label, -1 for none (passed over), shape ``(n,)``.
        classes: the number of classes.
        skill: how far of the way from chance to perfect the model must be.
        z: the width of the interval, in standard errors.

    >>> good = strength(np.array([0] * 50 + [1] * 50), np.array([0] * 45 + [1] * 55), 2)
    >>> round(good.balanced, 3), good.too_weak
    (0.955, False)
    """
    known = codes >= 0
    taken, codes = taken[known], codes[known]
    counts = np.bincount(codes, minlength=classes)
    seen = counts > 0
    rows = counts[seen]
    if not seen.any():
        return Strength(*[float("nan")] * 7)
    right = np.bincount(codes[taken == codes], minlength=classes)[seen]
    shrunk = (right + z * z / 2) / (rows + z * z)
    spread = float(np.sqrt((shrunk * (1 - shrunk) / (rows + z * z)).sum())) / len(rows)
    balanced = float((right / rows).mean())
    chance = 1 / len(rows)
    return Strength(
        accuracy=float(right.sum() / len(codes)),
        majority=float(counts.max() / len(codes)),
        balanced=balanced,
        low=max(balanced - z * spread, 0.0),
        high=min(balanced + z * spread, 1.0),
        chance=chance,
        least=chance + skill * (1 - chance),
    )
