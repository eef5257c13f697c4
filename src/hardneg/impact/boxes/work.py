"""START HERE. A detector trained anew with each set of negatives, judged on pictures that are held out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardneg.detect import Boxes
from hardneg.encode._identity import fingerprint
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.impact.against import ALWAYS
from hardneg.impact.boxes.arms import BoxArm, mined_boxes, naive_boxes, no_boxes, random_windows
from hardneg.impact.boxes.data import BoxData, Side, box_data
from hardneg.impact.boxes.exam import BoxExam
from hardneg.impact.boxes.lesson import lesson_of
from hardneg.impact.boxes.trainer import BoxTrainer, found_in
from hardneg.impact.called import Called
from hardneg.impact.division import sampled
from hardneg.impact.exam import Answers
from hardneg.impact.examined import GRADES, Examined, Trained, from_arrays
from hardneg.impact.kept import Kept
from hardneg.impact.operating import operating_of
from hardneg.impact.result import Result
from hardneg.impact.subjects import Change, Changes, changed
from hardneg.impact.summing import judged
from hardneg.impact.verdict import told
from hardneg.impact.work import Plan
from hardneg.mining import refilter
from hardneg.progress import Progress
from hardneg.run import Run

__all__ = ["box_arms", "measure_boxes"]

_FORM = 1  # of what is kept of a training


def measure_boxes(
    run: Run, learner: Called, *, against: Sequence[str | Run] = (), plan: Plan, held_out: str | None = None,
    folder: Path | None = None, progress: Progress,
) -> Result:  # fmt: skip
    """Train a detector with a run's negatives, with random windows and with none, and compare what they find.

    Args:
        run: of a detector's boxes.
        learner: the user's own training, called with a :class:`hardneg.impact.boxes.BoxLesson` and a seed.
        against: what else, as of :func:`hardneg.measure_impact`.
        plan: how many seeds; what else it says is for other learners.
        held_out: another split or data set to judge by.
        folder: where finished trainings are kept until all is done.
        progress: shows how the work goes.

    Raises InputError where the data are gone or training fails, OptionError for what cannot be compared.
    """
    plan = replace(plan, doses=())
    data = box_data(run, held_out, plan.seed, progress)
    for one in data.left_out:
        progress.say(f"Left out: {one}.")
    arms = box_arms(data, run, against)
    numbers = [plan.seed * 1_000_003 + seed for seed in range(plan.seeds)]
    about: list[object] = [_FORM, dict(run.manifest), learner.key, numbers]
    about += [one for side in (data.train, data.test) for one in (*side.ids, *side.contents)]
    for arm in arms:
        boxes = arm.boxes(numbers[0])
        about += [arm.name, boxes.image, boxes.category, boxes.box]
    kept = Kept(folder, fingerprint(*about))
    if len(kept):
        progress.say(f"Going on: {len(kept)} trainings are done.")
    exams = _exams(data, plan.seed)
    result = _summed_up(data, exams[1][1], arms, _trained(data, arms, learner, numbers, exams, kept, progress), plan,
                        learner.key, progress)  # fmt: skip
    kept.remove()
    return result


def box_arms(data: BoxData, run: Run, against: Sequence[str | Run] = ()) -> list[BoxArm]:
    """The arm of the run, then random windows, none, and what else is asked for.

    Raises OptionError for what is nothing to compare with, and where the run has no negative in the training pictures.
    """
    places = {one: number for number, one in enumerate(data.train.ids)}
    mine = mined_boxes(run, places, data.categories)
    if not len(mine):
        raise OptionError("The run has no negatives in the pictures to train with, so there is nothing to prove.")
    first = _same("run", "the run's negatives", mine)
    asked = dict.fromkeys((*ALWAYS, *against))
    return [first, *(_arm(data, run, mine, places, one) for one in asked)]


def _arm(data: BoxData, run: Run, mine: Boxes, places: Mapping[str, int], asked: str | Run) -> BoxArm:
    if asked == "random":
        words = "random windows of background"
        return BoxArm(asked, words, lambda seed: random_windows(mine, data.train.truth, data.train.sizes, seed))
    if asked == "none":
        return _same(asked, "no negatives", no_boxes())
    if asked == "naive":
        words = "the surest false positives, unfiltered"
        return _same(asked, words, naive_boxes(run, places, data.categories))
    if isinstance(asked, Run) or Path(asked).is_dir():
        other = asked if isinstance(asked, Run) else Run.open(asked)
        return _same(
            other.path.name if isinstance(asked, Run) else str(Path(asked)), f"the run {other.path.name}",
            mined_boxes(other, places, data.categories),
        )  # fmt: skip
    if asked.partition("(")[0].strip() in FILTERS.steps:
        with tempfile.TemporaryDirectory(prefix="hardneg-") as folder:
            made = refilter(run, filters=["known", asked], out=Path(folder) / "run")
            return _same(asked, f"negatives by {asked}", mined_boxes(made, places, data.categories))
    names = "random, none, naive, a filter such as margin(ceiling=0.9), or a run's folder"
    raise OptionError(f"There is nothing called '{asked}' to compare a run of boxes with. Choose from: {names}.")


def _same(name: str, words: str, boxes: Boxes) -> BoxArm:
    return BoxArm(name, words, lambda seed: boxes)  # noqa: ARG005 - the same for all seeds


Exams = tuple[tuple[Side, BoxExam], tuple[Side, BoxExam]]  # of some pictures to train with, and of those held out


def _exams(data: BoxData, seed: int) -> Exams:
    some = data.train.take(sampled(np.arange(len(data.train.ids)), len(data.test.ids), seed))
    count = len(data.categories)
    return (some, BoxExam(some.truth, count, some.lots)), (data.test, BoxExam(data.test.truth, count, data.test.lots))


def _trained(
    data: BoxData, arms: Sequence[BoxArm], learner: Called, numbers: Sequence[int], exams: Exams, kept: Kept,
    progress: Progress,
) -> Trained:  # fmt: skip
    """Every arm with every seed."""
    trainer = BoxTrainer(learner.target, learner.call)
    pictures = list(zip(data.train.ids, data.train.paths, strict=True))
    made = Trained({arm.name: [] for arm in arms}, {})
    with progress.stage("train", len(numbers) * len(arms), "trainings") as report:
        for at, number in enumerate(numbers):
            for place, arm in enumerate(arms):
                boxes, name = arm.boxes(number), f"arm-{place}-{at}"
                made.counts[arm.name] = (len(boxes), 0)
                arrays = kept.get(name)
                if arrays is None:
                    lesson = lesson_of(data.categories, pictures, data.train.truth, boxes, number)
                    detector = trainer.train(lesson)
                    sides = [exam.answers(found_in(detector, side.paths, data.categories)) for side, exam in exams]
                    arrays = _examined(exams, sides).arrays()
                    kept.put(name, arrays)
                made.arms[arm.name].append(from_arrays(arrays))
                report(at * len(arms) + place + 1, len(numbers) * len(arms))
    return made


def _examined(exams: Exams, answers: Sequence[Answers]) -> Examined:
    train, test = (exam.figures(one) for (_, exam), one in zip(exams, answers, strict=True))
    unknown = np.full(len(test), np.nan)
    return Examined(dict(answers[1]), test, unknown, train, np.full((2, len(GRADES)), np.nan))


def _summed_up(
    data: BoxData, exam: BoxExam, arms: Sequence[BoxArm], trained: Trained, plan: Plan, learner: str, progress: Progress
) -> Result:
    held_out = {
        "how": data.how, "units": "pictures", "folds": 1, "train": len(data.train.ids), "validation": 0,
        "test": len(data.test.ids), "subjects": exam.count,
    }  # fmt: skip
    words = {arm.name: arm.words for arm in arms}
    figures, comparisons = judged(exam, words, trained, plan, progress)
    return Result(
        "detection", learner, plan, held_out, exam.measures, tuple(figures.values()), comparisons, None, data.leaks,
        _changes(data, exam, trained), told(exam.measures, figures, comparisons, None, data.leaks, held_out, plan),
        operating_of(exam, trained.answers, plan.seed, progress),
    )  # fmt: skip


def _changes(data: BoxData, exam: BoxExam, trained: Trained) -> Changes:
    """Which pictures got better or worse against random windows, each arm at one false positive per image."""
    after, before = trained.arms["run"], trained.arms["random"]
    boxes = np.bincount(exam.truth.image[~exam.truth.uncounted], minlength=len(data.test.ids))

    def told_of(row: int, earlier: float, later: float) -> Change:
        old, new = (exam.told(one[0].test, row) for one in (before, after))
        here = f"{int(boxes[row])} boxes"
        return Change(data.test.ids[row], data.test.paths[row].name, earlier, later, old, new, here)

    new, old = (np.stack([one.test["unit"] for one in side]) for side in (after, before))
    return changed(new, old, "random", "F1 at one false positive per image", told_of)
