"""``hardneg demo``: the main job on a small help desk, and what the filters caught."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import click
import pyarrow as pa

from hardneg import demo
from hardneg.cli._common import console, overwrite_option, page_of, summary, table
from hardneg.io.readers import ReadOptions
from hardneg.mining import Settings
from hardneg.progress import for_console
from hardneg.recipe import Recipe
from hardneg.run import Run

__all__ = ["command"]

_KINDS = {
    "copy": "the positive again, under another id",
    "near_copy": "the positive, a word or two changed",
    "question_copy": "a passage that is the question itself",
    "shared": "an answer to the same question, labelled elsewhere",
    "unlabelled_positive": "another right answer that nobody labelled",
    "look_alike": "alike, but no answer: a true hard negative",
}


@click.command(short_help="Try it: mine a small help desk.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Where."
)
@overwrite_option
def command(out: Path, overwrite: bool) -> None:
    """Mine the help desk that comes with hardneg, and show what became of the traps planted in it."""
    recipe = Recipe(
        demo.demo_data(),
        read=ReadOptions(ignore=(-1,)),  # graded -1 there: whether it answers is unclear
        sources=("neighbors(k=100)", "known_negatives"),
        sampler=("top(n=4)",),
    ).checked()
    reading = recipe.read_data()
    settings = Settings(progress=for_console(console), overwrite=overwrite)
    run = recipe.mine(reading, out, settings)
    page = page_of(run)
    summary(run)
    console.print()
    columns, rows = caught(run)
    console.print(table("What was planted, and what became of it", columns, rows))
    missed = next(row[4] for row in rows if row[0] == _KINDS["unlabelled_positive"])
    console.print(
        f"{missed} right answers were mined as negatives: in other words than the question, no margin sees them. "
        "Look for them in the report.",
        markup=False,
        highlight=False,
    )
    console.print(
        f"\nRead it: {page}\nTry:     hardneg refilter {out} --filter 'margin(relative=0.1)' -o {out}-stricter\n"
        f"         hardneg export {out} --format sentence-transformers -o train.parquet",
        markup=False,
        highlight=False,
    )


def caught(run: Run) -> tuple[list[str], list[tuple[str | int, ...]]]:
    """For each kind of planted trap: how many, and how many were proposed, dropped, suspected, mined."""
    with (demo.demo_data() / "planted.tsv").open(encoding="utf-8", newline="") as file:
        planted = [(row["kind"], row["query-id"], row["corpus-id"]) for row in csv.DictReader(file, delimiter="\t")]
    candidates = run.candidates.table
    verdicts = dict(zip(_pairs(candidates), candidates.column("verdict").to_pylist(), strict=True))
    sampled = set(_pairs(run.negatives))
    counts: Counter[tuple[str, str]] = Counter()
    for kind, *pair in planted:
        found = verdicts.get((pair[0], pair[1]), "not proposed")
        counts[kind, "all"] += 1
        counts[kind, "sampled" if (pair[0], pair[1]) in sampled else found] += 1
    columns = ["planted", "all", "dropped", "suspect", "mined", "kept only", "not found"]
    keys = ("all", "drop", "suspect", "sampled", "keep", "not proposed")
    return columns, [(text, *(counts[kind, key] for key in keys)) for kind, text in _KINDS.items()]


def _pairs(table: pa.Table) -> list[tuple[str, str]]:
    columns = (table.column(name).to_pylist() for name in ("anchor", "item"))
    return list(zip(*columns, strict=True))
