"""A detector's false positives: hard negatives or missing labels.

    python -m benchmarks.detection --work DIR [--seeds 5] [--write]
    python -m benchmarks.detection --work DIR --page --write

Pictures, vectors and figures are kept in DIR; ``--page`` prints what is there, ``--write`` puts it into
docs/benchmarks.md. The first seed encodes 5,000 crops, which takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.detection import pages
from benchmarks.detection.data import photos, planted
from benchmarks.detection.measure import measured

PACKAGES = ("hardneg", "numpy", "scikit-learn", "torch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where pictures, vectors and figures are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--page", action="store_true", help="measure nothing, print what is kept")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    if not options.page:
        run(options.work, options.seeds)
    text = pages.page(options.work)
    print(text)
    if options.write and text:
        machine.write_section("detection", f"{text}\n\n{machine.described(PACKAGES)}")


def run(work: Path, seeds: int) -> None:
    """Measure seed by seed, and keep after each what there is."""
    work.mkdir(parents=True, exist_ok=True)
    data = photos(work)
    kept: dict[str, Any] = {"sizes": [], "outcomes": []}
    for seed in range(seeds):
        case = planted(data, seed, pictures=False)
        missing, negative = int(case.missing.sum()), int(case.negative.sum())
        kept["sizes"].append({"deleted": case.deleted, "found": case.found, "missing": missing, "negative": negative})
        kept["outcomes"] += [asdict(one) for one in measured(data, seed, work)]
        (work / "detection.json").write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
