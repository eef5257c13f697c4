"""START HERE. The whole measurement: train every arm with every seed, examine, compare, say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Protocol

from hardneg.encode._identity import fingerprint
from hardneg.errors import OptionError
from hardneg.impact.arms import Arm, filled, mixed
from hardneg.impact.division import sampled
from hardneg.impact.exam import Exam, Marking
from hardneg.impact.examined import Examined, Trained, examined, from_arrays
from hardneg.impact.exams import EXAMS
from hardneg.impact.folded import pooled
from hardneg.impact.kept import Kept
from hardneg.impact.learning import Course
from hardneg.impact.lesson import Budget, Lesson, Scorer
from hardneg.impact.result import Result
from hardneg.impact.summing import UNTRAINED, summed_up
from hardneg.impact.task import Task
from hardneg.notation import require
from hardneg.progress import Progress, Silent

__all__ = ["DOSES", "Exams", "Fold", "Learner", "Plan", "cross_fitted", "measure"]

DOSES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FORM = 3  # of what is kept of a training
_DOSE = "dose-"  # their learning curves are not shown


class Learner(Protocol):
    """What learns a lesson. ``key`` says what decides its results besides the lesson."""

    @property
    def key(self) -> str: ...  # noqa: D102 - told above

    def train(self, lesson: Lesson) -> Scorer:
        """Learn, and return what scores."""
        ...


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Args:
        seeds: how many trainings of each arm, in each fold.
        budget: of each training.
        doses: the shares of mined negatives of the dose curve; none for no curve.
        dose_seeds: trainings for each point between the ends of the curve.
        seed: draws everything.
        folds: in how many parts the data are held out in turn; None for what is usual for the learner.
    """

    seeds: int = 5
    budget: Budget = field(default_factory=Budget)
    doses: tuple[float, ...] = DOSES
    dose_seeds: int = 3
    seed: int = 0
    folds: int | None = None

    def __post_init__(self) -> None:
        require(self.folds is None or self.folds >= 1, "folds", "at least 1", self.folds)
        require(self.seeds >= 1, "seeds", "at least 1", self.seeds)
        require(self.dose_seeds >= 1, "dose_seeds", "at least 1", self.dose_seeds)
        require(all(0 <= one <= 1 for one in self.doses), "doses", "in [0, 1]", self.doses)

    @property
    def between(self) -> list[float]:
        """The doses that take trainings of their own."""
        return [one for one in self.doses if 0 < one < 1]


@dataclass(frozen=True, eq=False)
class Exams:
    """The examination of each part; the training part's is of a sample."""

    train: Exam
    validation: Exam
    test: Exam

    @classmethod
    def of(cls, task: Task, frozen: Scorer | None, seed: int) -> Exams:
        """Those of a task, negatives graded by the scores of the frozen vectors."""
        kind, parts = EXAMS[task.kind], task.parts
        sample = parts.train
        most = max(200, len(parts.test))
        if len(sample) > most:
            sample = sampled(sample, most, seed)
        train, validation, test = (
            kind(task, rows, frozen, seed=seed) for rows in (sample, parts.validation, parts.test)
        )
        return cls(train, validation, test)


@dataclass(frozen=True, eq=False)
class Fold:
    """One division of the data: what is learnt and held out, the arms on it, what learns, and scores before training.

    ``before`` makes the scores of the frozen vectors, for the arm ``untrained`` and for grades, when the fold has its
    turn: vectors of one fold are in memory at a time. None for none.
    """

    task: Task
    arms: Sequence[Arm]
    learner: Learner
    before: Callable[[], Scorer] | None = None


def measure(
    task: Task, arms: Sequence[Arm], learner: Learner, plan: Plan | None = None, *, frozen: Scorer | None = None,
    folder: Path | None = None, identity: Sequence[object] = (), progress: Progress | None = None,
) -> Result:  # fmt: skip
    """:func:`cross_fitted` with a single division of the data; ``frozen`` are scores before training."""
    fold = Fold(task, arms, learner, None if frozen is None else lambda: frozen)
    return cross_fitted([fold], plan, folder=folder, identity=identity, progress=progress)


