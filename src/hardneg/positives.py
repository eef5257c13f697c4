"""Who is positive for whom, who is known not to be, and whom to leave alone."""

from __future__ import annotations

from collections.abc import Collection as Iterables
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg import random
from hardneg.classes import Classes, Codes, coded, column_of, listed_members, together, values_of
from hardneg.clips import overlapping
from hardneg.collection import Collection, as_ids
from hardneg.detect import Detections, Mistakes, Truth, items_of
from hardneg.errors import InputError
from hardneg.notation import require
from hardneg.ragged import BoolArray, IntArray, Ragged

if TYPE_CHECKING:
    from hardneg.predict import Predictions

__all__ = ["POSITIVES", "Positives"]

POSITIVES = "positives"  # the column of anchors that are classes: how many positives each has

Qrels = Mapping[Any, Mapping[Any, float]]  # keys are ids; a Mapping is not covariant in them


@dataclass(frozen=True, eq=False)
class Positives:
    """The relations between anchors and items, by row number.

    ``positive``, ``negative`` (known negatives: judged, not guessed) and ``ignored`` hold one row an anchor, of
    item rows; everything else is unknown. ``own`` is each anchor's own row among the items, -1 for none.
    ``barred`` marks items that may never be mined (a test split, a list of the user's).

    Where things have ``classes``, all that share one are positives of one another; ``positive`` then lists some of
    them for each anchor, for margins to compare with and for exports to pair with. ``predictions`` are what a model of
    the user's said of each item and class.
    """

    anchors: Collection
    items: Collection
    positive: Ragged
    negative: Ragged
    ignored: Ragged
    own: IntArray
    barred: NDArray[np.bool_]
    classes: Classes | None = None
    predictions: Predictions | None = None

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

    @classmethod
    def from_labels(
        cls,
        items: Collection,
        *,
        label: str = "label",
        anchors: Literal["items", "classes"] = "items",
        minable: BoolArray | None = None,
        listed: int = 16,
        seed: int = 0,
    ) -> Positives:
        """Relations from a column of labels: the same label is positive, another one negative, none unknown.

        A label may be a list of labels; who shares one is positive. The anchors are the labelled items, or the
        classes themselves.

        Args:
            items: everything there is, the unlabelled too.
            label: the column with the labels; numbers are read as text.
            anchors: what negatives are sought for, ``items`` or ``classes``.
            minable: which rows may be mined and may be anchors or positives, shape ``(items,)``; the others, such as
                those of a test split, are barred. All if not given.
            listed: at most this many positives are listed for an item, of each of its labels. They are drawn by
                ``seed`` so that each member of a class is listed equally often.
            seed: draws the positives that are listed.

        Raises InputError without a label, or with one class and nothing else to mine from.

        >>> pets = Collection(pa.table({"id": ["a", "b", "c", "d"], "label": ["cat", "cat", "dog", None]}))
        >>> by_label = Positives.from_labels(pets)
        >>> by_label.anchors.ids.to_pylist(), by_label.positive[0].tolist(), by_label.classes.names
        (['a', 'b', 'c'], [1], ('cat', 'dog'))
        """
        return _from_column(items, label, anchors, minable, _Draw(listed, seed), closed=True)

    @classmethod
    def from_groups(
        cls,
        items: Collection,
        *,
        group: str = "group",
        minable: BoolArray | None = None,
        listed: int = 16,
        seed: int = 0,
    ) -> Positives:
        """Relations from a column of groups: items of one group are positives of one another, all else is unknown.

        As :meth:`from_labels`, but to be of another group says nothing: two products may be alike.
        """
        return _from_column(items, group, "items", minable, _Draw(listed, seed), closed=False)

    @classmethod
    def from_segments(
        cls,
        items: Collection,
        *,
        same: str = "label",
        anchors: Literal["items", "classes"] = "items",
        minable: BoolArray | None = None,
        listed: int = 16,
        seed: int = 0,
    ) -> Positives:
        """Relations of parts of recordings: what has the same value in the column ``same`` is positive, as by labels.

        So one and the same recordings serve several tasks. With ``same="label"`` (the word) a word by another speaker
        is a positive, as for keywords; with ``same="speaker"`` it is a hard negative, as for speakers. Parts of one
        file that overlap in time hold the same sound: where their values differ, they are ignored for one another.

        Args:
            items: with the file in the column ``audio`` and, in seconds, ``start`` and ``end``; see
                :class:`Collection`.
            same: the column whose values say what is the same: a label, a speaker, a session.
            anchors: as in :meth:`from_labels`, and so is what follows.
            minable: which rows may be mined and may be anchors or positives.
            listed: at most this many positives are listed for an item.
            seed: draws the positives that are listed.

        Raises InputError as :meth:`from_labels`, and for items that are no sounds.

        >>> words = pa.table({"id": ["a", "b", "c"], "audio": ["x.wav"] * 3, "start": [0.0, 0.5, 2.0],
        ...                   "end": [1.0, 1.5, 3.0], "label": ["yes", "no", "no"]})
        >>> Positives.from_segments(Collection(words)).ignored[0].tolist()
        [1]
        """
        if items.sounds is None:
            raise InputError("The items are no sounds.", remedy="Name their files in a column 'audio'.")
        made = _from_column(items, same, anchors, minable, _Draw(listed, seed), closed=True)
        if anchors == "classes":
            return made  # a class lies nowhere in time
        mine = overlapping(items, together(_codes_of(items, same)[1])).take(made.own)
        fresh = ~made.positive.contains(mine.rows(), mine.values)
        ignored = Ragged.from_pairs(mine.rows()[fresh], mine.values[fresh], len(made.anchors))
        return replace(made, ignored=ignored)

    @classmethod
    def from_boxes(  # noqa: PLR0913 - a detector, and perhaps another one
        cls,
        truth: Truth,
        found: Detections,
        judged: Mistakes,
        *,
        images: Collection,
        categories: Sequence[str],
        least_score: float = 0.0,
        second: Detections | None = None,
        listed: int = 16,
        seed: int = 0,
    ) -> Positives:
        """Relations of boxes: those of :meth:`from_box_items` for the items of :func:`hardneg.detect.items_of`.

        The arguments are theirs. Raises InputError where there is no box, or nothing but boxes of one category.
        """
        items = items_of(truth, found, judged, images, categories, least_score, second)
        return cls.from_box_items(items, listed=listed, seed=seed)

    @classmethod
    def from_box_items(cls, items: Collection, *, listed: int = 16, seed: int = 0) -> Positives:
        """Relations of boxes: the anchors are the categories, the items what is there and what a detector got wrong.

        What is there is of its category, and alone is listed as positive. A detection of a background is unknown: the
        label may be missing. One that lies on something of another category is of that, and so a negative of the
        category that it was taken for. No other mistake is an item: it shows a part of the thing itself.

        Args:
            items: with the columns of :func:`hardneg.detect.items_of`.
            listed: as in :meth:`from_labels`.
            seed: as in :meth:`from_labels`.
        """
        made = cls.from_labels(items, anchors="classes", listed=listed, seed=seed)
        there = items.table.column("predicted").is_null().to_numpy()[made.positive.values]
        rows, values = made.positive.rows()[there], made.positive.values[there]
        positive = Ragged.from_pairs(rows, values, len(made.anchors))
        return replace(made, positive=positive, anchors=made.anchors.having(POSITIVES, positive.lengths()))

    def lists(self) -> dict[str, Ragged]:
        """The relations by name: positive, negative, ignored."""
        return {"positive": self.positive, "negative": self.negative, "ignored": self.ignored}

    def barring(self, item_ids: object) -> Positives:
        """The same relations, with these items never to be mined. Unknown ids are passed over."""
        rows = self.items.positions(item_ids)
        barred = self.barred.copy()
        barred[rows[rows >= 0]] = True
        return replace(self, barred=barred)

    def with_predictions(self, predictions: Predictions) -> Positives:
        """The same relations, with what a model said of each item and each of the classes.

        Raises InputError where they do not fit the items and classes.
        """
        names = () if self.classes is None else self.classes.names
        if len(predictions) != len(self.items) or predictions.classes != names:
            raise InputError(
                f"The predictions are of {len(predictions)} items and {len(predictions.classes)} classes; there are "
                f"{len(self.items)} items and {len(names)} classes.",
                remedy="Give a row for each item and a column for each class, in their order.",
            )
        return replace(self, predictions=predictions)

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

    def forbids(self, anchors: IntArray, items: IntArray) -> BoolArray:
        """Whether each item may not be had by its anchor, for its class or because nobody may have it.

        What :meth:`excluded` lists is not looked at. Shape: ``(len(anchors),)``.
        """
        barred = self.barred[items]
        return barred if self.classes is None else barred | self.classes.share(anchors, items)

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


