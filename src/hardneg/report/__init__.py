"""The report: one HTML file that shows what a run did and why, without a network.

Each section is one data function, one template and one line in :data:`hardneg.report.page.SECTIONS`. The data
functions take :class:`hardneg.report.facts.Facts` and know nothing of HTML.
"""

from __future__ import annotations

from pathlib import Path

from hardneg.report.facts import Facts
from hardneg.report.page import render
from hardneg.run import Run
from hardneg.storage import place

__all__ = ["write_report"]


def write_report(run: Run, out: Path | None = None) -> Path:
    """Write the report of a run; the same bytes for the same run.

    Args:
        run: a finished run.
        out: the file to write; ``report.html`` in the run's directory if not given.

    Returns:
        The file written.

    Raises:
        StorageError: the disk is full, or the place may not be written.
    """
    out = run.path / "report.html" if out is None else Path(out)
    page = render(Facts.gather(run))
    with place(out) as file:
        file.write(page.encode("utf-8"))
    return out