def cross_fitted(
    folds: Sequence[Fold], plan: Plan | None = None, *, folder: Path | None = None, identity: Sequence[object] = (),
    progress: Progress | None = None,
) -> Result:  # fmt: skip
    """Train every arm in every division under the same budget and compare the first one with each of the others.

    Args:
        folds: what is learnt and held out, in turn; of the same data, with the same arms: that in question first, the
            others are what it is compared with.
        plan: how much.
        folder: where finished trainings are kept until all is done; None keeps them in memory.
        identity: what the data and vectors depend on, so that nothing of another measurement is gone on with; what the
            arms hold counts by itself.
        progress: shows how the work goes.

    Raises OptionError for fewer than two arms or two of one name.
    """
    plan, progress = plan or Plan(), progress or Silent()
    names = [arm.name for arm in folds[0].arms]
    if len(names) < 2 or len(set(names)) < len(names):
        raise OptionError(f"Give two arms or more, each with a name of its own. Got {', '.join(names) or 'none'}.")
    plan = _settled(folds, plan)
    about = (part for one in folds for part in _about(one, plan))
    kept = Kept(folder, fingerprint(_FORM, *identity, str(plan), *about))
    if len(kept):
        progress.say(f"Going on: {len(kept)} trainings are done.")
    exam, made = trained(folds, plan, kept, progress)
    learners = "; ".join(dict.fromkeys(fold.learner.key for fold in folds))
    result = summed_up([fold.task for fold in folds], exam, folds[0].arms, made, plan, learners, progress)
    kept.remove()
    return result


def trained(folds: Sequence[Fold], plan: Plan, kept: Kept, progress: Progress) -> tuple[Marking, Trained]:
    """All trainings of :func:`cross_fitted`, and the examination of what is held out in all folds."""
    plan = _settled(folds, plan)
    each = len(folds[0].arms) * plan.seeds + len(plan.between) * min(plan.dose_seeds, plan.seeds)
    with progress.stage("train", len(folds) * each, "trainings") as report:
        done = count(1)
        return pooled(
            [
                _trained(fold, number, plan, kept, lambda: report(next(done), len(folds) * each))
                for number, fold in enumerate(folds)
            ]
        )


def _settled(folds: Sequence[Fold], plan: Plan) -> Plan:
    return replace(plan, budget=plan.budget.settled(folds[0].task), folds=len(folds))


def _about(fold: Fold, plan: Plan) -> list[object]:
    """What the trainings of a fold hang on; what arms hold too, since a run may have been mined anew under its name."""
    parts = fold.task.parts
    about: list[object] = [fold.task.kind, parts.train, parts.test, fold.learner.key]
    for arm in fold.arms:
        lists = arm.lists(plan.seed)
        about += [arm.name, lists.offsets, lists.values, arm.doubted]
    return about


def _trained(fold: Fold, number: int, plan: Plan, kept: Kept, report: Callable[[], None]) -> tuple[Exam, Trained]:
    """Every arm with every seed in one fold, then the doses between the ends of the curve; and its examination."""
    frozen = None if fold.before is None else fold.before()
    exams = Exams.of(fold.task, frozen, plan.seed)
    made = Trained({arm.name: [] for arm in fold.arms}, {one: [] for one in plan.between})

    def done(name: str, lesson: Lesson) -> Examined:
        found = _done(f"{name}-{number}", kept, lesson, fold.learner, exams)
        report()
        return found

    for seed in range(plan.seeds):
        for place, arm in enumerate(fold.arms):
            lesson, short = _lesson(fold.task, arm, plan, _number(plan, number, seed))
            made.counts[arm.name] = (len(lesson.negatives.values), short)
            made.arms[arm.name].append(done(f"arm-{place}-{seed}", lesson))
    for share in plan.between:
        for seed in range(min(plan.dose_seeds, plan.seeds)):
            lesson = _dosed(fold.task, fold.arms[0], plan, share, _number(plan, number, seed))
            made.doses[share].append(done(f"{_DOSE}{share}-{seed}", lesson))
    if frozen is not None:
        made.arms[UNTRAINED] = [examined(frozen, exams)]
    return exams.test, made


def _number(plan: Plan, fold: int, seed: int) -> int:
    """What a training draws by: each for itself, so that folds are as independent as they can be."""
    return plan.seed * 1_000_003 + fold * 1009 + seed


def _lesson(task: Task, arm: Arm, plan: Plan, seed: int) -> tuple[Lesson, int]:
    lists, short = filled(task, arm.lists(seed), seed)
    return Lesson(task, lists, plan.budget, seed, arm.doubted), short


def _dosed(task: Task, arm: Arm, plan: Plan, share: float, seed: int) -> Lesson:
    """A classifier's examples are drawn by hardness in part; elsewhere a part of the negatives is mined."""
    lesson, _ = _lesson(task, arm, plan, seed)
    if task.kind == "classification":
        return Lesson(task, lesson.negatives, plan.budget, lesson.seed, arm.doubted, share)
    return Lesson(task, mixed(task, lesson.negatives, share, lesson.seed), plan.budget, lesson.seed)


def _done(name: str, kept: Kept, lesson: Lesson, learner: Learner, exams: Exams) -> Examined:
    """What a training gave: of an earlier process, where that got so far."""
    if (arrays := kept.get(name)) is not None:
        return from_arrays(arrays)
    course = Course(exams, lesson.budget)
    watched = lesson if name.startswith(_DOSE) else replace(lesson, looked=course.see)
    made = replace(examined(learner.train(watched), exams), course=course.figures)
    kept.put(name, made.arrays())
    return made
