"""What a run is compared with: random negatives, none, naive ones, other filters on the same candidates, other runs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.impact.arms import Arm, naive_lists, no_mining, of_run, random_arm, shuffled_arm
from hardneg.impact.task import Task
from hardneg.mining import refilter
from hardneg.run import Run

__all__ = ["ALWAYS", "arms_of", "split_names"]

ALWAYS = ("random", "none")


def arms_of(task: Task, run: Run, against: Sequence[str | Run] = ()) -> list[Arm]:
    """The arm of the run, then random negatives, no mining, and what else is asked for.

    ``against`` holds names (``random``, ``none``, ``naive``, ``shuffled``), filters as text, which judge the candidates
    of the run instead of its own (with ``known`` and ``duplicates``), folders of other runs, or runs.

    Raises OptionError for anything else, RunError for a folder that is no run.
    """
    mine = of_run(task, run, "run", "the run's negatives")
    if not len(mine.lists(0).values):
        raise OptionError(
            "The run has no negatives for the anchors that are trained with, so there is nothing to prove."
        )
    asked = dict.fromkeys((*ALWAYS, *against))
    return [mine, *(_arm(task, run, mine, one) for one in asked)]


def _arm(task: Task, run: Run, mine: Arm, asked: str | Run) -> Arm:
    if isinstance(asked, Run):
        return of_run(task, asked, asked.path.name, f"the run {asked.path.name}")
    if asked == "random":
        return random_arm(task, mine.lists(0))
    if asked == "none":
        return no_mining(task)
    if asked == "shuffled":
        return shuffled_arm(task, mine)
    if asked == "naive":
        lists = task.restricted(naive_lists(run, task.positives))
        return Arm("naive", "the nearest non-positives, unfiltered", lambda seed: lists)  # noqa: ARG005
    if Path(asked).is_dir():
        return of_run(task, Run.open(asked), str(Path(asked)), f"the run {Path(asked).name}")
    if asked.partition("(")[0].strip() in FILTERS.steps:
        with tempfile.TemporaryDirectory(prefix="hardneg-") as folder:
            made = refilter(run, filters=["known", asked], out=Path(folder) / "run")
            return of_run(task, made, asked, f"negatives by {asked}")
    names = "random, none, naive, shuffled, a filter such as margin(relative=0.05, reference=max), or a run's folder"
    raise OptionError(f"There is nothing called '{asked}' to compare with. Choose from: {names}.")


def split_names(text: str) -> list[str]:
    """The names in a list with commas, where those within brackets belong to a step.

    >>> split_names("random,margin(relative=0.05, reference=max), naive")
    ['random', 'margin(relative=0.05, reference=max)', 'naive']
    """
    out, depth = [""], 0
    for one in text:
        depth += (one == "(") - (one == ")")
        if one == "," and not depth:
            out.append("")
        else:
            out[-1] += one
    return [one.strip() for one in out if one.strip()]
