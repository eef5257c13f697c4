"""The figure that decides as training goes on: in training and on validation data, and whether it turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.compare import t_quantile
from hardneg.impact.exam import Measure
from hardneg.impact.lesson import Budget, Scorer
from hardneg.impact.operating import Band

if TYPE_CHECKING:
    from hardneg.impact.examined import Examined
    from hardneg.impact.work import Exams

__all__ = ["Course", "Learning", "learning_of"]

Floats = NDArray[np.float64]

_LEVEL, _WORTH = 0.05, 0.01  # of the test whether a figure fell; a fall that is worth a word


class Course:
    """Looks at a model while it is trained: the figure of the training and the validation part at each checkpoint.

    ``figures`` has shape ``(2, checkpoints)``, NaN where nothing was shown.
    """

    def __init__(self, exams: Exams, budget: Budget) -> None:
        self.exams, self.steps = (exams.train, exams.validation), budget.checkpoints
        self.figures = np.full((2, len(self.steps)), np.nan)

    def see(self, step: int, scorer: Scorer) -> None:
        """Examine a model as it is after so many steps, one of the checkpoints."""
        self.figures[:, self.steps.index(step)] = [exam.figures(exam.answers(scorer))[0] for exam in self.exams]


@dataclass(frozen=True, eq=False)
class Learning:
    """Learning curves.

    Args:
        measure: what is told.
        steps: after how many steps; the last is the end, whichever state is kept.
        train: of each arm, in training: mean over seeds, interval over seeds.
        validation: the same on validation data.
        notes: what to know of them, such as that an arm was better before it was done.
    """

    measure: Measure
    steps: tuple[int, ...]
    train: Mapping[str, Band]
    validation: Mapping[str, Band]
    notes: tuple[str, ...]

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        arms = [
            {"name": name, "train": one.about(), "validation": self.validation[name].about()}
            for name, one in self.train.items()
        ]
        return {"measure": self.measure.name, "steps": list(self.steps), "arms": arms}


def learning_of(found: Mapping[str, Sequence[Examined]], measure: Measure, budget: Budget) -> Learning | None:
    """The curves of all arms that were looked at while they learnt; None where none was."""
    seen = {name: np.stack([_whole(one) for one in each]) for name, each in found.items() if each[0].course.size}
    seen = {name: one for name, one in seen.items() if not np.isnan(one[..., :-1]).all()}
    if not seen:
        return None
    train, validation = ({name: _over_seeds(one[:, side], measure) for name, one in seen.items()} for side in (0, 1))
    kept = {name: np.array([one.validation[0] for one in found[name]]) for name in seen}
    notes = [_turned(name, one[:, 1], kept[name], measure, budget.checkpoints) for name, one in seen.items()]
    return Learning(measure, budget.checkpoints, train, validation, tuple(one for one in notes if one))


def _whole(one: Examined) -> Floats:
    """The course, shape ``(2, checkpoints)``; where the end was not shown, it is what came of the training."""
    course = one.course.copy()
    course[:, -1] = np.where(np.isnan(course[:, -1]), [one.train[0], one.validation[0]], course[:, -1])
    return course


def _over_seeds(each: Floats, measure: Measure) -> Band:
    """Means with Student's intervals, shape ``(seeds, points)`` in; of one seed there is no interval."""
    value, n = each.mean(axis=0), len(each)
    half = t_quantile(0.975, n - 1) * each.std(axis=0, ddof=1) / sqrt(n) if n > 1 else np.zeros(each.shape[1])
    return Band(value, *np.clip([value - half, value + half], 0, measure.most))


def _turned(name: str, each: Floats, kept: Floats, measure: Measure, steps: Sequence[int]) -> str:
    """What to say where a checkpoint is better than what was kept, over seeds, allowing for its being the best."""
    before, n = np.flatnonzero(~np.isnan(each).any(axis=0)), len(each)
    if n < 2 or not len(before) or np.isnan(kept).any():
        return ""
    better = measure.better * each
    best = int(before[better[:, before].mean(axis=0).argmax()])
    fall = better[:, best] - measure.better * kept
    share = 1 - _LEVEL / len(before)  # Bonferroni
    if fall.mean() < _WORTH or fall.mean() <= t_quantile(share, n - 1) * fall.std(ddof=1) / sqrt(n):
        return ""
    return (
        f"Overfitting of {name}: {measure.name} on validation data {each[:, best].mean():.3f} after {steps[best]} "
        f"steps, {kept.mean():.3f} at the end. Try --steps {steps[best]}."
    )
