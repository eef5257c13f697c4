"""From a run to its data: read again by the recipe, or what the run itself holds; vectors from the cache."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from hardneg.context import Vectors, encode_both, encoded
from hardneg.encode import EmbeddingCache, make_encoder
from hardneg.errors import HardnegError, InputError
from hardneg.impact.making import joined, stacked_vectors
from hardneg.io.readers._labelled_names import EVALUATION
from hardneg.io.reading import Reading
from hardneg.labels import classes_of, own_items
from hardneg.positives import Positives
from hardneg.progress import Progress
from hardneg.ragged import BoolArray
from hardneg.recipe import Recipe, given_vectors
from hardneg.run import Run
from hardneg.steps import usual_encoder

__all__ = ["Data", "data_of", "impact_file", "with_items_held_out"]


@dataclass(frozen=True, eq=False)
class Data:
    """The relations of everything, its vectors, and what the data hold out themselves (None for nothing)."""

    positives: Positives
    vectors: Vectors | None
    held_out: BoolArray | None


def data_of(run: Run, cache: EmbeddingCache | None, progress: Progress, split: str | None = None) -> Data:
    """Read a run's data again, with the split that is held out where there is one.

    Args:
        run: a finished run.
        cache: where the vectors of the mining are.
        progress: shows how the work goes.
        split: the held-out split; ``test``, or else another one for evaluation, if not given.

    Raises InputError where the data are gone, have no such split or no vectors can be had.
    """
    recipe = run.path / "recipe.toml"
    if not recipe.is_file():
        if split is not None:
            raise InputError(f"The run '{run.path}' has no recipe, so no other split can be read.")
        return _of_run(run, cache, progress)
    made = Recipe.load(recipe)
    progress.say(f"Reading {made.path} ...")
    reading = made.read_data()
    vectors = _vectors(made, reading, cache, progress)
    if reading.positives.classes is not None:
        return _labelled(reading.positives, vectors, split)
    return _judged(made, reading, vectors, split, cache, progress)


def _vectors(recipe: Recipe, reading: Reading, cache: EmbeddingCache | None, progress: Progress) -> Vectors:
    given = given_vectors(reading)
    if given is not None:
        return given
    encoder = make_encoder(recipe.encoder or usual_encoder(reading.positives))
    return encode_both(encoder, reading.positives, cache, progress)


def _of_run(run: Run, cache: EmbeddingCache | None, progress: Progress) -> Data:
    """What the run itself holds: its anchors and the items that it names."""
    positives = replace(run.positives, classes=classes_of(run), own=own_items(run))
    try:
        encoder = make_encoder(str(run.manifest["encoder"]))
    except HardnegError as error:
        raise InputError(
            f"The run '{run.path}' has no recipe and was mined with vectors that it does not hold.",
            remedy="In Python, give them: hn.measure_impact(run, positives=..., vectors=...).",
        ) from error
    return Data(positives, encode_both(encoder, positives, cache, progress), None)


def with_items_held_out(positives: Positives, names: tuple[str, ...]) -> BoolArray | None:
    """Which items are of the first of these splits that has labels; None where there is none."""
    table, classes = positives.items.table, positives.classes
    if classes is None or "split" not in table.column_names:
        return None
    column, labelled = table.column("split"), classes.labelled()
    for name in names:
        found = np.asarray(pc.fill_null(pc.equal(pc.utf8_lower(column), name), False).to_numpy(), bool)
        if (found & labelled & positives.barred).any():
            return found & labelled
    return None


def _labelled(positives: Positives, vectors: Vectors, split: str | None) -> Data:
    held_out = with_items_held_out(positives, EVALUATION if split is None else (split.lower(),))
    if split is not None and held_out is None:
        raise InputError(f"There is no other split '{split}' with labels.", remedy="Leave --held-out-split out.")
    return Data(positives, vectors, held_out)


def _judged(
    recipe: Recipe, reading: Reading, vectors: Vectors, split: str | None, cache: EmbeddingCache | None,
    progress: Progress,
) -> Data:  # fmt: skip
    """Queries with judgements; those of another split are read as well."""
    others = _splits(reading.format)
    if split is not None and split not in others:
        known = ", ".join(sorted(others)) or "none"
        raise InputError(f"There is no other split '{split}'. There are: {known}.", remedy="Leave it out, or name one.")
    wanted = split or next((one for one in EVALUATION if one in others), None)
    if wanted is None or recipe.read.anchor_vectors is not None:
        return Data(reading.positives, vectors, None)
    read = replace(recipe.read, split=wanted, exclude_split=())
    test = replace(recipe, read=read).read_data()
    positives, held_out, kept = joined(reading.positives, test.positives)
    encoder = make_encoder(recipe.encoder or usual_encoder(reading.positives))
    more = encoded(encoder, test.positives.anchors, "anchor", cache, progress)
    return Data(positives, stacked_vectors(vectors, more, kept), held_out)


def _splits(told: str) -> set[str]:
    """The other splits that a reading says there are, as in ``beir, split train of test, train``.

    >>> sorted(_splits("beir, split train of dev, test, train")), _splits("pairs")
    (['dev', 'test'], set())
    """
    found = re.search(r"split (.+?) of (.+)$", told)
    return set(found.group(2).split(", ")) - {found.group(1)} if found else set()


def impact_file(run: Run) -> Path:
    """Where a run keeps what its mining came to."""
    return run.path / "impact.json"
