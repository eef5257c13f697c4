"""The null test: negatives dealt out at random against random ones. Nothing can have helped; how often is it said?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.impact.data import retrieval
from benchmarks.texts import Judged, stackfaq
from hardneg.impact.arms import of_run, random_arm, shuffled_arm
from hardneg.impact.lesson import Budget
from hardneg.impact.probe import Probe
from hardneg.impact.work import Fold, Plan, cross_fitted
from hardneg.mining import mine
from hardneg.positives import Positives

__all__ = ["measured"]


def measured(work: Path, runs: int) -> None:
    """So many measurements on StackFAQ, each with other seeds and other folds."""
    data = retrieval(_part(stackfaq()), "wordllama", work)
    whole: Positives = data.whole
    run = mine(whole, encoder=data.vectors, sampler="top(n=8)")
    verdicts, p_values = _kept(work)
    for number in range(len(verdicts), runs):
        plan = Plan(seeds=3, budget=Budget(steps=20, batch=32, negatives=4), doses=(), seed=number)
        folds = []
        for task in data.tasks(number):
            mined = of_run(task, run, "run", "")
            folds.append(Fold(task, [shuffled_arm(task, mined), random_arm(task, mined.lists(0))], Probe()))
        found = cross_fitted(folds, plan)
        verdicts.append(found.verdict)
        p_values.append(found.comparisons[0].p_holm)
        if number % 20 == 19:
            print(
                f"null: {number + 1} of {runs}, cannot tell {np.mean([one == 'cannot tell' for one in verdicts]):.1%}",
                flush=True,
            )
            _keep(work, verdicts, p_values)
    _keep(work, verdicts, p_values)


def _part(judged: Judged) -> Judged:
    """Every third query: 200 measurements of all would take half an hour."""
    asked = list(judged.positives)[::3]
    return replace(judged, positives={one: judged.positives[one] for one in asked})


def _kept(work: Path) -> tuple[list[str], list[float]]:
    """What an earlier process has measured: number after number, so that it can be gone on with."""
    file = work / "null.json"
    found = json.loads(file.read_text()) if file.is_file() else {"verdicts": [], "p": []}
    return found["verdicts"], found["p"]


def _keep(work: Path, verdicts: list[str], p_values: list[float]) -> None:
    (work / "null.json").write_text(json.dumps({"verdicts": verdicts, "p": p_values}))
