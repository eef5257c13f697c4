"""``hardneg report``: the page about a run."""

from __future__ import annotations

from pathlib import Path

import click

from hardneg.cli._common import run_argument
from hardneg.report import write_report
from hardneg.run import Run

__all__ = ["command"]


@click.command(short_help="Write the page about a run.")
@run_argument
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write (report.html in the run).")
def command(run: Path, out: Path | None) -> None:
    """Write one HTML file that shows what RUN mined, what it set aside and why."""
    click.echo(write_report(Run.open(run), out))
