"""What a measurement came to, with intervals, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.arms import Arm
from hardneg.impact.compare import Difference, difference, drawn_seeds, holm, interval, mcnemar
from hardneg.impact.dose import Dose, dose_of
from hardneg.impact.exam import Exam, subject_weights
from hardneg.impact.examined import GRADES, Examined
from hardneg.impact.leakage import Leak, leaks_of
from hardneg.impact.subjects import Changes, changes_of
from hardneg.impact.task import Task
from hardneg.impact.verdict import Comparison, Told, told, verdict
from hardneg.progress import Progress

if TYPE_CHECKING:
    from hardneg.impact.work import Exams, Plan

__all__ = ["ArmFigures", "Result"]

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
        grades = {side: dict(zip(GRADES, row, strict=True)) for side, row in
                  zip(("train", "held_out"), self.grades.tolist(), strict=True)}  # fmt: skip
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
    measures: tuple[Any, ...]
    arms: tuple[ArmFigures, ...]
    comparisons: tuple[Comparison, ...]
    dose: Dose | None
    leaks: tuple[Leak, ...]
    changes: Changes
    told: Told

    @property
    def sentence(self) -> str:
        """Helped, hurt, or cannot tell, with the figures."""
        return self.told.sentence

    @property
    def verdict(self) -> str:
        """``helped``, ``hurt`` or ``cannot tell``, against random negatives (the first of the others, without these)."""
        return self.told.verdict

    @classmethod
    def of(
        cls, task: Task, exams: Exams, arms: tuple[Arm, ...], found: dict[str, list[Examined]],
        dosed: dict[float, list[Examined]], plan: Plan, learner: str, notes: Mapping[str, Any], progress: Progress,
    ) -> Result:  # fmt: skip
        """Draw subjects and seeds anew, compare, and put it into words."""
        exam = exams.test
        drawn = _drawn(exam, found, plan, progress)
        words = {arm.name: arm.words for arm in arms} | {"untrained": "the frozen vectors, before training"}
        figures = tuple(_figures(name, words[name], each, drawn[name], plan, notes) for name, each in found.items())
        comparisons = _compared(exam, arms, found, drawn, plan)
        units = {"retrieval": "queries", "classification": "items", "verification": "items"}[task.kind]
        parts = task.parts
        held_out = {
            "how": parts.how, "units": units, "train": len(parts.train), "validation": len(parts.validation),
            "test": len(exam.subjects), "subjects": int(exam.subjects.max()) + 1,
        }  # fmt: skip
        by_name = {one.name: one for one in figures}
        start = "none" if task.kind == "classification" else "random"
        dose = dose_of(found, dosed, arms, exam.measures[0], plan, start)
        leaks = tuple(leaks_of(task))
        what = told(exam.measures, by_name, comparisons, dose, leaks, held_out, plan)
        reference = next((one.against for one in comparisons if one.against == "random"), comparisons[0].against)
        changes = changes_of(task, exam, arms[0].name, reference, found)
        return cls(task.kind, learner, plan, held_out, exam.measures, figures, comparisons, dose, leaks, changes, what)

    def about(self) -> dict[str, Any]:
        """The whole as JSON; what is not known is null."""
        names = [one.name for one in self.measures]
        plan = {**asdict(self.plan), "doses": list(self.plan.doses)}
        return _nulls(
            {
                "impact_version": 1,
                "kind": self.kind,
                "learner": self.learner,
                "plan": plan,
                "held_out": dict(self.held_out),
                "measures": [asdict(one) for one in self.measures],
                "verdict": self.verdict,
                "sentence": self.sentence,
                "notes": list(self.told.notes),
                "arms": [one.about(names) for one in self.arms],
                "comparisons": [one.about() for one in self.comparisons],
                "dose": None if self.dose is None else self.dose.about(),
                "leaks": [one.about() for one in self.leaks],
                "changes": self.changes.about(),
            }  # fmt: skip
        )


def _drawn(exam: Exam, found: dict[str, list[Examined]], plan: Plan, progress: Progress) -> dict[str, Drawn]:
    """Each arm's figures with subjects drawn anew, mean over seeds, ``(draws, measures)``: the same draws for all."""
    out = {name: np.empty((exam.draws, len(exam.measures))) for name in found}
    with progress.stage("resample", exam.draws, "draws") as report:
        for draw in range(exam.draws):
            weights = subject_weights(exam.subjects, draw, plan.seed)[exam.subjects]
            for name, each in found.items():
                out[name][draw] = np.mean([exam.figures(one.test, weights) for one in each], axis=0)
            report(draw + 1, exam.draws)
    return out


def _figures(
    name: str, words: str, each: list[Examined], drawn: Drawn, plan: Plan, notes: Mapping[str, Any]
) -> ArmFigures:
    seeds = np.stack([one.figures for one in each])
    ends = [
        interval(drawn[:, at] + drawn_seeds(seeds[:, at], len(drawn), plan.confidence, plan.seed), plan.confidence)
        for at in range(seeds.shape[1])
    ]
    train, validation, grades = (np.mean([getattr(one, part) for one in each], axis=0)
                                 for part in ("train", "validation", "grades"))  # fmt: skip
    low, high = (np.array(side) for side in zip(*ends, strict=True))
    counted = [int(notes[what].get(name, 0)) for what in ("negatives", "filled")]
    return ArmFigures(name, words, seeds, low, high, train, validation, grades, *counted)


def _compared(
    exam: Exam, arms: tuple[Arm, ...], found: dict[str, list[Examined]], drawn: dict[str, Drawn], plan: Plan
) -> tuple[Comparison, ...]:
    """The first arm with each of the others, corrected for their number on the measure that decides."""
    mine, made = arms[0].name, []
    for other in arms[1:]:
        each = {
            measure.name: _difference(found, drawn, mine, other.name, at, plan)
            for at, measure in enumerate(exam.measures)
        }
        made.append((other.name, each))
    first = exam.measures[0]
    corrected = holm([each[first.name].p for _, each in made])
    return tuple(
        Comparison(mine, name, first.name, each, p, verdict(each[first.name], first.better, p, plan.confidence),
                   _mcnemar(found[mine], found[name]))
        for (name, each), p in zip(made, corrected, strict=True)
    )  # fmt: skip


def _difference(
    found: dict[str, list[Examined]], drawn: dict[str, Drawn], mine: str, other: str, at: int, plan: Plan
) -> Difference:
    sides = [np.array([one.figures[at] for one in found[name]]) for name in (mine, other)]
    return difference(*sides, drawn[mine][:, at], drawn[other][:, at], confidence=plan.confidence, seed=plan.seed)


def _mcnemar(mine: list[Examined], theirs: list[Examined]) -> dict[str, float]:
    """Of the decisions that most seeds make: how many only the one, only the other has right."""
    left, right = (np.mean([one.test["right"] for one in side], axis=0) > 0.5 for side in (mine, theirs))
    only = int((left & ~right).sum()), int((right & ~left).sum())
    return {"only_mine": only[0], "only_theirs": only[1], "p": mcnemar(*only)}


def _nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nulls(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nulls(one) for one in value]
    if isinstance(value, float):
        return None if isnan(value) or value in (float("inf"), float("-inf")) else round(value, 6)
    return value
