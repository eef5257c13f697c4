"""``hardneg export``: a training set in the format your trainer loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hardneg.cli._common import NameValue, beside_a_whole_run, console, overwrite_option, run_argument, table
from hardneg.io.writers import OTHER_NAMES, WRITERS, ExportOptions, ExportReport, export, find_writer
from hardneg.run import Run

__all__ = ["command", "export_into"]


def _list(context: click.Context, parameter: click.Parameter, asked: bool) -> None:  # noqa: ARG001 - click's signature
    """Print the formats and stop."""
    if asked:
        for one in WRITERS.values():
            click.echo(f"{one.name:<20}{one.usual:<10}{one.description}")
        click.echo("\nAlso known: " + ", ".join(f"{other} ({name})" for other, name in OTHER_NAMES.items()))
        context.exit()


@click.command(short_help="Write a training set in a trainer's format.")
@run_argument
@click.option("--format", "kind", metavar="FORMAT", required=True, help="The format to write; see --list.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file or folder to write.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the formats.")
@click.option("-n", type=int, help="At most this many negatives an anchor, the hardest first.")
@click.option(
    "--on-short",
    type=click.Choice(["skip", "shrink"]),
    help="Where all rows need the same number: leave short anchors out, or lower the number.",
)
@click.option("--positives", type=click.Choice(["all", "first"]), help="Which positives of an anchor to write (all).")
@click.option("--values", type=click.Choice(["label", "score"]), help="Labels, or scores, where there is a choice.")
@click.option("--column", "columns", type=NameValue(), multiple=True, help="Your own column's name: anchor=query.")
@click.option("--ids", is_flag=True, help="Add columns with ids.")
@click.option("--balanced", is_flag=True, help="Balance weights by class.")
@click.option(
    "--files",
    type=click.Choice(["link", "hardlink", "copy"]),
    help="How pictures and sounds get into a folder (link).",
)
@click.option("--hard-class", is_flag=True, help="Add a category 'hard_negative' with the mined backgrounds.")
@click.option(
    "--unsure",
    type=click.Choice(["mask", "leave-out", "background"]),
    help="What becomes of suspects where a format cannot ignore them: grey in a copy of the picture (mask) ...",
)
@click.option("--backgrounds", type=float, help="At most this share of the images may have no boxes, as in 0.1.")
@click.option("--prompt", help="The instruction for the query, in formats that carry one.")
@overwrite_option
def command(run: Path, kind: str, out: Path, columns: tuple[Any, ...], **given: Any) -> None:
    """Write the negatives of RUN for a trainer: no search, no encoding.

    \b
        hardneg export runs/a --format sentence-transformers -o train.parquet
        hardneg export runs/a --format flagembedding -o train.jsonl
    """  # noqa: D301 - click's own mark for text that keeps its lines
    options = ExportOptions(
        columns=dict(columns), **{name: value for name, value in given.items() if value is not None}
    )
    _say(export(Run.open(run), kind, out, options=options))


def export_into(run: Run, kind: str) -> None:
    """Write a training set below the run itself, under the format's usual name."""
    writer = find_writer(kind)
    out = run.path / "export" / f"{writer.name}{writer.suffixes[0] if writer.suffixes else ''}"
    with beside_a_whole_run(run, "its export", f"hardneg export {run.path} --format {kind} -o {out}"):
        _say(export(run, kind, out))


def _say(report: ExportReport) -> None:
    console.print(f"Wrote {report.rows:,} rows: {report.path}", markup=False, highlight=False, soft_wrap=True)
    for note in report.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    if report.skips:
        rows = [(one.reason, one.count, "; ".join(one.examples)) for one in report.skips]
        console.print(table("Left out", ("reason", "count", "for instance"), rows))
