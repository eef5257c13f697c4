"""What a measurement came to, with intervals, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.dose import Dose
from hardneg.impact.exam import Measure
from hardneg.impact.examined import GRADES
from hardneg.impact.leakage import Leak
from hardneg.impact.learning import Learning
from hardneg.impact.operating import Operating
from hardneg.impact.subjects import Changes
from hardneg.impact.verdict import Comparison, Told

if TYPE_CHECKING:
    from hardneg.impact.work import Plan

__all__ = ["ArmFigures", "Result", "nulls"]

Drawn = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ArmFigures:
    """The figures of one arm.

    Args:
        name: of the arm.
        words: what it is.
        seeds: the figures of each seed, shape ``(seeds, measures)``.
        low: the lower ends of the intervals, shape ``(measures,)``.
        high: the upper ends.
        train: the mean figures on the training part.
        validation: the mean figures on the validation part.
        grades: right decisions by grade, of the training and the held-out part, ``(2, 3)``.
        negatives: how many negatives it has; anchors that it has ``filled`` with random ones, because it had none.
    """

    name: str
    words: str
    seeds: Drawn
    low: Drawn
    high: Drawn
    train: Drawn
    validation: Drawn
    grades: Drawn
    negatives: int
    filled: int

    @property
    def mean(self) -> Drawn:
        """The mean over seeds of each measure."""
        return np.asarray(self.seeds.mean(axis=0))

    def about(self, measures: Sequence[str]) -> dict[str, Any]:
        """The same as JSON."""
        figures = {
            name: {"value": mean, "low": low, "high": high, "seeds": each}
            for name, mean, low, high, each in zip(
                measures, self.mean.tolist(), self.low.tolist(), self.high.tolist(), self.seeds.T.tolist(), strict=True
            )
        }
        sides = zip(("train", "held_out"), self.grades.tolist(), strict=True)
        grades = {side: dict(zip(GRADES, row, strict=True)) for side, row in sides}
        return {
            "name": self.name, "words": self.words, "negatives": self.negatives, "filled": self.filled,
            "figures": figures, "train": self.train.tolist(), "validation": self.validation.tolist(), "grades": grades,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Result:
    """Everything; ``sentence`` is what to act on."""

    kind: str
    learner: str
    plan: Plan
    held_out: Mapping[str, Any]
    measures: tuple[Measure, ...]
    arms: tuple[ArmFigures, ...]
    comparisons: tuple[Comparison, ...]
    dose: Dose | None
    leaks: tuple[Leak, ...]
    changes: Changes
    told: Told
    operating: Operating | None = None
    learning: Learning | None = None

    @property
    def sentence(self) -> str:
        """Helped, hurt, or cannot tell, with the figures."""
        return self.told.sentence

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt`` or ``cannot tell``, against random negatives (without these the first of the others)."""
        return self.told.verdict

    def about(self) -> dict[str, Any]:
        """The whole as JSON; what is not known is null."""
        names = [one.name for one in self.measures]
        plan = {**asdict(self.plan), "doses": list(self.plan.doses)}
        about: dict[str, Any] = nulls(
            {
                "impact_version": 1,
                "kind": self.kind,
                "learner": self.learner,
                "plan": plan,
                "held_out": dict(self.held_out),
                "measures": [{"name": one.name, "better": one.better, "words": one.words} for one in self.measures],
                "verdict": self.verdict,
                "sentence": self.sentence,
                "notes": list(self.told.notes),
                "arms": [one.about(names) for one in self.arms],
                "comparisons": [one.about() for one in self.comparisons],
                "dose": None if self.dose is None else self.dose.about(),
                "leaks": [one.about() for one in self.leaks],
                "changes": self.changes.about(),
                "operating": None if self.operating is None else self.operating.about(),
                "learning": None if self.learning is None else self.learning.about(),
            }
        )
        return about


def nulls(value: Any) -> Any:
    """Figures as JSON has them: to six places, and null for what is not known."""
    if isinstance(value, dict):
        return {key: nulls(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [nulls(one) for one in value]
    if isinstance(value, float):
        return None if isnan(value) or value in (float("inf"), float("-inf")) else round(value, 6)
    return value
