"""``hardneg compare``: two runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from hardneg.cli._common import console, table
from hardneg.compare import Change, compare, write_comparison
from hardneg.run import Run

__all__ = ["command"]

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(short_help="Two runs side by side: what entered, what left, why.")
@click.argument("run", type=_RUN)
@click.argument("other", type=_RUN)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write a page with examples.")
def command(run: Path, other: Path, out: Path | None) -> None:
    """Say which negatives of RUN are not in OTHER, which are new there, and why.

    \b
        hardneg compare runs/a runs/b -o changes.html
    """  # noqa: D301 - click's own mark for text that keeps its lines
    found = compare(Run.open(run), Run.open(other))
    shown = Console(width=None if sys.stdout.isatty() else 120)
    if found.steps:
        shown.print(table("Done differently", ("", str(run), str(other)), found.steps))
    shown.print(table("Candidates", ("", str(run), str(other)), found.ledgers))
    left, entered = _rows(found.left), _rows(found.entered)
    total = [sum(one.count for one in changes) for changes in (found.left, found.entered)]
    line = f"\n{found.stayed:,} negatives stayed, {total[0]:,} left, {total[1]:,} entered."
    shown.print(line, markup=False, highlight=False)
    if left:
        shown.print(table(f"Left, by what {other} says of them", ("", "count", "reason"), left))
    if entered:
        shown.print(table(f"Entered, by what {run} says of them", ("", "count", "reason"), entered))
    if out is not None:
        console.print(f"\nRead it: {write_comparison(found, out)}", markup=False, highlight=False)


def _rows(changes: Sequence[Change]) -> list[tuple[str, int, str]]:
    return [(one.why, one.count, one.reason) for one in changes]
