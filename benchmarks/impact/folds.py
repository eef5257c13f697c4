"""The arms of a data set, fold by fold: each fold is mined without what it holds out."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.impact.data import Set
from hardneg.impact.against import arms_of
from hardneg.impact.arms import Arm, mixed
from hardneg.impact.probe import Probe, frozen
from hardneg.impact.task import Task
from hardneg.impact.work import Fold, Learner
from hardneg.mining import mine
from hardneg.run import Run

__all__ = ["AGAINST", "folds_of"]

AGAINST = ("random", "none", "naive", "margin(relative=0.05, reference=max)")


def folds_of(data: Set, learner: Learner, most: int | None = None) -> tuple[list[Fold], dict[str, Any]]:
    """Every fold with its arms, or the first so many, and the steps of the mining as text."""
    out, steps = [], {}
    for task in data.tasks()[:most]:
        held_out = np.zeros(len(task.parts.lots), bool)
        held_out[task.parts.test] = True
        positives, vectors = data.without(held_out)
        run = mine(positives, encoder=vectors, sampler="top(n=8)")
        steps = run.manifest["steps"]
        out.append(_fold(task, run, learner))
    return out, steps


def _fold(task: Task, run: Run, learner: Learner) -> Fold:
    """The arms on one division, with half of the mined negatives for random ones as one more."""
    arms, seer = arms_of(task, run, AGAINST), learner if isinstance(learner, Probe) else Probe()
    mined = arms[0].lists(0)
    half = Arm("half", "half mined, half random", lambda seed: mixed(task, mined, 0.5, seed), arms[0].doubted)
    return Fold(task, [*arms, half], learner, lambda: frozen(task, seer.seen(task)))