@dataclass(frozen=True)
class _Draw:
    """How many positives are listed for an item, and the seed that draws them."""

    listed: int
    seed: int


def _from_column(
    items: Collection, column: str, kind: Literal["items", "classes"], minable: BoolArray | None, draw: _Draw, *,
    closed: bool,
) -> Positives:  # fmt: skip
    require(kind in ("items", "classes"), "anchors", "items or classes", kind)
    require(draw.listed >= 1, "listed", "at least 1", draw.listed)
    names, codes = _codes_of(items, column)
    minable = np.ones(len(items), bool) if minable is None else np.asarray(minable, bool)
    require(minable.shape == (len(items),), "minable", f"of shape ({len(items)},)", f"shape {minable.shape}")
    members = Ragged.from_codes(codes)
    labelled = (members.lengths() > 0) & minable
    if not labelled.any():
        raise InputError(f"No item has a value in '{column}'.", remedy="Name the column that holds the labels.")
    if closed and len(names) == 1 and not (minable & ~labelled).any():
        raise InputError(
            f"All items have the label '{names[0]}', so none can be a negative.",
            remedy="Add items with other labels or without one, or name another column.",
        )
    barred = ~minable
    if kind == "classes":
        among = np.flatnonzero(labelled[members.rows()])
        positive = Ragged.from_pairs(members.values[among], members.rows()[among], len(names))
        classes = Classes(names, np.arange(len(names)), codes, "classes", closed, column)
        anchors = Collection(pa.table({"id": names, POSITIVES: positive.lengths(), column: names}))
        own = np.full(len(names), -1, np.int64)
    else:
        own = np.flatnonzero(labelled)
        positive = listed_members(members, labelled, random.uniform(draw.seed, items.keys), draw.listed).take(own)
        classes = Classes(names, codes, codes, "items", closed, column).take(own)
        anchors = items.take(own)
    none = Ragged.empty(len(anchors))
    return Positives(anchors, items, positive, none, none, own, barred, classes)


def _codes_of(items: Collection, column: str) -> tuple[tuple[str, ...], Codes]:
    """The different values of a column, sorted, and for each item the places of its own."""
    found = column_of(items, column, "items")
    values = values_of(found)
    values = values.take(pc.sort_indices(values))
    return tuple(values.to_pylist()), coded(found, values)


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
