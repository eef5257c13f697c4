"""What a run is compared with: random negatives, none, naive ones, other filters on the same candidates, other runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.impact.arms import Arm, naive_lists, no_mining, of_run, random_arm, shuffled_arm
from hardneg.impact.task import Task
from hardneg.mining import refilter
from hardneg.run import Run

__all__ = ["ALWAYS", "Other", "arms_of", "opened", "split_names"]

ALWAYS = ("random", "none")
_NAMES = (*ALWAYS, "naive", "shuffled")


@dataclass(frozen=True, eq=False)
class Other:
    """Another run by name."""

    name: str
    words: str
    run: Run


def opened(run: Run, against: Sequence[str | Run | Other]) -> list[str | Other]:
    """What a run is compared with, ready for the arms of any division: names as they are, all else as runs.

    ``against`` holds names (``random``, ``none``, ``naive``, ``shuffled``), filters as text, which judge the candidates
    of the run instead of its own (with ``known`` and ``duplicates``), folders of other runs, or runs.

    Raises OptionError for anything else, RunError for a folder that is no run.
    """
    return [_opened(run, one) for one in against]


def _opened(run: Run, asked: str | Run | Other) -> str | Other:
    if isinstance(asked, Run):
        return Other(asked.path.name, f"the run {asked.path.name}", asked)
    if isinstance(asked, Other) or asked in _NAMES:
        return asked
    if Path(asked).is_dir():
        return Other(str(Path(asked)), f"the run {Path(asked).name}", Run.open(asked))
    if asked.partition("(")[0].strip() in FILTERS.steps:
        return Other(asked, f"negatives by {asked}", refilter(run, filters=["known", asked]))
    names = f"{', '.join(_NAMES)}, a filter such as margin(relative=0.05, reference=max), or a run's folder"
    raise OptionError(f"There is nothing called '{asked}' to compare with. Choose from: {names}.")


def arms_of(task: Task, run: Run, against: Sequence[str | Run | Other] = ()) -> list[Arm]:
    """The arm of the run, then random negatives, no mining, and what else is asked for, as in :func:`opened`.

    Raises OptionError where the run has nothing for the anchors that are trained with.
    """
    mine = of_run(task, run, "run", "the run's negatives")
    if not len(mine.lists(0).values):
        raise OptionError(
            "The run has no negatives for the anchors that are trained with, so there is nothing to prove."
        )
    return [mine, *(_arm(task, run, mine, one) for one in dict.fromkeys((*ALWAYS, *opened(run, against))))]


def _arm(task: Task, run: Run, mine: Arm, asked: str | Other) -> Arm:
    if isinstance(asked, Other):
        return of_run(task, asked.run, asked.name, asked.words)
    if asked == "random":
        return random_arm(task, mine.lists(0))
    if asked == "none":
        return no_mining(task)
    if asked == "shuffled":
        return shuffled_arm(task, mine)
    lists = task.restricted(naive_lists(run, task.positives))
    return Arm("naive", "the nearest non-positives, unfiltered", lambda seed: lists)  # noqa: ARG005


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
