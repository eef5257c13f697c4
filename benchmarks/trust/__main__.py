"""Is a share of false negatives that was asked for kept, and how much better than fixed rules is the filter?

    python -m benchmarks.trust compare --seeds 10
    python -m benchmarks.trust promise --seeds 200 --data "ORL faces"
    python -m benchmarks.trust unlike

Half of the positives of each anchor are hidden; eight of its hundred nearest neighbours are mined. ``compare`` measures
the share of hidden positives among the mined where the calibrated filter's mined are as hard as those of a fixed rule;
``promise`` how often the share is kept that was asked for (2%); ``unlike`` what becomes of it where the least similar
positives are hidden, so that the assumption does not hold. Each trial is a line of JSON in the working folder, and
those that are there are not done again. Features and settings were chosen on StackFAQ with WordLlama, ORL faces and
Omniglot; the others confirm.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.quality import interval
from benchmarks.texts import ROOT
from benchmarks.trust.data import NAMES, judged
from benchmarks.trust.measure import RATE, RULES, trial

_WAYS = {"compare": ("itself", "all"), "promise": ("itself", "all"), "unlike": ("unlike",)}


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All trials that are wanted; those in the file are taken from there."""
    file = options.work / "trust.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    there = {(one["data"], one["way"], one["seed"]): one for one in done}
    rows = []
    for name in options.data or NAMES:
        data = None
        for way in _WAYS[options.what]:
            for seed in range(options.seeds):
                if (name, way, seed) not in there:
                    data = data or judged(name, options.work)
                    if data is None:
                        print(f"{name} is not here.", file=sys.stderr)
                        break
                    found = trial(data, seed, way)
                    one = {"data": name, "way": way, "seed": seed, "trial": None if found is None else asdict(found)}
                    with file.open("a") as out:
                        out.write(json.dumps(one) + "\n")
                    there[name, way, seed] = one
                rows.append(there[name, way, seed])
    return rows


def report(what: str, rows: list[dict[str, Any]]) -> str:
    """One table."""
    lines = []
    for name, way in dict.fromkeys((one["data"], one["way"]) for one in rows):
        mine = [one["trial"] for one in rows if (one["data"], one["way"]) == (name, way) and one["trial"]]
        if mine:
            lines += _compared(name, way, mine) if what == "compare" else [_promised(name, way, mine)]
    return machine.table(_COMPARE if what == "compare" else _PROMISE, lines)


_COMPARE = (
    "data",
    "hidden for",
    "rule",
    "hardness",
    "rule's share",
    "calibrated",
    "part",
    "oracle reaches it",
    "seeds",
)
_PROMISE = (
    "data",
    "hidden",
    "at most 2% in",
    "mean share",
    "highest",
    "hardness",
    "negatives of 8",
    "promised",
    "seeds",
)


def _compared(name: str, way: str, mine: list[dict[str, Any]]) -> list[list[str]]:
    lines = []
    for rule in RULES:
        found = [one["rules"][rule] for one in mine]
        share, own = ([one[key] for one in found] for key in ("share", "calibrated"))
        part = np.mean(own) / max(float(np.mean(share)), 1e-9)
        lines.append([
            name, way, f"`{rule}`", f"{np.mean([one['hardness'] for one in found]):.3f}", _between(share),
            _between(own), f"{part:.2f}", f"{np.mean([one['reachable'] for one in found]):.0%}", str(len(mine)),
        ])  # fmt: skip
    return lines


def _between(values: list[float]) -> str:
    """Mean and interval over the seeds; the mean alone of one."""
    return interval(values) if len(values) > 1 else f"{values[0]:.3f}"


def _promised(name: str, way: str, mine: list[dict[str, Any]]) -> list[str]:
    shares = [one["rate"] for one in mine]
    return [
        name, way, f"{np.mean([one <= RATE for one in shares]):.1%}", f"{np.nanmean(shares):.4f}",
        f"{np.nanmax(shares):.4f}", f"{np.nanmean([one['hardness'] for one in mine]):.3f}",
        f"{np.mean([one['mined'] for one in mine]):.1f}", f"{np.mean([one['promised'] for one in mine]):.0%}",
        str(len(mine)),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=tuple(_WAYS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", action="append", choices=NAMES, help="only these; may be repeated")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "bench", help="where vectors and trials are kept")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    print(report(options.what, measured(options)))


if __name__ == "__main__":
    main()
