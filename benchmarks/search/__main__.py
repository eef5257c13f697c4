"""The search engines and their peers, part by part; ``page`` makes the page from what was measured before.

    python -m benchmarks.search exact 10000 50000
    python -m benchmarks.search page

exact    exact search next to the bare matrix product, FAISS, scikit-learn and sentence-transformers
labels   equal labels excluded, next to FAISS fetching more and more
disk     peak memory of whole minings from vectors on disk
join     the approximate join next to FAISS and USearch: recall against time
growth   what 1,000 anchors cost as the corpus grows
gpu      exact search on a graphics card
page     write the sections of docs/benchmarks.md and the plots from the figures in the work folder

Vectors, indexes and figures stay in the work folder. All sides use as many threads as the process may: limit them by
OMP_NUM_THREADS.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch  # noqa: F401 - as where vectors come from a model; else short searches would do without its products

from benchmarks import machine
from benchmarks.search import disk, exact, gpu, growth, join, kit, labels
from benchmarks.texts import ROOT

PARTS: dict[str, Any] = {
    "exact": exact, "labels": labels, "disk": disk, "join": join, "growth": growth, "gpu": gpu,
}  # fmt: skip
REPEATS = {"exact": 3, "labels": 3, "disk": 1, "join": 1, "growth": 2, "gpu": 2}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=[*PARTS, "page"])
    parser.add_argument("sizes", type=int, nargs="*", help="numbers of items")
    parser.add_argument("--anchors", type=int, help="how many anchors are asked for")
    parser.add_argument("--repeat", type=int, help="runs of each side, of which the fastest counts")
    parser.add_argument("--engines", nargs="+", choices=growth.ENGINES, help="of join and growth; all if not given")
    parser.add_argument("--short", action="store_true", help="vectors from fewer texts, which are encoded sooner")
    parser.add_argument("--device", default="cuda", help="of gpu")
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "bench", help="where vectors and figures are kept")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    options = parser.parse_args()
    if options.part != "page":
        module = PARTS[options.part]
        options.usual = {
            "engines": getattr(module, "ENGINES", None), "anchors": None, "short": False, "device": "cuda",
            "repeat": REPEATS[options.part],
        }  # fmt: skip
        options.sizes = options.sizes or module.SIZES
        options.repeat = options.repeat or options.usual["repeat"]
        options.engines = options.engines or options.usual["engines"]
    return options


def write(part: str, saved: Mapping[str, Any]) -> None:
    """Put a part into the page, and its plot beside it."""
    module = PARTS[part]
    if hasattr(module, "plot"):
        module.plot(saved)
    machine.write_section(f"search-{part}", module.report(saved))


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.part == "page":
        for part in PARTS:
            if (saved := kit.load(options.work, part)) is not None:
                write(part, saved)
        return
    options.load = os.getloadavg()[0]
    saved = PARTS[options.part].measure(options)
    if saved is None:
        return
    print(PARTS[options.part].report(saved))
    if options.write:
        write(options.part, saved)


if __name__ == "__main__":
    main()
