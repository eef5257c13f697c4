"""Who is positive for whom, who is known not to be, and whom to leave alone."""

from __future__ import annotations

from collections.abc import Collection as Iterables
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection, as_ids
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import IntArray, Ragged

__all__ = ["Positives"]

Qrels = Mapping[Any, Mapping[Any, float]]  # keys are ids; a Mapping is not covariant in them


@dataclass(frozen=True, eq=False)
class Positives:
    """The relations between anchors and items, by row number.

    ``positive``, ``negative`` (known negatives: judged, not guessed) and ``ignored`` hold one row an anchor, of
    item rows; everything else is unknown. ``own`` is each anchor's own row among the items, -1 for none.
    ``barred`` marks items that may never be mined (a test split, a list of the user's).
    """

    anchors: Collection
    items: Collection
    positive: Ragged
    negative: Ragged
    ignored: Ragged
    own: IntArray
    barred: NDArray[np.bool_]

    @classmethod
    def from_pairs(
        cls,
        anchor_ids: object,
        item_ids: object,
        *,
        anchors: Collection | None = None,
        items: Collection | None = None,
        grades: NDArray[np.float64] | None = None,
        positive_from: float = 1,
        negative_to: float = 0,
        ignore: Iterables[float] = (),
    ) -> Positives:
        """Relations from judged pairs: ``anchor_ids[i]`` with ``item_ids[i]`` has grade ``grades[i]`` (1 if not given).

        A grade of at least ``positive_from`` is positive, one of at most ``negative_to`` is a known negative, and
        one between them or in ``ignore`` is ignored. A pair judged twice takes the better of its judgements.
        Without ``anchors`` or ``items`` these are the judged ones, in order of first appearance.

        Raises InputError for an id that the given ``anchors`` or ``items`` lack.

        >>> pairs = Positives.from_pairs(["q", "q", "r"], ["a", "b", "b"], grades=np.array([2.0, 0.0, 1.0]))
        >>> pairs.positive[0].tolist(), pairs.negative[0].tolist()
        ([0], [1])
        """
        require(negative_to < positive_from, "negative_to", f"under 'positive_from' ({positive_from})", negative_to)
        anchor_column, item_column = as_ids(anchor_ids, "anchor ids"), as_ids(item_ids, "item ids")
        if len(anchor_column) != len(item_column):
            raise InputError(f"There are {len(anchor_column)} anchor ids and {len(item_column)} item ids.")
        anchors = anchors if anchors is not None else Collection.of(anchor_column.unique())
        items = items if items is not None else Collection.of(item_column.unique())
        rows = _known(anchors, anchor_column, "anchor")
        columns = _known(items, item_column, "item")
        judged = np.ones(len(rows)) if grades is None else np.asarray(grades, np.float64)
        if judged.shape != rows.shape:
            raise InputError(f"There are {len(rows)} judged pairs and grades of shape {judged.shape}.")
        ignored = np.isin(judged, np.fromiter(ignore, np.float64)) | np.isnan(judged)
        positive = (judged >= positive_from) & ~ignored
        negative = (judged <= negative_to) & ~ignored

        def relation(mask: NDArray[np.bool_], *stronger: Ragged) -> Ragged:
            mask = mask.copy()
            for one in stronger:
                mask &= ~one.contains(rows, columns)
            return Ragged.from_pairs(rows[mask], columns[mask], len(anchors))

        is_positive = relation(positive)
        is_ignored = relation(~positive & ~negative, is_positive)
        is_negative = relation(negative, is_positive, is_ignored)
        own = np.full(len(anchors), -1, np.int64)
        return cls(anchors, items, is_positive, is_negative, is_ignored, own, np.zeros(len(items), bool))

    @classmethod
    def from_qrels(
        cls,
        qrels: Qrels,
        *,
        anchors: Collection | None = None,
        items: Collection | None = None,
        positive_from: float = 1,
        negative_to: float = 0,
        ignore: Iterables[float] = (),
    ) -> Positives:
        """Relations from judgements ``{anchor id: {item id: grade}}``; see :meth:`from_pairs`.

        >>> Positives.from_qrels({"q": {"a": 1, "b": 0}}).negative[0].tolist()
        [1]
        """
        pairs = [(anchor, item, grade) for anchor, row in qrels.items() for item, grade in row.items()]
        left, right, grades = zip(*pairs, strict=True) if pairs else ((), (), ())
        return cls.from_pairs(
            left, right, anchors=anchors, items=items, grades=np.array(grades, np.float64),
            positive_from=positive_from, negative_to=negative_to, ignore=ignore,
        )  # fmt: skip

    def lists(self) -> dict[str, Ragged]:
        """The relations by name: positive, negative, ignored."""
        return {"positive": self.positive, "negative": self.negative, "ignored": self.ignored}

    def barring(self, item_ids: object) -> Positives:
        """The same relations, with these items never to be mined. Unknown ids are passed over."""
        rows = self.items.positions(item_ids)
        barred = self.barred.copy()
        barred[rows[rows >= 0]] = True
        return replace(self, barred=barred)

    def with_own(self, own: IntArray) -> Positives:
        """The same relations, with each anchor's own row among the items (-1 for none)."""
        return replace(self, own=np.asarray(own, np.int64))

    def excluded(self, rows: IntArray) -> Ragged:
        """What may never be a negative of these anchors: itself, its positives and the ignored.

        Shape: one row for each of ``rows``. The barred items, the same for every anchor, are not repeated here.
        """
        own = self.own[rows]
        return (
            self.positive.take(rows)
            .merged(self.ignored.take(rows))
            .merged(Ragged.from_pairs(np.flatnonzero(own >= 0), own[own >= 0], len(rows)))
        )

    def shared(self, rows: IntArray) -> Ragged:
        """Positives of the anchors that share a positive with these anchors: likely positives nobody wrote down.

        >>> faq = Positives.from_qrels({"q": {"a": 1}, "r": {"a": 1, "b": 1}})
        >>> faq.items.ids.take(pa.array(faq.shared(np.array([0]))[0])).to_pylist()
        ['b']
        """
        mine = self.positive.take(rows)
        friends = self._by_item.take(mine.values)
        pairs = Ragged.from_pairs(np.repeat(mine.rows(), friends.lengths()), friends.values, len(rows))
        theirs = self.positive.take(pairs.values)
        at, values = np.repeat(pairs.rows(), theirs.lengths()), theirs.values
        fresh = ~mine.contains(at, values)
        return Ragged.from_pairs(at[fresh], values[fresh], len(rows))

    @cached_property
    def _by_item(self) -> Ragged:
        """The anchors that have each item as a positive."""
        return self.positive.inverted(len(self.items))


def _known(collection: Collection, ids: pa.Array, what: str) -> IntArray:
    rows = collection.positions(ids)
    if (rows < 0).any():
        unknown = ids.filter(pa.array(rows < 0)).unique()
        examples = ", ".join(repr(one) for one in unknown[:3].to_pylist())
        raise InputError(
            f"The judgements name {len(unknown)} unknown {what} ids ({examples}).",
            remedy=f"Add these {what}s, or leave their judgements out.",
        )
    return rows
