"""Early stopping: of a training the state is kept that is best on validation data, by the same rule for every arm.

Sets of negatives need different lengths of training: hard ones go on teaching where random ones have begun to overfit.
One rate and length for all, chosen with one of them, would be made for that one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardneg.impact.exam import Exam
from hardneg.impact.lesson import Scorer
from hardneg.similarity import FloatArray

__all__ = ["Best"]

_LOOKS = 7  # after all steps, half of them, a quarter, and so on


class Best:
    """Looks at a head while it learns, and keeps a copy of the weights with the best figure so far; of equals the last.

    Args:
        exam: of the validation part. Where it gives no figure the weights at the end are kept.
        steps: how many there will be.
        scorer: makes a scorer of weights.
    """

    def __init__(self, exam: Exam, steps: int, scorer: Callable[[FloatArray], Scorer]) -> None:
        self.exam, self.scorer = exam, scorer
        self.looks = {max(1, steps >> one) for one in range(_LOOKS)}
        self.figure, self.weights = -np.inf, np.zeros(0, np.float32)

    def see(self, step: int, weights: FloatArray) -> None:
        """Look at the weights as they are after so many steps, from 1 on."""
        if step not in self.looks:
            return
        found = self.exam.figures(self.exam.answers(self.scorer(weights)))[0]
        figure = -np.inf if np.isnan(found) else self.exam.measures[0].better * float(found)
        if figure >= self.figure:
            self.figure, self.weights = figure, weights.copy()
