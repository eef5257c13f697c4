"""A keyword in streams of sound.

    python -m benchmarks.stream --work DIR [--seeds 5] [--short] [--write]
    python -m benchmarks.stream --work DIR --page --write

Streams, vectors and figures are kept in DIR; ``--page`` prints what is there, ``--write`` puts it into
docs/benchmarks.md. A minute or two for each seed on two cores; ``--short`` takes one seed and five minutes of sound.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.stream import pages
from benchmarks.stream.data import words
from benchmarks.stream.measure import SHORT, Size, measured

PACKAGES = ("hardneg", "numpy", "scikit-learn", "onnxruntime", "openwakeword")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where streams, vectors and figures are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="one seed, five minutes of sound: does it run?")
    parser.add_argument("--page", action="store_true", help="measure nothing, print what is kept")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    if not options.page:
        run(options.work, 1 if options.short else options.seeds, SHORT if options.short else Size())
    text = pages.page(options.work)
    print(text)
    if options.write and text:
        machine.write_section("stream", f"{text}\n\n{machine.described(PACKAGES)}")


def run(work: Path, seeds: int, size: Size) -> None:
    """Measure seed by seed, and keep after each what there is."""
    work.mkdir(parents=True, exist_ok=True)
    spoken = words()
    kept: dict[str, Any] = {"size": asdict(size), "outcomes": [], "guards": []}
    for seed in range(seeds):
        outcomes, guards = measured(spoken, size, seed, work)
        kept["outcomes"] += [asdict(one) for one in outcomes]
        kept["guards"] += [asdict(one) for one in guards]
        (work / "stream.json").write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
