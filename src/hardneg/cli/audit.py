"""``hardneg audit``: how many of the mined negatives are false, with an interval."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from hardneg.auditing import Audit, Part, audit
from hardneg.auditing.answers import answers_of
from hardneg.auditing.result import in_words
from hardneg.auditing.sample import write_sample
from hardneg.auditing.work import sample_of
from hardneg.cli._common import console, run_argument, table
from hardneg.encode import EmbeddingCache, PairScoreCache, default_cache_dir
from hardneg.errors import OptionError
from hardneg.mining import Settings
from hardneg.progress import for_console
from hardneg.report import write_report
from hardneg.run import Run

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_FILES = click.Path(exists=True, path_type=Path)


@click.command(short_help="How many of the mined negatives are false?")
@run_argument
@click.option("--draw", type=int, metavar="N", help="Draw N mined pairs to judge, and write them as CSV.")
@click.option("-o", "--out", type=_PATH, help="Where the drawn pairs go (sample.csv).")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the pairs.")
@click.option("--judgements", multiple=True, type=_FILES, help="A judged sample or a decisions.jsonl; repeat for more.")
@click.option("--qrels", multiple=True, type=_FILES, help="Relevance judgements, BEIR or TREC; repeat for more.")
@click.option(
    "--teacher", metavar="STEP",
    help="A second judge: a cross-encoder's folder or name, teacher(ENCODER), function(FILE.py:NAME).",
)  # fmt: skip
@click.option(
    "--completeness", type=float, metavar="SHARE", help="The share of all positives that you believe to be known."
)
@click.option("--cache", type=_PATH, help="Where the teacher's scores are kept between runs.")
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace the file of drawn pairs.")
def command(run: Path, draw: int | None, as_json: bool, cache: Path | None, **options: Any) -> None:
    """Estimate how many of the negatives of RUN are false, with an interval, from whatever evidence there is.

    Judge a sample: that is what an interval can rest on. What the judge of 40 pairs says holds for all.

    \b
        hardneg audit runs/a --draw 40 -o sample.csv      # then write positive or negative into its column "answer"
        hardneg audit runs/a --judgements sample.csv
        hardneg audit runs/a --judgements sample.csv --teacher "teacher(encoder=./better)"
    """  # noqa: D301 - click's own mark for text that keeps its lines
    opened, settings = Run.open(run), _settings(cache)
    evidence = {name: options[name] for name in ("judgements", "qrels", "teacher", "completeness")}
    if draw is not None:
        _draw(opened, draw, settings, options)
        return
    found = audit(opened, **evidence, settings=settings)
    found.write(opened.path)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
        return
    _show(found, Console(width=None if sys.stdout.isatty() else 120))
    page = write_report(opened)
    console.print(f"\nRead it: {page}", markup=False, highlight=False)


def _settings(cache: Path | None) -> Settings:
    folder = cache or default_cache_dir()
    return Settings(EmbeddingCache(folder), PairScoreCache(folder / "scores"), for_console(console))


def _draw(run: Run, number: int, settings: Settings, options: Mapping[str, Any]) -> None:
    out, teacher = options["out"] or Path("sample.csv"), options["teacher"]
    if out.exists() and not options["overwrite"]:
        raise OptionError(f"'{out}' exists already. Name another with -o, or replace it with --overwrite.")
    population, sample = sample_of(run, number, teacher=teacher, seed=options["seed"], settings=settings)
    answers = answers_of(population, sample.strata, options["judgements"])
    write_sample(population, sample, out, np.where(answers.settled, -1, answers.truth))
    there = int((answers.truth[sample.pairs] >= 0).sum())
    console.print(
        f"Wrote {out}: {len(sample):,} of {len(population):,} mined pairs, {there:,} of them with an answer.\n"
        "Write positive (the item is a right answer: a false negative), negative or skip into the column 'answer', "
        f"from the top; you may stop anywhere.\nThen: hardneg audit {run.path} --judgements {out}"
        + (f' --teacher "{teacher}"' if teacher else ""),
        markup=False,
        highlight=False,
    )


def _show(found: Audit, out: Console) -> None:
    out.print(found.sentence, markup=False, highlight=False, soft_wrap=True)
    for one in found.estimates[1:]:
        out.print(f"  {in_words(one, found.mined)}", markup=False, highlight=False, soft_wrap=True)
    for name, parts in found.by.items():
        rows = [(one.name, one.pairs, one.judged, one.false, _range(one)) for one in parts]
        out.print()
        out.print(table(f"By {name}", (name, "pairs", "judged", "false", "share (95%)"), rows))
    assumed = [line for one in found.estimates[:1] for line in one.assumptions]
    for title, lines in (("Assumed", assumed), ("Of the answers", found.notes), ("Next", found.advice)):
        for at, line in enumerate(lines):
            out.print(f"{'' if at else chr(10)}{title}: {line}", markup=False, highlight=False, soft_wrap=True)


def _range(one: Part) -> str:
    share = one.share
    if not one.judged:
        return "not judged"
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
