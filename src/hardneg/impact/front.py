"""The front of the room: from a run to what its mining came to, in ``impact.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache
from hardneg.errors import OptionError
from hardneg.impact.against import arms_of, opened
from hardneg.impact.arms import Arm
from hardneg.impact.boxes.data import is_of_boxes
from hardneg.impact.boxes.work import measure_boxes
from hardneg.impact.called import Called
from hardneg.impact.lesson import Budget
from hardneg.impact.making import tasks_of
from hardneg.impact.probe import Probe, frozen
from hardneg.impact.reading import Data, data_of, impact_file
from hardneg.impact.result import Result
from hardneg.impact.task import Kind, Task
from hardneg.impact.work import Fold, Learner, Plan, cross_fitted
from hardneg.positives import Positives
from hardneg.progress import Progress, Silent
from hardneg.ragged import BoolArray
from hardneg.run import Run
from hardneg.storage import write_json

__all__ = ["FOLDS", "measure_impact"]

FOLDS = 5  # of the probe, where no part is held out by the data themselves


def measure_impact(  # noqa: PLR0913 - a run, what it is compared with, and where its data are
    run: Run,
    *,
    against: Sequence[str | Run] = ("naive",),
    learner: Learner | None = None,
    task: Kind | None = None,
    plan: Plan | None = None,
    positives: Positives | None = None,
    vectors: Vectors | None = None,
    held_out: BoolArray | str | None = None,
    cache: EmbeddingCache | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Train the same model under the same budget with a run's negatives, with random ones and with none, and compare.

    Writes ``impact.json`` into the run, which the report shows. A stopped measurement goes on where it was.

    Args:
        run: a finished run.
        against: what else it is compared with: ``naive``, a filter as text, the folder of another run, or a run.
            Random negatives and no mining always take part.
        learner: what learns; the probe if not given.
        task: retrieval, classification or verification; seen from the data if not given.
        plan: seeds, budget, doses and folds. If none are said there are 5 for the probe and 1 for other learners, and 1
            where the data hold out a part themselves.
        positives: the relations of everything, if the run has no recipe to read them by.
        vectors: of all of them.
        held_out: which anchors (retrieval) or items are held out, or the name of a split; found or drawn if not given.
        cache: where the vectors of the mining are kept.
        out: the file to write; ``impact.json`` in the run if not given.
        progress: shows how the work goes.

    Raises:
        InputError: the data cannot be read again or do not fit; nothing can be held out.
        OptionError: an option is wrong, or nothing is there to compare.
    """
    plan, progress, learner = plan or Plan(), progress or Silent(), learner or Probe()
    file = impact_file(run) if out is None else Path(out)
    folder = file.with_name(file.name + ".partial")
    if is_of_boxes(run):
        plain = (task, positives, vectors) == (None,) * 3 and (plan.budget, plan.folds) == (Budget(), None)
        if not isinstance(learner, Called) or not plain or not (held_out is None or isinstance(held_out, str)):
            raise OptionError(
                "A run of boxes is measured by your own training of a detector: --train module:function. Of the other "
                "options --against, --held-out-split, --seeds, --no-dose, --seed and --out are for it."
            )
        result = measure_boxes(
            run, learner, against=against, plan=plan, held_out=held_out, folder=folder, progress=progress
        )
        write_json({**result.about(), "run": run.manifest.get("fingerprint")}, file)
        return result
    if positives is not None:
        data = Data(positives, vectors, None if isinstance(held_out, str) else held_out)
    else:
        data = data_of(run, cache, progress, held_out if isinstance(held_out, str) else None)
        if held_out is not None and not isinstance(held_out, str):
            data = Data(data.positives, data.vectors, held_out)
    count = _folds(plan, learner, data)
    tasks = tasks_of(data.positives, data.vectors, kind=task, held_out=data.held_out, folds=count, seed=plan.seed)
    others = opened(run, against)
    folds = [_fold(one, arms_of(one, run, others), learner) for one in tasks]
    result = cross_fitted(folds, plan, folder=folder, identity=(dict(run.manifest),), progress=progress)
    write_json({**result.about(), "run": run.manifest.get("fingerprint")}, file)
    return result


def _folds(plan: Plan, learner: Learner, data: Data) -> int:
    """As asked for; else several for the probe, which is quick, where the data hold nothing out themselves."""
    if data.held_out is not None:
        if plan.folds not in (None, 1):
            raise OptionError(
                f"The data hold out a part themselves, which is judged by. Leave --folds out. Got {plan.folds}."
            )
        return 1
    return plan.folds or (FOLDS if isinstance(learner, Probe) else 1)


def _fold(task: Task, arms: Sequence[Arm], learner: Learner) -> Fold:
    seer = learner if isinstance(learner, Probe) else Probe()
    return Fold(task, arms, learner, None if task.vectors is None else lambda: frozen(task, seer.seen(task)))
