"""Pairs: an anchor and its positives, perhaps known negatives or a grade, perhaps ids, on any carrier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hardneg.errors import InputError
from hardneg.io.readers._assemble import Parts, assemble, positive_items
from hardneg.io.readers._base import Format, ReadOptions, refuse_labelled_options
from hardneg.io.readers._columns import Columns, check_chosen
from hardneg.io.readers._corpus import Items, OwnItems, SeparateCorpus
from hardneg.io.readers._gather import Gathered, Gatherer
from hardneg.io.readers._judgements import GradeReader, Judgements
from hardneg.io.readers._names import PAIR_ROLES
from hardneg.io.readers._records import read_items
from hardneg.io.readers._rows import CARRIERS, Record, Rows, carrier_of, open_rows
from hardneg.io.readers._tables import dataset_files, dataset_splits
from hardneg.io.readers._things import Thing, things
from hardneg.io.reading import Reading, Skips

__all__ = ["CARRIED_PAIRS", "PAIRS"]

_ITEM_ROLES = ("positive", "positive_id", "item", "item_id")
_POSITIVE, _NEGATIVE = float("inf"), float("-inf")  # beyond any threshold, and never among the ignored


def _read(path: Path, options: ReadOptions, skips: Skips, carrier: str | None = None) -> Reading:
    refuse_labelled_options(options)
    carrier = carrier or carrier_of(path)
    split, splits = dataset_splits(path, options) if carrier == "datasets" else ("", [])
    if carrier != "datasets" and (options.split or options.exclude_split):
        raise InputError("A pairs file has no splits.", path=path, remedy="Leave --split and --exclude-split out.")
    seen: set[str] = set()
    corpus = None
    if options.corpus is not None:
        corpus, _ = read_items(Path(options.corpus), options, skips, seen, ids_needed=False)
    rows = open_rows(path, carrier=carrier, options=options)
    pairs = _collect(rows, corpus, options, skips, seen)
    used_splits = [split, *options.exclude_split]
    files = [one for name in used_splits for one in dataset_files(path, name)] if carrier == "datasets" else [path]
    check_chosen(options, seen)
    counts = {"rows": pairs.count, "judgement_rows": pairs.judged.num_rows}
    if corpus is not None:
        counts["items_added"] = len(pairs.items.collection) - len(corpus.collection)
    parts = Parts(
        f"pairs, {carrier}" + (f", split {split} of {', '.join(splits)}" if splits else ""),
        pairs.anchors, pairs.items, rows, pairs.judged,
        [*files, *([Path(options.corpus)] if options.corpus is not None else [])], counts,
        [_positives_of(path, name, corpus, options) for name in options.exclude_split],
    )  # fmt: skip
    return assemble(parts, options, skips)


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return carrier_of(path) is not None


PAIRS = Format(
    "pairs", "anchors with positives, in JSON lines, CSV, TSV, Parquet or a saved datasets folder", _sniff, _read
)
CARRIED_PAIRS = [
    Format(carrier, f"pairs, read as {carrier}", lambda *_: False, partial(_read, carrier=carrier))
    for carrier in CARRIERS
]


@dataclass(frozen=True, eq=False)
class _Pairs:
    anchors: Gathered
    items: Gathered
    judged: Any
    count: int


def _collect(rows: Rows, corpus: Gathered | None, options: ReadOptions, skips: Skips, seen: set[str]) -> _Pairs:
    """Go through the rows once; rows with one text or id become one anchor or item."""
    columns = Columns(PAIR_ROLES, rows, options, seen)
    anchors = Gatherer(rows, "anchor", skips, merge=True)
    items: Items = OwnItems(rows, skips) if corpus is None else SeparateCorpus(corpus, rows, skips)
    judgements, grades = Judgements(rows), GradeReader(options.grades)
    count, bare, paired = 0, None, False
    for number, record in rows:
        count += 1
        columns.need(number, record, "anchor")
        found = columns(record)
        if any(role in found for role in _ITEM_ROLES):
            paired = True
        elif bare is None:
            bare = number, record
        given = record[found["anchor_id"][0]] if "anchor_id" in found else None
        anchor = anchors.add(number, given, record[found["anchor"][0]])
        for thing, grade in _mentions(rows, number, record, found, options):
            key = items.add(number, thing)
            if anchor is not None and key is not None:
                judgements.add(number, anchor, key, grades(grade))
    if bare is not None and not paired:
        columns.need(*bare, "positive")
    grades.check(rows)
    found_anchors = anchors.finish()
    found_items, judged = items.finish(judgements.finish())
    return _Pairs(found_anchors, found_items, judged, count)


def _mentions(
    rows: Rows, number: int, record: Record, found: Mapping[str, tuple[str, ...]], options: ReadOptions
) -> Iterator[tuple[Thing, object]]:
    """The items of one row with their grades.

    A column whose name says positive is positive; a neutral one (item, document, ...) has the grade beside it.
    """

    def of(texts: str, ids: str) -> list[Thing]:
        return list(things(rows, number, record, found.get(texts, ()), found.get(ids, ())))

    negatives = of("negative", "negative_id")
    yield from ((one, _NEGATIVE) for one in negatives)
    named = "positive" in found or "positive_id" in found
    if not named:
        positives = of("item", "item_id")
    else:
        positives = of("positive", "positive_id" if "positive_id" in found else "item_id")
    graded = "grade" in options.columns or not (named or "negative" in found or "negative_id" in found)
    if "grade" not in found or not graded:
        yield from ((one, _POSITIVE) for one in positives)
        return
    value = record[found["grade"][0]]
    grades = value if isinstance(value, list) else [value] * len(positives)
    if len(grades) != len(positives):
        raise rows.error(number, f"There are {len(positives)} items and {len(grades)} grades.", "Give one for each.")
    yield from zip(positives, grades, strict=True)


def _positives_of(path: Path, split: str, corpus: Gathered | None, options: ReadOptions) -> Any:
    """The ids of the items that are positive in another split; what is skipped there is not counted."""
    options = replace(options, split=split, exclude_split=())
    pairs = _collect(open_rows(path, carrier="datasets", options=options), corpus, options, Skips(), set())
    return positive_items(pairs.judged, options)
