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
_FORM = 1  # of what is kept of a training

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
        confidence: of all intervals.
        seed: draws everything.
    """

    seeds: int = 5
    budget: Budget = field(default_factory=Budget)
    doses: tuple[float, ...] = DOSES
    dose_seeds: int = 3
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", "at least 1", self.seeds)
        require(self.dose_seeds >= 1, "dose_seeds", "at least 1", self.dose_seeds)
        require(0 < self.confidence < 1, "confidence", "above 0 and under 1", self.confidence)
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
        identity: what the task and the arms depend on, so that nothing of another measurement is gone on with.
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
    kept = Kept(folder, fingerprint(*about))
    jobs = [(arm, seed) for seed in range(plan.seeds) for arm in arms]
    doses = [one for one in plan.doses if 0 < one < 1]
    halves = [(one, seed) for one in doses for seed in range(min(plan.dose_seeds, plan.seeds))]
    if len(kept):
        progress.say(f"Going on: {len(kept)} of {len(jobs) + len(halves)} trainings are done.")
    made = Trained({name: [] for name in names}, {one: [] for one in doses})
    with progress.stage("train", len(jobs) + len(halves), "trainings") as report:
        for number, (arm, seed) in enumerate(jobs):
            lesson, short = _lesson(task, arm, plan, seed)
            made.counts[arm.name] = (len(lesson.negatives.values), short)
            made.arms[arm.name].append(_done(f"{_plain(arm.name)}-{seed}", kept, lesson, learner, exams))
            report(number + 1, len(jobs) + len(halves))
        for number, (share, seed) in enumerate(halves):
            lesson = _dosed(task, arms[0], plan, share, seed)
            made.doses[share].append(_done(f"dose-{share}-{seed}", kept, lesson, learner, exams))
            report(len(jobs) + number + 1, len(jobs) + len(halves))
    if frozen is not None:
        made.arms[UNTRAINED] = [examined(frozen, exams)]
    result = summed_up(task, exams, tuple(arms), made, plan, learner.key, progress)
    kept.remove()
    return result


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
    made = examined(learner.train(lesson), exams)
    kept.put(name, made.arrays())
    return made


def _plain(name: str) -> str:
    return "".join(one if one.isalnum() else "_" for one in name)
