"""``hardneg refilter``: other filters or another sampler, without a new search."""

from __future__ import annotations

from pathlib import Path

import click

from hardneg.cli._common import console, filter_option, overwrite_option, page_of, run_argument, sampler_option, summary
from hardneg.io.run_data import keep_data
from hardneg.mining import Settings, refilter
from hardneg.progress import for_console
from hardneg.run import Run

__all__ = ["command"]


@click.command(short_help="Judge and sample a run anew, without a search.")
@run_argument
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The run directory to make.")
@filter_option
@sampler_option
@click.option("--seed", type=int, help="Another seed for the sampler.")
@overwrite_option
def command(
    run: Path, out: Path, filters: tuple[str, ...], sampler: tuple[str, ...], seed: int | None, overwrite: bool
) -> None:
    """Judge and sample the candidates of RUN anew: no search, no encoding.

    Filters given replace all those of the run, a sampler given replaces its sampler; what is not given stays. The
    filters known and duplicates always take part.

    \b
        hardneg refilter runs/a --filter "margin(relative=0.1)" -o runs/b
    """  # noqa: D301 - click's own mark for text that keeps its lines
    settings = Settings(progress=for_console(console), overwrite=overwrite)
    made = refilter(
        Run.open(run), filters=filters or None, sampler=sampler or None, seed=seed, out=out, settings=settings
    )
    keep_data(Run.open(run), made)
    page = page_of(made)
    summary(made)
    console.print(f"\nRead it: {page}", markup=False, highlight=False)
