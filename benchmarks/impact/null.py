"""The null test: the same negatives dealt out to anchors at random, twice. Nothing can have helped; is that said?

Against negatives drawn evenly the dealt ones are no null: they are the documents that mining finds, only for others.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.impact.data import Set, retrieval
from benchmarks.texts import Judged, stackfaq
from hardneg.impact.arms import Arm, of_run, random_arm, shuffled_arm
from hardneg.impact.lesson import Budget
from hardneg.impact.probe import Probe
from hardneg.impact.task import Task
from hardneg.impact.work import Fold, Plan, cross_fitted
from hardneg.mining import mine
from hardneg.run import Run

__all__ = ["AGAINST", "measured"]

AGAINST = ("dealt anew", "drawn evenly")
_ANEW = 500_000  # keeps the second deal apart from the first


def measured(work: Path, runs: int) -> None:
    """So many measurements on StackFAQ, each with other seeds and other folds; of those that are no null a quarter."""
    data = retrieval(_part(stackfaq()), "wordllama", work)
    run = mine(data.whole, encoder=data.vectors, sampler="top(n=8)")
    found = _kept(work)
    for against, count in zip(AGAINST, (runs, runs // 4), strict=True):
        told = found.setdefault(against, [])
        for number in range(len(told), count):
            told.append(_said(data, run, against, number))
            if number % 10 == 9:
                share = np.mean([one["verdict"] == "cannot tell" for one in told])
                print(f"null, {against}: {number + 1} of {count}, cannot tell {share:.1%}", flush=True)
                (work / "null.json").write_text(json.dumps(found))


def _said(data: Set, run: Run, against: str, number: int) -> dict[str, Any]:
    folds = [Fold(task, _arms(task, run, against), Probe()) for task in data.tasks(number)]
    plan = Plan(seeds=3, budget=Budget(steps=20, batch=32, negatives=4), doses=(), seed=number)
    result = cross_fitted(folds, plan)
    return {"verdict": result.verdict, **result.comparisons[0].decisive.about()}


def _arms(task: Task, run: Run, against: str) -> list[Arm]:
    mined = of_run(task, run, "run", "")
    dealt = shuffled_arm(task, mined)
    if against == "drawn evenly":
        return [dealt, random_arm(task, mined.lists(0))]
    return [dealt, Arm("anew", "dealt anew", lambda seed: dealt.lists(seed + _ANEW))]


def _part(judged: Judged) -> Judged:
    """Every third query: 200 measurements of all would take an hour."""
    asked = list(judged.positives)[::3]
    return replace(judged, positives={one: judged.positives[one] for one in asked})


def _kept(work: Path) -> dict[str, list[dict[str, Any]]]:
    """What an earlier process has measured: number after number, so that it can be gone on with."""
    file = work / "null.json"
    found: dict[str, list[dict[str, Any]]] = json.loads(file.read_text()) if file.is_file() else {}
    return found
