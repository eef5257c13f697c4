"""START HERE. A detector trained anew with each set of negatives, judged on pictures that are held out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from hardneg.detect import Boxes
from hardneg.encode._identity import fingerprint
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.impact.against import ALWAYS
from hardneg.impact.boxes.arms import BoxArm, dosed, doubted_boxes, mined_boxes, naive_boxes, no_boxes, random_windows
from hardneg.impact.boxes.data import BoxData, Side, box_data
from hardneg.impact.boxes.exam import BoxExam
from hardneg.impact.boxes.lesson import lesson_of
from hardneg.impact.boxes.trainer import BoxTrainer, found_in
from hardneg.impact.called import Called
from hardneg.impact.division import sampled
from hardneg.impact.dose import dose_of
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
from hardneg.report.numbers import plural
from hardneg.run import Run

__all__ = ["box_arms", "measure_boxes"]

_FORM = 2  # of what is kept of a training


def measure_boxes(
    run: Run, learner: Called, *, against: Sequence[str | Run] = (), plan: Plan, held_out: str | None = None,
    folder: Path | None = None, progress: Progress,
) -> Result:  # fmt: skip
    """Train a detector with a run's negatives, with random windows and with none, and compare what they find.

    Args:
        run: of a detector's boxes.
        learner: the user's own training, called with a :class:`hardneg.impact.boxes.BoxLesson` and a seed.
        against: what else, as of :func:`hardneg.measure_impact`.
        plan: how many seeds, and doses; what else it says is for other learners.
        held_out: another split or data set to judge by.
        folder: where finished trainings are kept until all is done.
        progress: shows how the work goes.

    Raises InputError where the data are gone or training fails, OptionError for what cannot be compared.
    """
    data = box_data(run, held_out, plan.seed, progress, choosing=bool(plan.between))
    for one in data.left_out:
        progress.say(f"Left out: {one}.")
    arms = box_arms(data, run, against)
    numbers = _numbers(plan)
    about: list[object] = [_FORM, dict(run.manifest), learner.key, numbers]
    sides = [data.train, data.test] + ([] if data.validation is None else [data.validation])
    about += [one for side in sides for one in (*side.ids, *side.contents)]
    for arm in arms:
        boxes = arm.boxes(numbers[0])
        about += [arm.name, *(part for one in (boxes, arm.doubted) for part in (one.image, one.category, one.box))]
    kept = Kept(folder, fingerprint(*about))
    if len(kept):
        progress.say(f"Going on: {len(kept)} trainings are done.")
    exams = _exams(data, plan.seed)
    made = _trained(data, arms, BoxTrainer(learner.target, learner.call), plan, exams, kept, progress)
    result = _summed_up(data, exams[0][1], arms, made, plan, learner.key, progress)
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
    first = _of_run("run", "the run's negatives", run, places, data)
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
        name = other.path.name if isinstance(asked, Run) else str(Path(asked))
        return _of_run(name, f"the run {other.path.name}", other, places, data)
    if asked.partition("(")[0].strip() in FILTERS.steps:
        with tempfile.TemporaryDirectory(prefix="hardneg-") as folder:
            made = refilter(run, filters=["known", asked], out=Path(folder) / "run")
            return _of_run(asked, f"negatives by {asked}", made, places, data)
    names = "random, none, naive, a filter such as margin(ceiling=0.9), or a run's folder"
    raise OptionError(f"There is nothing called '{asked}' to compare a run of boxes with. Choose from: {names}.")


def _of_run(name: str, words: str, run: Run, places: Mapping[str, int], data: BoxData) -> BoxArm:
    """What a mining gives: its negatives, and its suspects as areas that training ignores, as exports have them."""
    doubted = doubted_boxes(run, places, data.categories)
    if len(doubted):
        words = f"{words}; {plural(len(doubted), 'doubted area')} ignored"
    return replace(_same(name, words, mined_boxes(run, places, data.categories)), doubted=doubted)


def _same(name: str, words: str, boxes: Boxes) -> BoxArm:
    return BoxArm(name, words, lambda seed: boxes)  # noqa: ARG005 - the same for all seeds


# Of the pictures held out, of some to train with, and of those to choose by, where there are any.
Exams = Sequence[tuple[Side, BoxExam]]


def _exams(data: BoxData, seed: int) -> Exams:
    some = data.train.take(sampled(np.arange(len(data.train.ids)), len(data.test.ids), seed))
    sides = [data.test, some] + ([] if data.validation is None else [data.validation])
    return [(side, BoxExam(side.truth, len(data.categories), side.lots)) for side in sides]


def _numbers(plan: Plan) -> list[int]:
    """What each training draws by."""
    return [plan.seed * 1_000_003 + seed for seed in range(plan.seeds)]


def _trained(
    data: BoxData, arms: Sequence[BoxArm], trainer: BoxTrainer, plan: Plan, exams: Exams, kept: Kept,
    progress: Progress,
) -> Trained:  # fmt: skip
    """Every arm with every seed, then the doses between the ends of the curve."""
    made, numbers = Trained({arm.name: [] for arm in arms}, {one: [] for one in plan.between}), _numbers(plan)
    doses = [(share, at) for share in plan.between for at in range(min(plan.dose_seeds, plan.seeds))]
    with progress.stage("train", len(numbers) * len(arms) + len(doses), "trainings") as report:
        done = count(1)

        def trained(name: str, arm: BoxArm, number: int) -> Examined:
            found = _done(name, arm, number, data, trainer, exams, kept)
            report(next(done), len(numbers) * len(arms) + len(doses))
            return found

        for at, number in enumerate(numbers):
            for place, arm in enumerate(arms):
                made.counts[arm.name] = (len(arm.boxes(number)), 0)
                made.arms[arm.name].append(trained(f"arm-{place}-{at}", arm, number))
        for share, at in doses:
            arm = dosed(arms[0], data.train.truth, data.train.sizes, share, numbers[at])
            made.doses[share].append(trained(f"dose-{share}-{at}", arm, numbers[at]))
    return made


def _done(
    name: str, arm: BoxArm, number: int, data: BoxData, trainer: BoxTrainer, exams: Exams, kept: Kept
) -> Examined:
    """What a training gave: of an earlier process, where that got so far."""
    if (arrays := kept.get(name)) is not None:
        return from_arrays(arrays)
    pictures = list(zip(data.train.ids, data.train.paths, strict=True))
    lesson = lesson_of(data.categories, pictures, data.train.truth, arm.boxes(number), arm.doubted, number)
    detector = trainer.train(lesson)
    made = _examined(exams, [exam.answers(found_in(detector, side.paths, data.categories)) for side, exam in exams])
    kept.put(name, made.arrays())
    return made


def _examined(exams: Exams, answers: Sequence[Answers]) -> Examined:
    figures = [exam.figures(one) for (_, exam), one in zip(exams, answers, strict=True)]
    test, train, validation = figures if len(figures) > 2 else (*figures, np.full(len(figures[0]), np.nan))
    return Examined(dict(answers[0]), test, validation, train, np.full((2, len(GRADES)), np.nan))


def _summed_up(
    data: BoxData, exam: BoxExam, arms: Sequence[BoxArm], trained: Trained, plan: Plan, learner: str, progress: Progress
) -> Result:
    held_out = {
        "how": data.how, "units": "pictures", "folds": 1, "train": len(data.train.ids),
        "validation": 0 if data.validation is None else len(data.validation.ids),
        "test": len(data.test.ids), "subjects": exam.count,
    }  # fmt: skip
    words = {arm.name: arm.words for arm in arms}
    figures, comparisons = judged(exam, words, trained, plan, progress)
    dose = dose_of(trained.arms, trained.doses, ("random", arms[0].name), exam.measures[0])
    return Result(
        "detection", learner, plan, held_out, exam.measures, tuple(figures.values()), comparisons, dose, data.leaks,
        _changes(data, exam, trained), told(exam.measures, figures, comparisons, dose, data.leaks, held_out, plan),
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
