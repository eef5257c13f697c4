"""What all sections are computed from: every candidate of a run as plain columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.classes import Classes, Codes
from hardneg.collection import Collection
from hardneg.labels import classes_of, names_at, own_items
from hardneg.ragged import IntArray, Ragged
from hardneg.report.pictures import Album
from hardneg.report.recordings import Recordings
from hardneg.run import Run
from hardneg.similarity import FloatArray
from hardneg.table import Array

if TYPE_CHECKING:
    from hardneg.report.boxes import BoxGallery
    from hardneg.report.detected import Behind

__all__ = ["Coded", "Facts", "State", "excerpt", "title_lengths"]

_LABEL = 80  # characters of a label that are shown
_NAMES = ("source", "reason", "grade")
_NUMBERS = ("score", "positive_score", "evidence", "rank")


class State(IntEnum):
    """What became of a candidate, in the order in which it is shown."""

    SAMPLED = 0
    SUSPECT = 1
    DROPPED = 2
    KEPT = 3


_OF_VERDICT = {"drop": State.DROPPED, "suspect": State.SUSPECT}


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of names as numbers into a list of them."""

    codes: Array
    names: list[str]


@dataclass(frozen=True, eq=False)
class Facts:
    """Every candidate by row number of its anchor and item, some 40 bytes each, and the run they are of."""

    run: Run
    anchor: IntArray
    item: IntArray
    score: FloatArray
    positive_score: FloatArray
    evidence: FloatArray
    rank: Array
    state: Array
    source: Coded
    reason: Coded
    grade: Coded

    @classmethod
    def gather(cls, run: Run) -> Facts:
        """Read a run part by part, keeping only the columns that the report needs."""
        wanted = ["anchor", "item", "verdict", *_NAMES, *_NUMBERS]
        table = pa.concat_tables([part.select(wanted) for part in run.parts()])
        anchor, item = _rows(table["anchor"], run.anchors), _rows(table["item"], run.items)
        verdict = _coded(table["verdict"])
        states = np.array([_OF_VERDICT.get(name, State.KEPT) for name in verdict.names], np.uint8)
        state = states[verdict.codes] if len(verdict.codes) else np.zeros(0, np.uint8)
        state[_sampled(run, anchor, item)] = State.SAMPLED
        score, positive_score, evidence, rank = (table[name].to_numpy() for name in _NUMBERS)
        source, reason, grade = (_coded(table[name]) for name in _NAMES)
        return cls(run, anchor, item, score, positive_score, evidence, rank, state, source, reason, grade)

    def __len__(self) -> int:
        return len(self.anchor)

    @property
    def wanted(self) -> IntArray:
        """How many negatives each anchor should have."""
        return self.run.wanted

    @cached_property
    def positive(self) -> Ragged:
        """The positives of each anchor."""
        return self.run.positives.positive

    @cached_property
    def minable(self) -> IntArray:
        """The anchors that have a positive."""
        return np.flatnonzero(self.positive.lengths())

    @cached_property
    def by_anchor(self) -> IntArray:
        """How many candidates of each state each anchor has, shape ``(anchors, 4)``."""
        codes = self.anchor * len(State) + self.state
        size = len(self.run.anchors) * len(State)
        return np.bincount(codes, minlength=size).reshape(-1, len(State)).astype(np.int64)

    @cached_property
    def classes(self) -> Classes | None:
        """The classes of anchors and items, None where the run has no labels."""
        return classes_of(self.run)

    @cached_property
    def album(self) -> Album:
        """The pictures of the items, or their sounds."""
        return Album(self.run.items) if self.sounds is None else self.sounds

    @cached_property
    def sounds(self) -> Recordings | None:
        """The sounds of the items; None where they are none."""
        return None if self.run.items.sounds is None else Recordings(self.run.items)

    @cached_property
    def behind(self) -> Behind | str | None:
        """The detector that a mining of boxes looked at; why not, where its data are not at hand; None for others."""
        from hardneg.report.detected import behind

        return behind(self)

    @cached_property
    def boxes(self) -> BoxGallery | None:
        """The boxes to look at; None where items are none."""
        from hardneg.report.detected import boxes_of_run

        return boxes_of_run(self, self.behind)

    @cached_property
    def own(self) -> IntArray:
        """The row of each anchor among the items, -1 for one that is none."""
        return own_items(self.run)

    def item_labels(self, rows: IntArray) -> list[str | None]:
        """The label of each item as it is shown, empty for none; None where there are no labels at all."""
        return [None] * len(rows) if self.classes is None else _shown(self.classes.items, self.classes.names, rows)

    def anchor_labels(self, rows: IntArray) -> list[str | None]:
        """The label of each anchor, likewise."""
        return [None] * len(rows) if self.classes is None else _shown(self.classes.anchors, self.classes.names, rows)

    def of(self, state: State) -> FloatArray:
        """The scores of the candidates of one state."""
        return np.asarray(self.score[self.state == state])

    def corpus_size(self) -> int:
        """How many items there were to mine from; those that are in use where the run does not say."""
        stated = self.run.manifest.get("inputs", {}).get("items", {}).get("count", 0)
        return max(int(stated), len(self.run.items))


def _shown(codes: Codes, names: tuple[str, ...], rows: IntArray) -> list[str | None]:
    return [", ".join(one)[:_LABEL] for one in names_at(codes, names, rows)]


def excerpt(things: Collection, rows: IntArray, length: int) -> list[tuple[str, str | None, int]]:
    """For each row its id, its text cut to ``length`` characters (None without one) and how many are cut off."""
    ids = [str(one)[:120] for one in things.ids.take(pa.array(rows)).to_pylist()]
    if things.texts is None:
        return [(one, None, 0) for one in ids]
    texts = things.texts.take(pa.array(rows))
    cut = pc.utf8_slice_codeunits(texts, 0, length).to_pylist()
    left = (pc.fill_null(pc.utf8_length(texts), 0).to_numpy() - length).clip(0)
    return [(one, text, int(over)) for one, text, over in zip(ids, cut, left, strict=True)]


def title_lengths(things: Collection, rows: IntArray) -> list[int]:
    """How many of a text's first characters are its title, as JavaScript counts them; 0 where it has none."""
    if things.texts is None or "title" not in things.table.column_names:
        return [0] * len(rows)
    both = things.table.select(["title", "text"]).take(pa.array(rows)).to_pydict()
    return [
        len(title.encode("utf-16-le")) // 2 if title and text and text.startswith(title) else 0
        for title, text in zip(both["title"], both["text"], strict=True)
    ]


def _coded(column: pa.ChunkedArray) -> Coded:
    one = _dictionary(column)
    return Coded(one.indices.to_numpy(), [str(name) for name in one.dictionary.to_pylist()])


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one dictionary array; Parquet gives the dictionaries of numbers back as plain numbers."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    one = column.unify_dictionaries().combine_chunks()
    return one.chunk(0) if isinstance(one, pa.ChunkedArray) else one


def _rows(column: pa.ChunkedArray, things: Collection) -> IntArray:
    one = _dictionary(column)
    where = things.positions(one.dictionary)
    codes = one.indices.to_numpy()
    return where[codes] if len(codes) else np.zeros(0, np.int64)


def _sampled(run: Run, anchor: IntArray, item: IntArray) -> Array:
    negatives = run.negatives.select(["anchor", "item"])
    width = max(1, len(run.items))
    chosen = _rows(negatives["anchor"], run.anchors) * width + _rows(negatives["item"], run.items)
    return np.isin(anchor * width + item, chosen)
