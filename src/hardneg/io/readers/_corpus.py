"""Where the items of a pairs file come from: the pairs themselves, or a corpus of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._gather import Gathered, Gatherer
from hardneg.io.readers._ids import IdCheck, text_id
from hardneg.io.readers._rows import Rows
from hardneg.io.readers._things import Thing
from hardneg.io.reading import Skips
from hardneg.ragged import IntArray

__all__ = ["Items", "OwnItems", "SeparateCorpus"]


class Items(Protocol):
    """Takes the items that pairs mention, and gives the collection that they are in."""

    def add(self, number: int, thing: Thing) -> object:
        """Return the id by which to judge the thing; None where it has neither id nor text (a counted skip)."""

    def finish(self, judged: Any) -> tuple[Gathered, Any]:
        """Return the items, and the judgements by their ids."""


class OwnItems:
    """The items are the texts that the pairs hold."""

    def __init__(self, rows: Rows, skips: Skips) -> None:
        self._rows = rows
        self._texts = Gatherer(rows, "item", skips, merge=True)
        self._named = 0

    def add(self, number: int, thing: Thing) -> object:
        """See :class:`Items`. A thing without a text may have it in another row, under the same id."""
        if thing.id is not None and thing.text is None and thing.title is None:
            self._named += 1
            return thing.id
        return self._texts.add(number, thing.id, thing.text, thing.title)

    def finish(self, judged: Any) -> tuple[Gathered, Any]:
        """See :class:`Items`. Raises InputError where there is no text."""
        if self._named and not self._texts.total:
            raise InputError(
                "The pairs name their items by id only.",
                path=self._rows.path,
                remedy="Give the texts of the items with --corpus FILE.",
            )
        return self._texts.finish(), judged


class SeparateCorpus:
    """The items are in a file of their own; pairs name them by id or by their text.

    A text that the corpus lacks joins the items: a positive must be one. An id that it lacks is a counted skip.
    """

    def __init__(self, corpus: Gathered, rows: Rows, skips: Skips) -> None:
        self._corpus = corpus
        self._ids = IdCheck("item", rows)
        self._texts = Gatherer(rows, "item", skips, merge=True)

    def add(self, number: int, thing: Thing) -> object:
        """See :class:`Items`. All things come with an id, or all without."""
        if thing.id is not None:
            return self._ids.or_made(number, thing.id, "")
        key = self._texts.add(number, None, thing.text, thing.title)
        if key is not None:
            self._ids.or_made(number, None, "")
        return key

    def finish(self, judged: Any) -> tuple[Gathered, Any]:
        """See :class:`Items`."""
        if not self._texts.total:
            return self._corpus, judged
        mentioned = self._texts.finish().collection
        rows = _by_text(self._corpus.collection, mentioned)
        corpus, new = self._corpus.collection, np.flatnonzero(rows < 0)
        if len(new):
            corpus = _joined(corpus, mentioned.take(new))
        ids = corpus.ids.take(pa.array(np.maximum(rows, 0)))
        if len(new):
            ids = pc.if_else(pa.array(rows >= 0), ids, mentioned.ids)
        judged_ids = ids.take(pa.array(mentioned.positions(judged["item"])))
        judged = judged.set_column(judged.schema.get_field_index("item"), "item", judged_ids)
        # With texts added there is no file whose order vectors could follow.
        total = self._corpus.total if not len(new) else -1
        return replace(self._corpus, collection=corpus, total=total), judged


def _by_text(corpus: Collection, mentioned: Collection) -> IntArray:
    """The first row of the corpus with the text of each thing mentioned, with its title or without; -1 for none."""
    rows = np.full(len(mentioned), -1, np.int64)
    for name in ("text", "body"):
        if name in corpus.table.column_names:
            made = pa.array([text_id(one.as_py()) for one in corpus.table[name]], pa.string())
            found = pc.fill_null(pc.index_in(mentioned.ids, value_set=made), -1).to_numpy()
            rows = np.where(rows < 0, found, rows).astype(np.int64)
    return rows


def _joined(corpus: Collection, new: Collection) -> Collection:
    table = corpus.table
    if not pa.types.is_string(corpus.ids.type):  # ids made from texts are text, and ids are of one type
        table = table.set_column(table.schema.get_field_index("id"), "id", corpus.ids.cast(pa.string()))
    return Collection(pa.concat_tables([table, new.table], promote_options="default"))
