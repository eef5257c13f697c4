"""What a source must do."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace
from typing import Any

import numpy as np

from hardneg.context import Context
from hardneg.ragged import IntArray
from hardneg.sources import SOURCES, Source
from hardneg.table import Rows
from hardneg.testing._expect import expect, expect_round_trip, expect_same
from hardneg.testing._world import labelled_world, world

__all__ = ["check_source"]


def check_source(source: Source, context: Context | None = None) -> None:
    """Raise AssertionError unless a source keeps its promises.

    It gives ``k`` admissible candidates (if it has an option of that name) whenever ``k`` exist, at most ``k`` where
    it promises no more (``promises_k``), never an excluded or barred one, none twice, sorted by anchor, hardest first;
    the answer for an anchor is the same in any block and each time; and its text makes it again.

    Args:
        source: the source to check.
        context: where to try it; if not given, a small world with texts, vectors and every relation, and one with
            labels.
    """
    expect_round_trip(SOURCES, source)
    for surroundings in [context] if context else _worlds(source):
        _check_in(source, surroundings)


def _worlds(source: Source) -> list[Context]:
    return [labelled_world()] if source.needs_labels else [world(), labelled_world()]


def _check_in(source: Source, context: Context) -> None:
    for one in _variants(source):
        everyone = np.arange(len(context.positives.anchors))
        propose = one.prepare(context)
        rows = propose(everyone)
        _check_form(one, rows, everyone)
        _check_admissible(one, rows, context)
        _check_complete(one, rows, context)
        for size in (1, 5):
            blocks = [propose(everyone[start : start + size]) for start in range(0, len(everyone), size)]
            expect_same(Rows.concatenated(blocks), rows, one, f"propose the same when asked {size} anchors at a time")
        some = everyone[1::3]
        expect_same(propose(some), rows.take(np.isin(rows.anchor, some)), one, "propose the same for any anchors")
        expect_same(one.prepare(context)(everyone), rows, one, "propose the same when prepared again")
        _check_form(one, propose(everyone[:0]), everyone[:0])


def _variants(source: Source) -> list[Source]:
    """The source as it is and, where it has an option ``k``, with very few and very many."""
    changeable: Any = source
    if "k" not in {field.name for field in fields(changeable)}:
        return [source]
    return [source, replace(changeable, k=1), replace(changeable, k=10_000)]


def _check_form(source: Source, rows: Rows, asked: IntArray) -> None:
    n = len(rows)
    for name in ("source_score", "rank"):
        expect(name in rows.columns, source, f"give the column '{name}'", sorted(rows.columns))
    for name, column in rows.columns.items():
        expect(np.shape(column) == (n,), source, f"give one '{name}' for each row", np.shape(column))
    for name, kind, column in (
        ("anchor", np.int64, rows.anchor),
        ("item", np.int64, rows.item),
        ("source_score", np.float32, rows["source_score"]),
        ("rank", np.int32, rows["rank"]),
    ):
        expect(column.dtype == kind, source, f"give '{name}' as {kind.__name__}", column.dtype)
    expect(np.isin(rows.anchor, asked).all(), source, "propose for no anchor it was not asked about")
    expect(np.isfinite(rows["source_score"]).all(), source, "give finite scores")
    expect((rows["rank"] >= -1).all(), source, "count ranks from 0, -1 for none", rows["rank"].min(initial=0))
    same = rows.anchor[1:] == rows.anchor[:-1]
    expect((np.diff(rows.anchor) >= 0).all(), source, "sort its rows by anchor")
    expect((np.diff(rows["source_score"])[same] <= 0).all(), source, "sort an anchor's rows, hardest first")
    if len(source.names) == 1:  # of several sources, two may give one rank
        ranked = same & (rows["rank"][1:] >= 0)
        expect((np.diff(rows["rank"])[ranked] > 0).all(), source, "give the better rank to the harder, each rank once")
    pairs = np.unique(np.stack([rows.anchor, rows.item]), axis=1).shape[1]
    expect(pairs == n, source, "propose no item twice to one anchor", f"{n - pairs} repeats")


def _check_admissible(source: Source, rows: Rows, context: Context) -> None:
    positives = context.positives
    fits = (rows.item >= 0) & (rows.item < len(positives.items))
    expect(fits.all(), source, "propose only rows of the items", rows.item[~fits][:3])
    excluded = positives.excluded(np.arange(len(positives.anchors))).contains(rows.anchor, rows.item)
    expect(not excluded.any(), source, "never propose a positive, an ignored item or the anchor itself", excluded.sum())
    barred = positives.forbids(rows.anchor, rows.item)
    expect(not barred.any(), source, "never propose a barred item or one of the anchor's class", int(barred.sum()))


def _check_complete(source: Source, rows: Rows, context: Context) -> None:
    k = inspect.getattr_static(source, "k", None)
    if not isinstance(k, int):
        return
    positives = context.positives
    n, m = len(positives.anchors), len(positives.items)
    anchor, item = np.divmod(np.arange(n * m), m)
    ruled_out = positives.forbids(anchor, item) | positives.excluded(np.arange(n)).contains(anchor, item)
    wanted = np.minimum(k, np.bincount(anchor[~ruled_out], minlength=n))
    found = np.bincount(rows.anchor, minlength=n)
    wrong, many = (found != wanted, "") if source.promises_k else (found > wanted, "at most ")
    for anchor in np.flatnonzero(wrong)[:1]:
        expect(False, source, f"propose {many}{wanted[anchor]} items for anchor row {anchor}", int(found[anchor]))
