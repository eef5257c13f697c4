"""What several commands share: the console, the summary of a run."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hardneg.balance import balance_lines
from hardneg.calibrate import calibration_lines
from hardneg.errors import StorageError
from hardneg.ragged import IntArray
from hardneg.report import write_report
from hardneg.report.numbers import plural
from hardneg.run import Run

__all__ = [
    "beside_a_whole_run",
    "console",
    "decisions_option",
    "filter_option",
    "overwrite_option",
    "page_of",
    "run_argument",
    "sampler_option",
    "say_left_out",
    "say_plainly",
    "summary",
    "table",
]

console = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else 120)
"""Progress and summaries go to standard error; only what was asked for goes to standard output."""

Counted = Sequence[Mapping[str, Any]]  # reason, count and examples

run_argument = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")
filter_option = click.option(
    "--filter", "filters", multiple=True, metavar="STEP",
    help="What judges candidates, in order; repeat for more. As in: margin(relative=0.05)",
)  # fmt: skip
decisions_option = click.option(
    "--decisions", type=click.Path(exists=True, path_type=Path), multiple=True, metavar="FILE|RUN",
    help="What reviewers decided: a decisions.jsonl, or a run that holds one. May be given again.",
)  # fmt: skip
sampler_option = click.option(
    "--sampler", multiple=True, metavar="STEP",
    help="One of top, band, tempered, uniform; quotas and caps go with it. As in: top(n=8, on_short=fill)",
)  # fmt: skip


class NameValue(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, sign, content = str(value).partition("=")
        if not sign or not name or not content:
            self.fail(f"'{value}' is not of the form NAME=VALUE.", param, ctx)
        return name, content


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A plain table; figures stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(columns):
        figures = all(isinstance(row[number], (int, float)) for row in rows) and bool(rows)
        made.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        made.add_row(*(f"{one:,}" if isinstance(one, int) else escape(str(one)) for one in row))
    return made


@contextmanager
def beside_a_whole_run(run: Run, what: str, command: str) -> Iterator[None]:
    """Where the disk refuses what goes beside a finished run, say that the run is whole and how to go on."""
    try:
        yield
    except StorageError as error:
        why = getattr(error.__cause__, "strerror", None) or error
        raise StorageError(
            f"The run '{run.path}' is whole, but {what} cannot be written ({why}). When it can be: {command}"
        ) from error


def page_of(run: Run) -> Path:
    """Write the page about a run that has just been made."""
    with beside_a_whole_run(run, "its page", f"hardneg report {run.path}"):
        return write_report(run)


def summary(run: Run, out: Console = console) -> None:
    """Say what was produced, what was not and why, and what to do next."""
    ledger, shortage = run.ledger, run.manifest["shortage"]
    reasons = sorted(ledger["reasons"].items(), key=lambda pair: -pair[1])
    rows = [("candidates", ledger["candidates"], "")]
    rows += [(_verdict(reason), count, reason) for reason, count in reasons]
    rows += [("kept, not sampled", ledger["kept_not_sampled"], ""), ("sampled", ledger["sampled"], "negatives.parquet")]
    out.print()
    out.print(table(str(run.path), ("", "count", "reason"), rows))
    if decisions := run.manifest.get("decisions"):
        out.print(decisions_line(decisions), markup=False, highlight=False)
    say_left_out(run.manifest.get("skipped", []), run.manifest.get("noted", []), out)
    for line in balance_lines(run.manifest["balance"]) if "balance" in run.manifest else []:
        out.print(line, markup=False, highlight=False)
    for line in calibration_lines(run.manifest):
        out.print(line, markup=False, highlight=False)
    if shortage["anchors"]:
        out.print(shortage_line(shortage, run.wanted), markup=False, highlight=False)
        names = ", ".join(f"{one['anchor']} ({one['sampled']})" for one in shortage["examples"][:8])
        out.print(f"  {names}{' …' if shortage['anchors'] > 8 else ''}", markup=False, highlight=False)
        advice = f"  To get more: {_more(dict(reasons))}. All of them: hardneg show {run.path} --short"
        out.print(advice, markup=False, highlight=False)


def say_plainly(text: str) -> None:
    """Print text as it is, whatever looks like markup in it."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def say_left_out(skipped: Counted, noted: Counted, out: Console = console) -> None:
    """Say what was left out while reading and what is odd, with reasons and examples."""
    for title, found in (("Left out while reading", skipped), ("In use, but look at these", noted)):
        if found:
            rows = [(one["reason"], one["count"], "; ".join(one["examples"])) for one in found]
            out.print(table(title, ("reason", "count", "for instance"), rows))


_NOT_USED = {
    "unmatched": "on things that are not here", "changed": "on ids that now stand for something else",
    "no_candidate": "on pairs that are no candidates", "disputed": "disputed", "skipped": "skipped",
    "against_labels": "against the labels",
}  # fmt: skip


def decisions_line(counts: Mapping[str, int]) -> str:
    """What became of reviewers' decisions.

    >>> decisions_line({"by_id": 3, "by_content": 0, "positive": 1, "negative": 2, "ignored": 0, "disputed": 1})
    "Reviewers' decisions: 3 found by id, 0 by content; 1 positive, 2 known negatives, 0 ignored. Without effect: ..."
    """
    used = f"{counts['positive']:,} positive, {counts['negative']:,} known negatives, {counts['ignored']:,} ignored"
    found = f"{counts['by_id']:,} found by id, {counts['by_content']:,} by content"
    left = [f"{counts[name]:,} {words}" for name, words in _NOT_USED.items() if counts.get(name)]
    return f"Reviewers' decisions: {found}; {used}." + (f" Without effect: {', '.join(left)}." if left else "")


def shortage_line(shortage: dict[str, Any], wanted: IntArray) -> str:
    """How many anchors came up short, and what became of them."""
    fate = {"keep": "kept with what there is", "fill": "even after filling up", "drop": "dropped"}[shortage["policy"]]
    same = plural(int(wanted[0]), "negative") if len(set(wanted.tolist())) == 1 else "as many negatives as wanted"
    return (
        f"{plural(shortage['anchors'], 'anchor')} with fewer than {same} ({fate}); "
        f"{shortage['missing']:,} missing in all, {plural(shortage['without_any'], 'anchor')} without any:"
    )


def _more(reasons: Mapping[str, int]) -> str:
    """How to get more negatives: what held back the most is named, unless it is known for sure."""
    sure = {"known", "duplicates"}
    counts = Counter[str]()
    for reason, count in reasons.items():
        counts[reason.partition(".")[0]] += count
    most = next((f"a looser '{name}', " for name, _ in counts.most_common() if name not in sure), "")
    return f"a larger k, {most}or on_short=fill in the sampler"


def _verdict(reason: str) -> str:
    from hardneg.filters import FILTERS

    name, _, rule = reason.partition(".")
    rules = FILTERS.steps[name].rules if name in FILTERS.steps else ()
    return next((one.verdict.name.lower() for one in rules if one.name == rule), "")
