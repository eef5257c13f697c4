"""A benchmark whose figures are kept in one file: measured where it is not there, and made into a section."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.detection.second_round import Cells, cells

Rows = list[dict[str, Any]]


def main(
    about: str | None, name: str, measured: Callable[[Cells, int, Path], Rows], page: Callable[[Rows], str],
    packages: Sequence[str],
) -> None:  # fmt: skip
    """The command of the benchmark ``name`` on the pictures of blood cells; ``about`` is its help."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where pictures, vectors and figures are kept")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    file = options.work / f"{name}.json"
    if not file.is_file():
        file.write_text(json.dumps(measured(cells(options.work), options.seeds, options.work), indent=1))
    text = page(json.loads(file.read_text()))
    print(text)
    if options.write:
        machine.write_section(f"detection-{name}", f"{text}\n\n{machine.described(packages)}")
