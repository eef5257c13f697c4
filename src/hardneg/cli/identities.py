"""``hardneg identities``: who looks like whom, which names may be wrong, how well a model tells people apart."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import click

from hardneg.cli._common import NameValue, console, overwrite_option, say_left_out, table
from hardneg.context import encoded
from hardneg.encode import EmbeddingCache, default_cache_dir, make_encoder
from hardneg.errors import InputError, OptionError
from hardneg.identities import Examples, Figures, Survey, survey, write_survey
from hardneg.identities.figures import FARS
from hardneg.identities.files import refuse_existing
from hardneg.identities.look_alikes import Pairs
from hardneg.identities.survey import COHORT
from hardneg.io.readers import FORMATS
from hardneg.io.reading import Reading, counted
from hardneg.matrix import Matrix
from hardneg.progress import Progress, for_console
from hardneg.recipe import Recipe
from hardneg.report.numbers import plural
from hardneg.steps import usual_encoder
from hardneg.storage import digest
from hardneg.verify import Interval

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_READ = ("split", "positives", "item_vectors", "media_root")
_NAMES = {
    "all": "all",
    "normalised": "the same, AS-norm",
    "undoubted": "without doubtful names",
    "hard": "hardest impostors",
    "random": "as many at random",
}


@click.command(short_help="Look at the identities of labelled data.")
@click.argument("dataset", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=_PATH, required=True, help="The folder to make.")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), help="What DATASET is; else seen from its content.")
@click.option("--split", help="The split to look at, a test split too.")
@click.option("--column", "columns", type=NameValue(), multiple=True, help="Your own column, as in label=person.")
@click.option("--positives", help="What says who is who (labels).")
@click.option("--session", metavar="COLUMN", help="The column that says which recording or day an item is from.")
@click.option("--item-vectors", type=_PATH, help="Vectors of the items: .npy, .npz, .safetensors, Parquet, Arrow.")
@click.option("--media-root", type=_PATH, help="The folder that all pictures are in; their paths are relative to it.")
@click.option("--encoder", help="A model's folder or name, or a step; else as for hardneg mine.")
@click.option("--cohort", default=COHORT, show_default=True, help="How many strangers of each are its cohort.")
@click.option("--seed", type=int, help="The only source of randomness (0).")
@click.option("--cache", type=_PATH, help="Where vectors are kept between runs.")
@click.option("--no-cache", is_flag=True, help="Keep no vectors between runs.")
@overwrite_option
def command(dataset: Path, out: Path, **options: Any) -> None:
    """Look at the identities of DATASET: labelled data, a recipe.toml, or a run, whose recipe is read.

    Writes the nearest identities of each, pairs that look alike, names that may be one person or two, a cohort to
    normalise scores with, and trials with the hardest impostors.

    \b
        hardneg identities voices.csv --positives speaker --session day --encoder resemblyzer -o voices
        hardneg identities runs/a -o faces          # the data and the encoder of a mining, vectors from the cache
    """  # noqa: D301 - click's own mark for text that keeps its lines
    refuse_existing(out, overwrite=options["overwrite"])
    recipe = _recipe(dataset, options)
    if recipe.encoder is not None:
        make_encoder(recipe.encoder)  # a wrong name is better known before the work than after
    progress = for_console(console)
    progress.say(f"Reading {recipe.path} ...")
    reading = recipe.read_data()
    say_left_out(counted(reading.skips), counted(reading.notes))
    encoder, vectors = _vectors(recipe, reading, options, progress)
    examples = Examples.of(reading.positives, vectors, session=options["session"])
    found = survey(examples, cohort=options["cohort"], seed=recipe.seed, progress=progress)
    provenance = {
        "encoder": encoder,
        "seed": recipe.seed,
        "data": {
            "name": recipe.path.resolve().name,
            "format": reading.format,
            "files": {name: digest(file) for name, file in sorted(reading.files.items())},
        },
        "skipped": counted(reading.skips),
    }
    notes = write_survey(found, out, provenance=provenance, overwrite=options["overwrite"])
    _say(found, notes, out)


def _recipe(dataset: Path, options: dict[str, Any]) -> Recipe:
    """What to read, by the recipe of a run, by a recipe, or by the options, which overrule it."""
    if dataset.is_dir() and (dataset / "manifest.json").is_file():
        if not (dataset / "recipe.toml").is_file():
            raise InputError(
                f"The run '{dataset}' has no recipe, so its data cannot be read again.", remedy="Name the data set."
            )
        dataset = dataset / "recipe.toml"
    base = Recipe.load(dataset) if dataset.suffix == ".toml" else Recipe(dataset)
    read: dict[str, Any] = {name: options[name] for name in _READ if options[name] is not None}
    if options["split"] is not None:
        read["mine_evaluation"] = True  # nothing is mined here, and a test split is the one to look at
    if options["columns"]:
        read["columns"] = dict(options["columns"])
    given = {"encoder": options["encoder"], "seed": options["seed"], "format": options["kind"]}
    made = {name: value for name, value in given.items() if value is not None}
    recipe = replace(base, read=replace(base.read, **read), **made)
    if options["encoder"] and recipe.read.item_vectors is not None:
        raise OptionError("The vectors come from files, so no encoder is needed. Leave --encoder out.")
    return recipe


def _vectors(
    recipe: Recipe, reading: Reading, options: dict[str, Any], progress: Progress
) -> tuple[str | None, Matrix]:
    """The encoder, None where the vectors came with the data, and the vectors of the items."""
    if reading.item_vectors is not None:
        return None, reading.item_vectors
    encoder = make_encoder(recipe.encoder or usual_encoder(reading.positives))
    cache = None if options["no_cache"] else EmbeddingCache((options["cache"] or default_cache_dir()) / "vectors")
    return str(encoder), encoded(encoder, reading.positives.items, "item", cache, progress)


def _say(found: Survey, notes: tuple[str, ...], out: Path) -> None:
    people, doubts = found.people, found.doubts
    items = plural(int((found.examples.codes >= 0).sum()), "item")
    console.print(f"\n{plural(len(people), 'identity', 'identities')}, {items}.", highlight=False)
    rows = [(_NAMES[name], *_figures(one)) for name, one in found.figures.items()]
    columns = ["trials", "targets", "impostors", "EER", *(f"TAR at FAR {far:g}" for far in FARS), "minDCF"]
    console.print(table("Error rates, with 95% intervals over identities", columns, rows))
    closest = found.look_alikes.closest(doubts.persons, 5)
    console.print(table("Most alike", ("identity", "other", "likeness", "item", "its item"), _named(found, closest)))
    if doubts.same is not None:
        pairs = [
            f"{_name(found, one)} and {_name(found, other)}" for one, other in zip(*doubts.same_names(), strict=True)
        ]
        _tell(f"{plural(len(pairs), 'pair')} of names may be one person", pairs)
    if doubts.mixed is not None:
        names = [_name(found, code) for code in doubts.mixed_names()]
        _tell(f"{plural(len(names), 'name')} may be two persons", names)
    for note in (*found.notes, *notes):
        console.print(f"Note: {note}", markup=False, highlight=False)
    files = ", ".join(sorted(one.name for one in out.iterdir()))
    console.print(f"\nWrote {out}: {files}", markup=False, highlight=False)


def _figures(one: Figures) -> tuple[str, ...]:
    shares = [_share(interval) for interval in (one.eer, *one.tar)]
    cost = f"{one.min_dcf.value:.3f} ({one.min_dcf.low:.3f}-{one.min_dcf.high:.3f})"
    return (f"{one.targets:,}", f"{one.impostors:,}", *shares, cost)


def _share(interval: Interval) -> str:
    if isnan(interval.value):
        return "too few impostors"
    return f"{interval.value:.1%} ({100 * interval.low:.1f}-{100 * interval.high:.1f})"


def _named(found: Survey, pairs: Pairs) -> list[tuple[str, ...]]:
    ids = found.examples.ids
    return [
        (_name(found, left), _name(found, right), f"{likeness:.3f}", str(ids[int(one)]), str(ids[int(other)]))
        for left, right, likeness, one, other in zip(
            pairs.left, pairs.right, pairs.likeness, pairs.left_rows, pairs.right_rows, strict=True
        )
    ]


def _name(found: Survey, code: int) -> str:
    return found.examples.names[int(code)]


def _tell(what: str, names: list[str]) -> None:
    """How many there are, and the first of them."""
    told = f": {', '.join(names[:5])}" if names else ""
    console.print(f"{what}{told}{' …' if len(names) > 5 else ''}", markup=False, highlight=False)
