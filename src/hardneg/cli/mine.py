"""``hardneg mine``: from a data set to a run."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from hardneg.cli._common import (
    NameValue,
    console,
    decisions_option,
    filter_option,
    overwrite_option,
    page_of,
    sampler_option,
    say_left_out,
    summary,
    table,
)
from hardneg.cli.export import export_into
from hardneg.encode import EmbeddingCache, PairScoreCache, default_cache_dir, make_encoder
from hardneg.errors import OptionError, StorageError
from hardneg.estimate import estimate
from hardneg.io.readers import FORMATS
from hardneg.io.reading import Reading, counted
from hardneg.io.writers import find_writer
from hardneg.mining import Settings
from hardneg.progress import for_console
from hardneg.recipe import Recipe, given_vectors
from hardneg.report.advice import usual_export
from hardneg.report.numbers import plural
from hardneg.run import refuse_existing
from hardneg.sources import Neighbors
from hardneg.storage import storage_errors

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_READ = (
    "split", "corpus", "positive_from", "negative_to", "exclude_ids", "anchor_vectors", "item_vectors", "anchors",
    "positives", "unlabelled", "predictions", "agreeing", "least_score", "most_mistakes", "frames", "held_out",
    "media_root", "mine_evaluation",
)  # fmt: skip


@click.command(short_help="Mine a data set.")
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=_PATH, help="The run directory to make.")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), help="What DATASET is; else seen from its content.")
@click.option("--split", help="The split to mine for, where there are several.")
@click.option("--corpus", type=_PATH, help="A file with the items, where DATASET holds only pairs.")
@click.option("--column", "columns", type=NameValue(), multiple=True, help="Your own column, as in anchor=question.")
@click.option("--positive-from", type=float, help="Grades of at least this are positive (1).")
@click.option("--negative-to", type=float, help="Grades of at most this are known negatives (0).")
@click.option("--ignore-grade", type=float, multiple=True, help="A grade that is neither.")
@click.option("--grade", "grades", type=NameValue(), multiple=True, help="What a text grade means, as in SUPPORT=1.")
@click.option("--exclude-split", multiple=True, help="Never mine the positives of this split (a test split).")
@click.option("--exclude-ids", type=_PATH, help="A file of item ids, one a line, never to be mined.")
@decisions_option
@click.option("--anchor-vectors", type=_PATH, help="Vectors of the anchors: .npy, .npz, .safetensors, Parquet, Arrow.")
@click.option("--item-vectors", type=_PATH, help="Vectors of the items: such a file, or a folder of them.")
@click.option("--anchors", type=click.Choice(["items", "classes"]), help="What labelled items are mined for (items).")
@click.option("--positives", help="What makes labelled items the same: labels, groups, or a column such as speaker.")
@click.option("--unlabelled", type=_PATH, help="A table or a folder with more items, which have no label.")
@click.option(
    "--predictions", type=_PATH, help="What a model said: a table with an id and a column a class; of boxes, results."
)
@click.option("--agreeing", type=_PATH, help="Of boxes: the results of a second detector, which may agree.")
@click.option("--least-score", type=float, help="Leave a detector's results with a lower score out (0).")
@click.option("--frames", metavar="PATTERN", help="Of boxes in films, the end of the images' names: {sequence}_{frame}")
@click.option("--most-mistakes", type=int, help="Look at so many mistakes for each category, the surest (10,000).")
@click.option("--held-out", is_flag=True, default=None, help="That model had not seen the labels of these items.")
@click.option("--media-root", "--images", type=_PATH, help="The folder that pictures or sounds are in.")
@click.option("--mine-evaluation", is_flag=True, default=None, help="Mine a test or validation split all the same.")
@click.option("--encoder", help="A model's folder or name, or a step; else wordllama; descriptor, logmel for media.")
@click.option("--source", "sources", multiple=True, metavar="STEP", help="Where candidates come from; repeat to unite.")
@filter_option
@sampler_option
@click.option("--seed", type=int, help="The only source of randomness (0).")
@click.option("--cache", type=_PATH, help="Where vectors and scores are kept between runs.")
@click.option("--no-cache", is_flag=True, help="Keep no vectors between runs.")
@click.option("--export", "exports", multiple=True, metavar="FORMAT", help="Also write a training set into the run.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and what it needs.")
@overwrite_option
def command(dataset: Path, out: Path | None, **options: Any) -> None:
    """Mine hard negatives for DATASET, which is seen from its content.

    A BEIR folder, a file of pairs, a folder of pictures or sounds for each class, a table of labelled texts, pictures
    or sounds (perhaps with times), a saved datasets folder, RTTM, Audacity label tracks, a Kaldi data folder, a list of
    verification trials, or a recipe.toml. Boxes in pictures: a COCO file, a YOLO folder or its data.yaml, a Pascal VOC
    folder; --predictions are a detector's results in COCO's form, or a folder of YOLO's or VOC's.

    \b
        hardneg mine scifact/ -o runs/a
        hardneg mine pairs.jsonl --encoder ./my-model --sampler "top(n=4)" -o runs/b
        hardneg mine flowers/ -o runs/c
        hardneg mine words.csv --positives speaker --media-root wav/ -o runs/e
        hardneg mine boxes.json --predictions found.json --images jpg/ -o runs/f
        hardneg mine data.yaml --predictions labels/ -o runs/g
        hardneg mine recipe.toml -o runs/d
    """  # noqa: D301 - click's own mark for text that keeps its lines
    recipe = _recipe(dataset, options).checked()
    for name in options["exports"]:
        find_writer(name)  # a wrong name is better known before the work than after
    progress = for_console(console)
    if options["dry_run"]:
        reading = _read(recipe)
        say_left_out(counted(reading.skips), counted(reading.notes))
        _say_plan(recipe.suited(reading.positives), reading)
        return
    if out is None:
        raise OptionError("The run needs a place: give it with -o runs/NAME.")
    refuse_existing(out, options["overwrite"])
    _refuse_unwritable(out)
    reading = _read(recipe)
    _say_unused(recipe, reading)
    embeddings, scores = _caches(options)
    settings = Settings(embeddings, scores, progress, options["overwrite"])
    run = recipe.mine(reading, out, settings)
    with progress.stage("report", 1, "page") as report:
        page = page_of(run)
        report(1, 1)
    summary(run)
    for name in options["exports"]:
        export_into(run, name)
    export = f"hardneg export {run.path} --format {usual_export(run)}"
    console.print(f"\nRead it: {page}\nUse it:  {export}", markup=False, highlight=False, soft_wrap=True)


def _recipe(dataset: Path, options: dict[str, Any]) -> Recipe:
    """The recipe from a file or from the options; options overrule a file."""
    base = Recipe.load(dataset) if dataset.suffix == ".toml" else Recipe(dataset)
    read: dict[str, Any] = {name: options[name] for name in _READ if options[name] is not None}
    if options["columns"]:
        read["columns"] = dict(options["columns"])
    if options["grades"]:
        read["grades"] = {name: _number(name, value) for name, value in options["grades"]}
    if options["decisions"]:
        read["decisions"] = options["decisions"]
    if options["ignore_grade"]:
        read["ignore"] = options["ignore_grade"]
    if options["exclude_split"]:
        read["exclude_split"] = options["exclude_split"]
    steps: dict[str, Any] = {name: options[name] for name in ("sources", "filters", "sampler") if options[name]}
    steps |= {name: options[name] for name in ("encoder", "seed") if options[name] is not None}
    if options["kind"]:
        steps["format"] = options["kind"]
    recipe = replace(base, read=replace(base.read, **read), **steps)
    if options["encoder"] and recipe.read.item_vectors is not None:
        raise OptionError("The vectors come from files, so no encoder is needed. Leave --encoder out.")
    return recipe


def _refuse_unwritable(out: Path) -> None:
    """Try the nearest folder that is there: a refusal is better known before the work than after."""
    there = next(one for one in out.absolute().parents if one.exists())
    try:
        with storage_errors(out), tempfile.TemporaryFile(dir=there):
            pass
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"Cannot write '{out}' ({error.strerror}). Choose another place for the output.") from error


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise OptionError(f"The grade '{name}' must stand for a number, as in --grade {name}=1. Got {value}.") from None


def _caches(options: dict[str, Any]) -> tuple[EmbeddingCache | None, PairScoreCache | None]:
    if options["no_cache"]:
        return None, None
    folder = options["cache"] or default_cache_dir()
    return EmbeddingCache(folder / "vectors"), PairScoreCache(folder / "scores")


def _read(recipe: Recipe) -> Reading:
    """Read the data, and say what was found."""
    if not console.is_terminal:
        console.print(f"Reading {recipe.path} ...", markup=False, highlight=False, soft_wrap=True)
    with console.status(f"Reading {escape(str(recipe.path))}"):
        reading = recipe.read_data()
    console.print(f"Read {reading.format}: {_found(reading)}.", markup=False, highlight=False, soft_wrap=True)
    return reading


def _found(reading: Reading) -> str:
    positives, counts = reading.positives, reading.counts
    barred = f"{int(positives.barred.sum()):,} barred"
    if (classes := positives.classes) is None:
        return (
            f"{len(positives.anchors):,} anchors, {len(positives.items):,} items, "
            f"{len(positives.positive.values):,} positives, {len(positives.negative.values):,} known negatives, "
            f"{len(positives.ignored.values):,} ignored, {barred}"
        )
    kinds = ("class", "classes") if classes.closed else ("group", "groups")
    return (
        f"{plural(len(positives.items), 'item')} in {plural(len(classes.names), *kinds)}: "
        f"{counts['labelled']:,} labelled, {counts['unlabelled']:,} unlabelled, {barred}; "
        f"{plural(len(positives.anchors), 'anchor')}"
    )


def _say_unused(recipe: Recipe, reading: Reading) -> None:
    """Say what no step makes use of: judged negatives, the surest there are."""
    known = len(reading.positives.negative.values)
    if known and not any("known_negatives" in one for one in recipe.sources or ()):
        console.print(
            f"{known:,} judged negatives are mined only where a source finds them. For all of them add: "
            "--source known_negatives (beside the others, as in --source neighbors)",
            markup=False, highlight=False,
        )  # fmt: skip


def _say_plan(recipe: Recipe, reading: Reading) -> None:
    vectors = given_vectors(reading)
    encoder = None if vectors or recipe.encoder is None else make_encoder(recipe.encoder)
    source = recipe.source()
    candidates = sum(int(getattr(one, "k", 0)) for one in getattr(source, "sources", (source,)))
    plan = recipe.steps().plan
    needs = estimate(reading.positives, encoder, vectors.items if vectors else None, candidates, plan)
    rows = [(name, "; ".join(getattr(recipe, name) or ())) for name in ("sources", "filters", "sampler")]
    rows.insert(0, ("encoder", "vectors from files" if vectors else str(recipe.encoder)))
    console.print(table("Would be done", ("step", ""), rows))
    rows = [(name, f"{seconds:,.1f} s") for name, seconds in needs.seconds.items()]
    rows += [(name, f"{mib:,.0f} MiB") for name, mib in needs.mib.items()]
    console.print(table("Would need, about (vectors in the cache are not counted)", ("for", ""), rows))
    sizes = len(reading.positives.anchors), (len(reading.positives.items), needs.dimension)
    for one in getattr(source, "sources", (source,)):
        if isinstance(one, Neighbors) and (told := one.explain(*sizes)):
            console.print(told, markup=False, highlight=False)
    seconds, mib = sum(needs.seconds.values()), sum(needs.mib.values())
    console.print(f"All: {seconds:,.0f} s, {mib:,.0f} MiB. Nothing was written.", markup=False, highlight=False)
