"""START HERE. The whole measurement: train every arm with every seed, examine, compare, say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from hardneg.encode._identity import fingerprint
from hardneg.errors import OptionError
from hardneg.impact.arms import Arm, filled, mixed
from hardneg.impact.classified import Classified
from hardneg.impact.division import sampled
from hardneg.impact.exam import Exam
from hardneg.impact.examined import Examined, Trained, examined, from_arrays
from hardneg.impact.kept import Kept
from hardneg.impact.learning import Course
from hardneg.impact.lesson import Budget, Lesson, Scorer
from hardneg.impact.ranked import Ranked
from hardneg.impact.result import Result
from hardneg.impact.summing import UNTRAINED, summed_up
from hardneg.impact.task import Kind, Task
from hardneg.impact.verified import Verified
from hardneg.notation import require
from hardneg.progress import Progress, Silent

__all__ = ["DOSES", "EXAMS", "Exams", "Learner", "Plan", "measure"]

DOSES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FORM = 2  # of what is kept of a training
_DOSE = "dose-"  # their learning curves are not shown

EXAMS: dict[Kind, Callable[..., Exam]] = {
    "retrieval": Ranked, "classification": Classified, "verification": Verified,
}  # fmt: skip


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
        seeds: how many trainings of each arm.
        budget: of each training.
        doses: the shares of mined negatives of the dose curve; none for no curve.
        dose_seeds: trainings for each point between the ends of the curve.
        seed: draws everything.
    """

    seeds: int = 5
    budget: Budget = field(default_factory=Budget)
    doses: tuple[float, ...] = DOSES
    dose_seeds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", "at least 1", self.seeds)
        require(self.dose_seeds >= 1, "dose_seeds", "at least 1", self.dose_seeds)
        require(all(0 <= one <= 1 for one in self.doses), "doses", "in [0, 1]", self.doses)


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


def measure(
    task: Task, arms: Sequence[Arm], learner: Learner, plan: Plan | None = None, *, frozen: Scorer | None = None,
    folder: Path | None = None, identity: Sequence[object] = (), progress: Progress | None = None,
) -> Result:  # fmt: skip
    """Train every arm under the same budget and compare the first one with each of the others.

    Args:
        task: what is learnt and what is held out.
        arms: the arm in question first; the others are what it is compared with.
        learner: what learns.
        plan: how much.
        frozen: scores before training, for the arm ``untrained`` and for grades; None for none.
        folder: where finished trainings are kept until all is done; None keeps them in memory.
        identity: what the data and vectors depend on, so that nothing of another measurement is gone on with; what the
            arms hold counts by itself.
        progress: shows how the work goes.

    Raises OptionError for fewer than two arms or two of one name.
    """
    plan, progress = plan or Plan(), progress or Silent()
    names = [arm.name for arm in arms]
    if len(arms) < 2 or len(set(names)) < len(names):
        raise OptionError(f"Give two arms or more, each with a name of its own. Got {', '.join(names) or 'none'}.")
    plan = replace(plan, budget=plan.budget.settled(task))
    exams = Exams.of(task, frozen, plan.seed)
    about = (_FORM, *identity, task.kind, task.parts.train, task.parts.test, learner.key, str(plan.budget), plan.seed)
    kept = Kept(folder, fingerprint(*about, *(part for arm in arms for part in _content(arm, plan.seed))))
    if len(kept):
        progress.say(f"Going on: {len(kept)} trainings are done.")
    made = _trained(task, arms, plan, lambda name, lesson: _done(name, kept, lesson, learner, exams), progress)
    if frozen is not None:
        made.arms[UNTRAINED] = [examined(frozen, exams)]
    result = summed_up(task, exams, tuple(arms), made, plan, learner.key, progress)
    kept.remove()
    return result


def _content(arm: Arm, seed: int) -> tuple[object, ...]:
    """What an arm trains with: a run may have been mined anew under the name that it had."""
    lists = arm.lists(seed)
    return arm.name, lists.offsets, lists.values, arm.doubted


def _trained(
    task: Task, arms: Sequence[Arm], plan: Plan, done: Callable[[str, Lesson], Examined], progress: Progress
) -> Trained:
    """Every arm with every seed, then the doses between the ends of the curve."""
    doses = [one for one in plan.doses if 0 < one < 1]
    made = Trained({arm.name: [] for arm in arms}, {one: [] for one in doses})
    jobs = [(place, seed) for seed in range(plan.seeds) for place in range(len(arms))]
    halves = [(one, seed) for one in doses for seed in range(min(plan.dose_seeds, plan.seeds))]
    total = len(jobs) + len(halves)
    with progress.stage("train", total, "trainings") as report:
        for number, (place, seed) in enumerate(jobs):
            lesson, short = _lesson(task, arms[place], plan, seed)
            made.counts[arms[place].name] = (len(lesson.negatives.values), short)
            made.arms[arms[place].name].append(done(f"arm-{place}-{seed}", lesson))
            report(number + 1, total)
        for number, (share, seed) in enumerate(halves):
            made.doses[share].append(done(f"{_DOSE}{share}-{seed}", _dosed(task, arms[0], plan, share, seed)))
            report(len(jobs) + number + 1, total)
    return made


def _lesson(task: Task, arm: Arm, plan: Plan, seed: int) -> tuple[Lesson, int]:
    number = plan.seed * 1_000_003 + seed
    lists, short = filled(task, arm.lists(number), number)
    return Lesson(task, lists, plan.budget, number, arm.doubted), short


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
