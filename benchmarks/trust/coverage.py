"""Do the 95% intervals of an audit hold the truth, for each kind of evidence?

    python -m benchmarks.trust.coverage measure --work runs/bench/trust      # half an hour
    python -m benchmarks.trust.coverage page --work runs/bench/trust --write

Half of the positives are hidden, the rest is mined with; which of the mined are false is then known. Judgements: one
mining, 200 samples drawn, answered by the truth. Hidden positives: 200 minings, each with another half hidden.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.texts import ROOT
from benchmarks.trust.scenes import SCENES, Scene, half_hidden
from hardneg.auditing.anew import mined_anew
from hardneg.auditing.answers import Answers
from hardneg.auditing.hidden import Mined, completeness_of, hidden_bound, hidden_share
from hardneg.auditing.intervals import Interval
from hardneg.auditing.judged import judged_share
from hardneg.auditing.population import Population
from hardneg.auditing.sample import draw
from hardneg.auditing.strata import strata_of
from hardneg.auditing.taught import banded

TIMES = 200
Truth = NDArray[np.bool_]
Scores = NDArray[np.float32]


def teachers(truth: Truth) -> dict[str, Scores]:
    """Planted teachers, from a good one to one that is surely wrong."""
    noise = np.random.default_rng(1).normal(size=len(truth))
    return {
        "good teacher": (1.8 * truth + noise).astype(np.float32),  # area under the curve 0.9
        "teacher that knows nothing": noise.astype(np.float32),
        "teacher that is sure and wrong": (-3.0 * truth + noise).astype(np.float32),
    }


def by_judgements(scene: Scene, work: Path) -> list[dict[str, Any]]:
    """Every way to judge, 200 times over one mining."""
    run, truth = half_hidden(scene, scene.data(work), seed=0)
    population = Population.of(run)
    everything, taught = np.ones(len(truth), bool), teachers(truth)
    open_ = ~population.known
    plain = strata_of(population.score, open_, "score", *population.keys)
    by_teacher = strata_of(taught["good teacher"], open_, "teacher", *population.keys)
    ways: dict[str, tuple[Any, int, Scores | None]] = {
        **{f"{number} judgements": (plain, number, None) for number in (40, 100, 300)},
        **{f"100 judgements, {name}": (plain, 100, scores) for name, scores in taught.items()},
        "100 judgements drawn by the good teacher": (by_teacher, 100, taught["good teacher"]),
    }
    rows = []
    for name, (strata, number, scores) in ways.items():
        found: list[Interval] = []
        for seed in range(TIMES):
            chosen = draw(population, strata, number, seed).pairs
            said = np.full(len(truth), -1)
            said[chosen] = truth[chosen]
            answers = Answers(said, np.zeros(len(truth), bool))
            codes = strata.codes
            if scores is not None:
                codes = banded(codes, scores, answers, population.keys, everything)
            found.append(judged_share(codes, answers))
        rows.append(summed(scene, name, [(one, float(truth.mean())) for one in found]))
    return rows


def by_hiding(scene: Scene, work: Path, times: int = TIMES) -> list[dict[str, Any]]:
    """Hidden positives, over minings with another half of the positives known."""
    found = defaultdict(list)
    for seed in range(times):
        run, truth = half_hidden(scene, scene.data(work), seed)
        anew, share = mined_anew(run, seed), float(truth.mean())
        population = Population.of(run)
        mined = Mined.of(population)
        found["hidden positives, completeness stated (0.5)"].append((hidden_share(anew, mined, 0.5), share))
        bound = hidden_bound(anew, mined, completeness_of(population, anew))
        found["hidden positives alone: a bound"].append((bound, share))
    return [summed(scene, name, pairs) for name, pairs in found.items()]


def summed(scene: Scene, evidence: str, pairs: list[tuple[Interval, float]]) -> dict[str, Any]:
    """How often the interval held the truth, how wide it was, and how far off the estimate."""
    low, high, value = (np.array([getattr(one, end) for one, _ in pairs]) for end in ("low", "high", "value"))
    truth = np.array([true for _, true in pairs])
    row = {
        "scene": scene.name, "evidence": evidence, "times": len(pairs), "true": float(truth.mean()),
        "covered": float(((low <= truth + 1e-12) & (truth <= high + 1e-12)).mean()),
        "estimate": float(np.nanmean(value)), "low": float(low.mean()), "high": float(high.mean()),
    }  # fmt: skip
    print(
        {key: round(one, 4) if isinstance(one, float) else one for key, one in row.items()}, file=sys.stderr, flush=True
    )
    return row


def measure(work: Path, only: str, times: int) -> None:
    work.mkdir(parents=True, exist_ok=True)
    ways = (("judged", by_judgements), ("hidden", partial(by_hiding, times=times)))
    for scene in SCENES:
        for kind, measured in ways:
            file = work / f"coverage-{kind}-{scene.name.replace(', ', '-').replace(' ', '_')}.json"
            if not file.is_file() and only in f"{kind} {scene.name}":
                file.write_text(json.dumps(measured(scene, work), indent=2) + "\n", encoding="utf-8")


ABOUT = """## Can an audit's intervals be trusted?

`python -m benchmarks.trust.coverage`: half of the positives hidden, the rest mined with (8 negatives of 100
neighbours), so which of the mined are false is known. *Covered*: how often the 95% interval held the true share.
Judgements: samples of one mining, answered by the truth. Hidden positives: as many minings, each with another half
hidden; *a bound* estimates the completeness itself, from 0 up, and its estimate is what it would be if the surest
region held no true negative. Teachers are planted: the good one has an area under the curve of 0.9, the wrong one
gives false negatives the lowest scores. *The far (or near) ones hidden*: the less (or more) a positive resembles its
anchor, the more surely it is hidden, so the assumption of hidden positives is broken on purpose; judgements assume
nothing of the kind. Rows under 93% come first. *Calibrated*: by the filter's own
evidence of hidden positives, whose threshold was chosen by the same ones. Item by item the estimate may be too low on
StackFAQ, and four of forty lie above an interval, for what is unknown hangs together there in more ways (the same
topic) than the known positives show."""


def page(work: Path) -> str:
    rows = [
        row for file in sorted(work.glob("coverage-*.json")) for row in json.loads(file.read_text(encoding="utf-8"))
    ]
    order = {scene.name: at for at, scene in enumerate(SCENES)}
    rows.sort(key=lambda row: (row["covered"] >= 0.93, order[row["scene"]]))  # what fails comes first
    lines = [
        [row["scene"], row["evidence"], str(row["times"]), f"{row['true']:.2%}", f"{row['covered']:.1%}",
         f"{row['estimate']:.2%}", f"{row['low']:.2%} to {row['high']:.2%}"]
        for row in rows
    ]  # fmt: skip
    head = ("mined", "evidence", "times", "truly false", "covered", "mean estimate", "mean interval")
    return f"{ABOUT}\n\n{machine.table(head, lines)}\n\n{machine.described(('hardneg', 'numpy', 'wordllama'))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "page"])
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "bench" / "trust")
    parser.add_argument("--times", type=int, default=TIMES, help="minings for hidden positives")
    parser.add_argument("--only", default="", help="only scenes and kinds with this in their name, as in: judged")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    if options.what == "measure":
        measure(options.work, options.only, options.times)
    text = page(options.work)
    print(text)
    if options.write:
        machine.write_section("audit-coverage", text)


if __name__ == "__main__":
    main()
