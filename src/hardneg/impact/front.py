"""The front of the room: from a run to what its mining came to, in ``impact.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hardneg.context import Vectors
from hardneg.encode import EmbeddingCache
from hardneg.errors import OptionError
from hardneg.impact.against import arms_of
from hardneg.impact.boxes.data import is_of_boxes
from hardneg.impact.boxes.work import measure_boxes
from hardneg.impact.called import Called
from hardneg.impact.lesson import Budget
from hardneg.impact.making import task_of
from hardneg.impact.probe import Probe, frozen
from hardneg.impact.reading import Data, data_of, impact_file
from hardneg.impact.result import Result
from hardneg.impact.task import Kind
from hardneg.impact.tuning import tuned
from hardneg.impact.work import Learner, Plan, measure
from hardneg.positives import Positives
from hardneg.progress import Progress, Silent
from hardneg.ragged import BoolArray
from hardneg.run import Run
from hardneg.storage import write_json

__all__ = ["measure_impact"]


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
        plan: seeds, budget and doses.
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
        plain = (task, positives, vectors) == (None,) * 3 and plan.budget == Budget()
        if not isinstance(learner, Called) or not plain or not (held_out is None or isinstance(held_out, str)):
            raise OptionError(
                "A run of boxes is measured by your own training of a detector: --train module:function. Of the other "
                "options --against, --held-out-split, --seeds, --seed and --out are for it."
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
    made = task_of(data.positives, data.vectors, kind=task, held_out=data.held_out, seed=plan.seed)
    arms = arms_of(made, run, against)
    if isinstance(learner, Probe):
        learner = tuned(learner, made, plan.budget, plan.seed)
    seer = learner if isinstance(learner, Probe) else Probe()
    before = None if made.vectors is None else frozen(made, seer.seen(made))
    result = measure(
        made, arms, learner, plan, frozen=before, folder=folder, identity=(dict(run.manifest),), progress=progress
    )
    write_json({**result.about(), "run": run.manifest.get("fingerprint")}, file)
    return result
