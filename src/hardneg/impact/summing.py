"""From all trainings to a result: subjects and seeds drawn anew, arms compared, put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardneg.bootstrap import interval, redrawn
from hardneg.impact.arms import Arm
from hardneg.impact.compare import Difference, Side, difference, holm, mcnemar, spread
from hardneg.impact.dose import dose_of
from hardneg.impact.exam import Marking
from hardneg.impact.examined import Examined, Trained
from hardneg.impact.leakage import leaks_in_turn
from hardneg.impact.learning import learning_of
from hardneg.impact.operating import operating_of
from hardneg.impact.result import ArmFigures, Result
from hardneg.impact.subjects import changes_of
from hardneg.impact.task import Task
from hardneg.impact.verdict import Comparison, told, verdict
from hardneg.progress import Progress

if TYPE_CHECKING:
    from hardneg.impact.work import Plan

__all__ = ["UNTRAINED", "judged", "summed_up"]

UNTRAINED = "untrained"
_UNITS = {"retrieval": "queries", "classification": "items", "verification": "items"}

Drawn = dict[str, NDArray[np.float64]]


def summed_up(
    tasks: Sequence[Task], exam: Marking, arms: Sequence[Arm], trained: Trained, plan: Plan, learner: str,
    progress: Progress,
) -> Result:  # fmt: skip
    """Compare the first arm with the others on the held-out parts, and say what came of it."""
    task = tasks[0]
    words = {arm.name: arm.words for arm in arms}
    figures, comparisons = judged(exam, words, trained, plan, progress)
    held_out = _held_out(tasks, exam)
    start = "none" if task.kind == "classification" else "random"
    dose = dose_of(trained.arms, trained.doses, (start, arms[0].name), exam.measures[0])
    leaks = tuple(leaks_in_turn(tasks))
    reference = next((one.against for one in comparisons if one.against == "random"), comparisons[0].against)
    learning = learning_of(trained.arms, exam.measures[0], plan.budget)
    said = told(exam.measures, figures, comparisons, dose, leaks, held_out, plan)
    return Result(
        task.kind, learner, plan, held_out, exam.measures, tuple(figures.values()), comparisons, dose, leaks,
        changes_of(task, exam, arms[0].name, reference, trained.arms),
        said if learning is None else replace(said, notes=(*said.notes, *learning.notes)),
        operating_of(exam, trained.answers, plan.seed, progress),
        learning,
    )  # fmt: skip


def judged(
    exam: Marking, words: Mapping[str, str], trained: Trained, plan: Plan, progress: Progress
) -> tuple[dict[str, ArmFigures], tuple[Comparison, ...]]:
    """The figures of every arm with intervals, and the first compared with the others; ``words`` say what they are."""
    drawn = _drawn(exam, trained, plan, progress)
    said = {**words, UNTRAINED: "the frozen vectors, before training"}
    figures = {name: _figures(name, said[name], trained, drawn[name], plan, exam) for name in trained.arms}
    return figures, _compared(exam, list(words), trained, drawn, plan)


def _held_out(tasks: Sequence[Task], exam: Marking) -> dict[str, Any]:
    """Who was judged, and how many there were to train with and to choose by in each fold."""
    train, validation = (round(np.mean([len(getattr(task.parts, part)) for task in tasks]))
                         for part in ("train", "validation"))  # fmt: skip
    return {
        "how": tasks[0].parts.how, "units": _UNITS[tasks[0].kind], "folds": len(tasks), "train": train,
        "validation": validation, "test": len(exam.subjects), "subjects": exam.count,
    }  # fmt: skip


def _drawn(exam: Marking, trained: Trained, plan: Plan, progress: Progress) -> Drawn:
    """Each arm's figures with subjects drawn anew, mean over seeds, ``(draws, measures)``: the same draws for all."""
    out = {name: np.empty((exam.draws, len(exam.measures))) for name in trained.arms}
    with progress.stage("resample", exam.draws, "draws") as report:
        for draw in range(exam.draws):
            weights = redrawn(exam.count, draw, plan.seed)[exam.subjects].astype(np.float64)
            for name, each in trained.arms.items():
                out[name][draw] = np.mean([exam.figures(one.test, weights) for one in each], axis=0)
            report(draw + 1, exam.draws)
    return out


def _figures(
    name: str, words: str, trained: Trained, drawn: NDArray[np.float64], plan: Plan, exam: Marking
) -> ArmFigures:
    each = trained.arms[name]
    seeds = np.stack([one.figures for one in each])
    ends = [interval(spread(seeds[:, at], drawn[:, at], exam.count, seed=plan.seed)) for at in range(seeds.shape[1])]
    most = np.array([[one.most] for one in exam.measures])
    low, high = np.clip(ends, 0, most).T  # widened deviations may reach beyond what a share can be
    train, validation, grades = (
        np.mean([getattr(one, part) for one in each], axis=0) for part in ("train", "validation", "grades")
    )
    negatives, filled = trained.counts.get(name, (0, 0))
    return ArmFigures(name, words, seeds, low, high, train, validation, grades, negatives, filled)


def _compared(
    exam: Marking, names: Sequence[str], trained: Trained, drawn: Drawn, plan: Plan
) -> tuple[Comparison, ...]:
    """The first arm with each of the others, corrected for their number on the measure that decides."""
    mine, first = names[0], exam.measures[0]
    made = {
        other: {
            measure.name: _difference(trained, drawn, (mine, other), at, plan, exam)
            for at, measure in enumerate(exam.measures)
        }
        for other in names[1:]
    }
    corrected = holm([each[first.name].p for each in made.values()])
    out = []
    for (name, each), p in zip(made.items(), corrected, strict=True):
        said = verdict(each[first.name], first.better, p)
        out.append(Comparison(mine, name, first.name, each, p, said, _mcnemar(trained.arms[mine], trained.arms[name])))
    return tuple(out)


def _difference(
    trained: Trained, drawn: Drawn, names: tuple[str, str], at: int, plan: Plan, exam: Marking
) -> Difference:
    """With ends that a difference of two such figures can have."""
    mine, theirs = (
        Side(np.array([one.figures[at] for one in trained.arms[name]]), drawn[name][:, at]) for name in names
    )
    found, most = difference(mine, theirs, exam.count, seed=plan.seed), exam.measures[at].most
    low, high, smallest = np.clip([found.low, found.high, found.smallest], -most, most).tolist()
    return replace(found, low=low, high=high, smallest=smallest)


def _mcnemar(mine: list[Examined], theirs: list[Examined]) -> dict[str, float]:
    """Of the decisions that most seeds make: how many only the one, only the other has right.

    Items of one group are not independent, so where there are groups the interval above is what counts.
    """
    left, right = (np.mean([one.test["right"] for one in side], axis=0) > 0.5 for side in (mine, theirs))
    only = int((left & ~right).sum()), int((right & ~left).sum())
    return {"only_mine": only[0], "only_theirs": only[1], "p": mcnemar(*only)}
