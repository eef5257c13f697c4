"""Does the probe rank sets of negatives as full fine-tuning does? All weights of WordLlama's embedding are trained.

Both learn from the same batches by the same loss, and are stopped by the same rule.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import kendalltau

from benchmarks.impact.data import Set
from benchmarks.impact.embedding import AllWeights, lengths_of
from benchmarks.impact.folds import folds_of
from hardneg import random
from hardneg.bootstrap import interval, redrawn
from hardneg.impact.exam import Marking
from hardneg.impact.examined import Trained
from hardneg.impact.exams import EXAMS
from hardneg.impact.kept import Kept
from hardneg.impact.probe import Probe
from hardneg.impact.work import Fold, Learner, Plan, trained
from hardneg.progress import Silent, for_console

__all__ = ["measured"]

_DRAWS = 1000
_SEEDS = 0x7A0
_RATES, _RATE_ARMS, _RATE_SEEDS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2), ("random", "run"), 2


def measured(data: Set, work: Path, seeds: int) -> None:
    """The arms of a set by either learner, on the same folds, and how far their orders agree; kept in DIR."""
    file, figures = work / f"full-{data.name}.json", {}
    if file.is_file():
        return
    folds = folds_of(data, Probe())[0]
    found = rates(folds[0], work / f"rates-{data.name}.json")
    learners: tuple[tuple[str, Learner], ...] = (("probe", Probe()), ("full", AllWeights(best_of(found))))
    for name, learner in learners:
        kept = Kept(work / f"{name}-{data.name}.partial", learner.key)
        each = [replace(one, learner=learner) for one in folds]
        figures[name] = drawn(*trained(each, Plan(seeds=seeds, doses=()), kept, for_console(Console(width=150))), seeds)
    arms = [one for one in figures["probe"][0] if one != "untrained"]
    told = {**agreement(arms, figures, data.name, seeds), **about(data, folds), "rates": found}
    file.write_text(json.dumps(told, indent=1))
    print(file.read_text(), flush=True)


def rates(fold: Fold, file: Path) -> dict[str, dict[str, float]]:
    """Figures on the validation part of a fold by rate and arm: never on what is held out. Kept in a file."""
    if not file.is_file():
        arms, plan = [one for one in fold.arms if one.name in _RATE_ARMS], Plan(seeds=_RATE_SEEDS, doses=())
        out: dict[str, dict[str, float]] = {}
        for rate in _RATES:
            made = trained([Fold(fold.task, arms, AllWeights(rate))], plan, Kept(None, ""), Silent())[1]
            out[str(rate)] = {
                name: float(np.mean([one.validation[0] for one in each])) for name, each in made.arms.items()
            }
            print(f"rate {rate}: {out[str(rate)]}", flush=True)
        file.write_text(json.dumps(out))
    found: dict[str, dict[str, float]] = json.loads(file.read_text())
    return found


def best_of(found: dict[str, dict[str, float]]) -> float:
    """The rate with the best mean of the arms."""
    return max((float(rate) for rate in found), key=lambda rate: sum(found[str(rate)].values()))


def about(data: Set, folds: list[Fold]) -> dict[str, Any]:
    """The figure of the table as it comes, and how many tokens the documents have (median, most)."""
    learner = AllWeights(0.0)
    exams = [EXAMS[one.task.kind](one.task, one.task.parts.test, None) for one in folds]
    found = [exam.figures(exam.answers(learner.before(one.task)))[0] for exam, one in zip(exams, folds, strict=True)]
    lengths = lengths_of((data.whole.items.texts or []).to_pylist())  # type: ignore[union-attr]
    before = float(np.average(found, weights=[len(exam.rows) for exam in exams]))
    return {"before": before, "folds": len(folds), "tokens": [int(np.median(lengths)), int(lengths.max())]}


def drawn(exam: Marking, made: Trained, seeds: int) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """The figure of each arm, and with queries and seeds drawn anew, the same queries for all."""
    value = {name: float(np.mean([one.figures[0] for one in each])) for name, each in made.arms.items()}
    out: dict[str, NDArray[np.float64]] = {name: np.zeros(_DRAWS) for name in made.arms}
    for draw in range(_DRAWS):
        weights = redrawn(exam.count, draw, 0)[exam.subjects].astype(np.float64)
        chosen = (random.uniform(draw, np.array(_SEEDS), np.arange(seeds)) * seeds).astype(int)
        for name, each in made.arms.items():
            some = [exam.figures(one.test, weights)[0] for one in each]
            out[name][draw] = np.mean([some[one % len(some)] for one in chosen])
    return value, out


def agreement(arms: list[str], figures: dict[str, Any], name: str, seeds: int) -> dict[str, Any]:
    """Kendall's tau of the two orders of the arms, with its interval over the draws."""
    (value, draws), (other, others) = figures["probe"], figures["full"]
    found = [kendalltau([draws[one][at] for one in arms], [others[one][at] for one in arms])[0] for at in range(_DRAWS)]
    low, high = interval(np.array(found))
    tau = float(kendalltau([value[one] for one in arms], [other[one] for one in arms])[0])
    pairs = [
        {
            "arms": [one, two],
            **{
                learner: [figures[learner][0][one] - figures[learner][0][two],
                          *interval(figures[learner][1][one] - figures[learner][1][two])]
                for learner in ("probe", "full")
            },
        }
        for at, one in enumerate(arms) for two in arms[at + 1 :]
    ]  # fmt: skip
    return {
        "set": name, "seeds": seeds, "probe": value, "full": other, "tau": tau, "low": low, "high": high,
        "above": float(np.mean(np.array(found) > 0)), "pairs": pairs,
    }  # fmt: skip
