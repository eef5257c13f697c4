"""``hardneg evaluate``: how well a detector finds things, what it gets wrong, and whether another one is better."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

import click

from hardneg.cli._common import console, overwrite_option, say_left_out, table
from hardneg.detect import MEASURES, Interval, Kind, mean_of
from hardneg.evaluation import MARK, WRONG, Verdict, Verdicts, judge, names_of_results, write_evaluation
from hardneg.io.found import read_scenes
from hardneg.io.readers import ReadOptions
from hardneg.io.reading import counted
from hardneg.progress import for_console
from hardneg.report.evaluation import render_evaluation
from hardneg.report.numbers import plural
from hardneg.storage import refuse_taken

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_RESULTS = click.Path(exists=True, path_type=Path)
_SHOWN = 20  # categories
_OF_CATEGORIES = (0, 1, 3)  # which of the measures are told of each
_MEANS = {
    Kind.CORRECT: "right",
    Kind.BACKGROUND: "nothing is there",
    Kind.CONFUSION: "something of another category is there",
    Kind.LOCALISATION: "the box is off",
    Kind.BOTH: "another category, and the box is off",
    Kind.DUPLICATE: "found before, by a surer one",
    Kind.UNCOUNTED: "in a crowd or an ignored box",
}


@click.command(short_help="Judge a detector, or compare two.")
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--predictions", type=_RESULTS, required=True, help="A detector's results, as for hardneg mine.")
@click.option("--against", type=_RESULTS, help="The results that these are compared with, as of the round before.")
@click.option("--split", help="The split to judge on, where there are several; a test split is fine.")
@click.option("--media-root", "--images", type=_PATH, help="The folder that the pictures are in, for the page.")
@click.option("--draws", type=click.IntRange(min=0), default=1000, show_default=True, help="Draws for the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="The only source of randomness.")
@click.option("-o", "--out", type=_PATH, help="A folder to make, with evaluation.json and a page to look at.")
@overwrite_option
def command(data: Path, predictions: Path, against: Path | None, out: Path | None, **options: Any) -> None:
    """Judge what a detector found in DATA: a COCO file, a YOLO folder or data.yaml, or a VOC folder.

    Prints average precision (COCO's), the log-average miss rate over false positives per image (Caltech's), both with
    intervals over images, the kinds of mistakes (TIDE's), and the figures of each category. With --against also the
    differences, by the same draws of images.

    \b
        hardneg evaluate boxes.json --predictions found.json
        hardneg evaluate boxes.json --predictions round2.json --against round1.json --images jpg/ -o judged
    """  # noqa: D301 - click's own mark for text that keeps its lines
    if out is not None:
        refuse_taken(out, MARK, "holds no evaluation", overwrite=options["overwrite"])
    results = [predictions] if against is None else [predictions, against]
    progress = for_console(console)
    progress.say(f"Reading {data} ...")
    read = ReadOptions(predictions=predictions, split=options["split"], media_root=options["media_root"])
    scenes = read_scenes(data, results, options=read)
    say_left_out(counted(scenes.skips), counted(scenes.notes))
    verdicts = judge(scenes, names_of_results(results), draws=options["draws"], seed=options["seed"], progress=progress)
    _say(verdicts)
    if out is not None:
        write_evaluation(verdicts, out, render_evaluation(verdicts), overwrite=options["overwrite"])
        click.echo(out)


def _say(verdicts: Verdicts) -> None:
    scenes = verdicts.scenes
    boxes, uncounted = int((~scenes.truth.uncounted).sum()), int(scenes.truth.uncounted.sum())
    more = f" and {plural(uncounted, 'crowd or ignored box', 'crowds and ignored boxes')}" if uncounted else ""
    console.print(
        f"\n{plural(len(scenes.images), 'image')}, {plural(boxes, 'box', 'boxes')}{more} ({scenes.format}).",
        highlight=False,
    )
    console.print(_figures(verdicts))
    console.print(_mistakes(verdicts))
    console.print(_categories(verdicts))


def _figures(verdicts: Verdicts) -> Any:
    """AP and miss rate, a row a measure; means over the categories that have a box."""
    difference = verdicts.difference
    rows = []
    for at, name in enumerate(MEASURES):
        row = [f"{name} (lower is better)" if name == "LAMR" else name]
        row += [_told(one, at) for one in verdicts.detectors]
        rows.append(row if difference is None else [*row, _signed(difference.interval(at))])
    title = "Means over the categories"
    if verdicts.draws:
        title += f", with 95% intervals over images ({verdicts.draws:,} draws)"
    columns = ["", *(one.name for one in verdicts.detectors), *([] if difference is None else ["difference"])]
    return table(title, columns, rows)


def _mistakes(verdicts: Verdicts) -> Any:
    """How many finds are of each kind, and what AP50 would be without them."""
    judged = [one.judged for one in verdicts.detectors]
    rows = []
    for kind in (Kind.CORRECT, *WRONG, Kind.UNCOUNTED):
        row = [kind.name.lower(), _MEANS[kind]]
        for one in judged:
            without = f"{one.without[kind]:.3f}" if kind in WRONG else ""
            row += [f"{one.count(kind):,}", without]
        rows.append(row)
    missed = [text for one in judged for text in (f"{int(one.missed.sum()):,}", "")]
    rows.append(["missed", "a box that nothing found", *missed])
    names = ["finds"] if len(judged) == 1 else [one.name for one in judged]
    columns = ["", "", *(name for one in names for name in (one, "AP50 without"))]
    return table("Mistakes at an overlap of 0.5", columns, rows)


def _categories(verdicts: Verdicts) -> Any:
    """The figures of each category and their differences, those with most boxes first."""
    found = verdicts.by_category()
    rows = []
    for one in found[:_SHOWN]:
        told = [_plain(one.figures[at]) for at in _OF_CATEGORIES]
        if one.gains is not None:
            told = [f"{text} ({one.gains[at]:+.3f})" for text, at in zip(told, _OF_CATEGORIES, strict=True)]
        rows.append((one.name, one.boxes, *told))
    more = f", the {_SHOWN} with most boxes of {len(found)}" if len(found) > _SHOWN else ""
    less = f", in brackets less {verdicts.detectors[1].name}" if len(verdicts.detectors) > 1 else ""
    return table(f"Categories{more}{less}", ["", "boxes", *(MEASURES[at] for at in _OF_CATEGORIES)], rows)


def _told(one: Verdict, at: int) -> str:
    if one.spread is None:
        return _plain(mean_of(one.evaluation.figures())[at])
    interval = one.spread.interval(at)
    return f"{_plain(interval.value)} ({_plain(interval.low)} to {_plain(interval.high)})"


def _signed(one: Interval) -> str:
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _plain(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3f}"
