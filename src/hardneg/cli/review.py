"""``hardneg review``: people decide what candidates are."""

from __future__ import annotations

import getpass
import webbrowser
from pathlib import Path
from urllib.parse import urlencode

import click

from hardneg.cli._common import console, run_argument
from hardneg.decisions import FILE, read_ledger
from hardneg.review.desk import Desk
from hardneg.review.exchange import export_answers, import_answers
from hardneg.review.serve import serve
from hardneg.run import Run

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Decide on a run's candidates, on a local page.")
@run_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on this machine (a free one).")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--import", "source", type=_FILE, help="Only add answers from a CSV or Label Studio's JSON.")
@click.option("--export", "out", type=_PATH, help="Only write the answers: .csv, or .json for Label Studio.")
@click.option("--name", help="Who reviews (your login name; it can be changed on the page).")
def command(run: Path, port: int, no_browser: bool, source: Path | None, out: Path | None, name: str | None) -> None:
    """Look at RUN's candidates and say which are negatives, positives, or neither.

    The page is for this machine alone: its address holds a secret. Every answer is kept in RUN/decisions.jsonl before
    the next candidate comes, so the page can be stopped (Ctrl+C) at any time and goes on where it was. 'hardneg
    refilter RUN' and 'hardneg mine --decisions RUN' make use of the answers.

    \b
        hardneg review runs/a
        hardneg review runs/a --export answers.csv
        hardneg review runs/a --import project-1.json
    """  # noqa: D301 - click's own mark for text that keeps its lines
    opened, ledger = Run.open(run), read_ledger(run / FILE)
    for line in ledger.torn:
        told = f"Line {line} of {run / FILE} was left unfinished by a process that was stopped; it is passed over."
        console.print(told, markup=False, highlight=False)
    desk = Desk.of(opened)
    who = name or _login()
    if source is not None or out is not None:
        _exchange(desk, source, out, who)
        return

    def ready(address: str) -> None:
        whole = f"{address}?{urlencode({'who': who})}" if who else address
        click.echo(whole)
        console.print(f"Answers go to {run / FILE}. Stop with Ctrl+C.", markup=False, highlight=False)
        if not no_browser:
            webbrowser.open(whole)

    serve(desk, port, who, ready)


def _exchange(desk: Desk, source: Path | None, out: Path | None, who: str) -> None:
    if source is not None:
        counts = import_answers(desk, source, who or "imported")
        words = ", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "no answers"
        console.print(f"Read {source}: {words}.", markup=False, highlight=False)
    if out is not None:
        console.print(f"Wrote {export_answers(desk, out):,} answers: {out}", markup=False, highlight=False)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return ""
