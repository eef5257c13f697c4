"""Candidates: rows while they are worked on, Arrow tables once they are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg import schema
from hardneg.collection import Collection, as_ids
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["Array", "Candidates", "Grade", "Relation", "Rows", "Verdict", "grades"]

Array = NDArray[Any]


class Verdict(IntEnum):
    """What a filter says of a candidate. Only the kept are ever trained on."""

    KEEP = 0
    DROP = 1
    SUSPECT = 2


class Grade(IntEnum):
    """How hard a negative is, from its score against its anchor's reference positive."""

    EASY = 0
    SEMI_HARD = 1
    HARD = 2


class Relation(IntEnum):
    """What is known of an anchor and an item before any filter."""

    UNKNOWN = 0
    NEGATIVE = 1
    POSITIVE = 2
    IGNORED = 3
    SELF = 4
    BARRED = 5
    SHARED = 6
    OTHERWISE = 7  # labelled otherwise: a negative as far as its label is right


# Semi-hard reaches this far below the positive, as a share of its score. FaceNet's margin of 0.2 on squared
# distances of unit vectors is 0.1 in cosine, which is 0.2 of a positive at 0.5.
SEMI_HARD = 0.2


def grades(score: FloatArray, positive_score: FloatArray) -> NDArray[np.uint8]:
    """Grade each negative: hard (at or above the positive), semi-hard (just below it), easy (Schroff 2015).

    >>> grades(np.array([0.6, 0.45, 0.1], np.float32), np.full(3, 0.5, np.float32)).tolist()
    [2, 1, 0]
    """
    floor = positive_score - SEMI_HARD * np.abs(positive_score)
    return np.asarray((score >= positive_score).astype(np.uint8) + (score >= floor))


@dataclass(frozen=True, eq=False)
class Rows:
    """Candidates by row number of their anchor and item, with any columns, all of one length."""

    anchor: IntArray
    item: IntArray
    columns: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.anchor)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def take(self, which: NDArray[np.bool_] | IntArray) -> Rows:
        """The chosen rows, by mask or by index."""
        return Rows(self.anchor[which], self.item[which], {k: v[which] for k, v in self.columns.items()})

    def having(self, **columns: Array) -> Rows:
        """The same rows with these columns added or replaced."""
        return Rows(self.anchor, self.item, {**self.columns, **columns})

    @classmethod
    def concatenated(cls, parts: Sequence[Rows]) -> Rows:
        """All parts below one another; they must have the same columns."""
        return cls(
            np.concatenate([part.anchor for part in parts]),
            np.concatenate([part.item for part in parts]),
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns},
        )


def names_of(enum: type[IntEnum]) -> list[str]:
    """The members' names as they stand in tables."""
    return [member.name.lower() for member in enum]


def dictionary(codes: Array, names: Sequence[str]) -> pa.DictionaryArray:
    """Codes and their names as an Arrow dictionary column, holding only the names in use."""
    used, compact = distinct(codes)
    values = pa.array([names[int(code)] for code in used], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(compact.astype(np.int16)), values)


def distinct(codes: Array) -> tuple[Array, IntArray]:
    """``np.unique`` with the place of each code among those in use; small codes need no sorting.

    >>> distinct(np.array([2, 0, 2]))
    (array([0, 2]), array([1, 0, 1]))
    """
    if len(codes) and (codes.min() < 0 or codes.max() > max(len(codes), 64)):
        used, compact = np.unique(codes, return_inverse=True)
        return used, compact.astype(np.int64)
    present = np.bincount(codes) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[codes]


def id_column(rows: IntArray, collection: Collection) -> pa.DictionaryArray:
    """Row numbers as a dictionary column of their ids, holding only the ids in use."""
    used, codes = distinct(rows)
    ids = collection.ids.take(pa.array(used))
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), ids)


class Candidates:
    """Every candidate with its verdict, as a table of :func:`hardneg.schema.candidate_schema`."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def of(self, anchor: object) -> pa.Table:
        """The rows of one anchor id, in order. Text ``"7"`` finds the number 7 and the other way round."""
        return self.table.filter(pc.equal(as_ids(self.table.column("anchor")).cast(pa.string()), str(anchor)))

    def kept(self) -> pa.Table:
        """What no filter spoke against."""
        return self._with("keep")

    def dropped(self) -> pa.Table:
        """What a filter ruled out, with the reason."""
        return self._with("drop")

    def suspects(self) -> pa.Table:
        """Likely false negatives, for review."""
        return self._with("suspect")

    def _with(self, verdict: str) -> pa.Table:
        return self.table.filter(pc.equal(self.table.column("verdict").cast(pa.string()), verdict))


def negatives_table(rows: Rows, anchors: Collection, items: Collection, source_names: Sequence[str]) -> pa.Table:
    """The sampled rows as a table of :func:`hardneg.schema.negative_schema`."""
    kind = schema.negative_schema(anchors.ids.type, items.ids.type)
    columns = _common(rows, anchors, items, source_names)
    return pa.table([columns[name].cast(kind.field(name).type) for name in kind.names], schema=kind)


def candidates_table(
    rows: Rows, anchors: Collection, items: Collection, source_names: Sequence[str], reasons: Sequence[str]
) -> pa.Table:
    """Judged rows as a table of :func:`hardneg.schema.candidate_schema`; other columns become evidence."""
    columns = _common(rows, anchors, items, source_names)
    columns["verdict"] = dictionary(rows["verdict"], names_of(Verdict))
    columns["reason"] = dictionary(rows["reason"], reasons)
    columns["evidence"] = pa.array(rows["evidence"], pa.float32())
    extra = {k: pa.array(v) for k, v in sorted(rows.columns.items()) if k not in columns}
    kind = schema.candidate_schema(anchors.ids.type, items.ids.type, {k: v.type for k, v in extra.items()})
    columns |= extra
    return pa.table([columns[name].cast(kind.field(name).type) for name in kind.names], schema=kind)


def _common(rows: Rows, anchors: Collection, items: Collection, source_names: Sequence[str]) -> dict[str, pa.Array]:
    plain = {name: pa.array(rows[name]) for name in ("score", "rank", "source_score", "positive_score")}
    return {
        "anchor": id_column(rows.anchor, anchors),
        "item": id_column(rows.item, items),
        "source": dictionary(*provenance(rows["source"], source_names)),
        "grade": dictionary(rows["grade"], names_of(Grade)),
        **plain,
    }


def provenance(bits: Array, source_names: Sequence[str]) -> tuple[Array, list[str]]:
    """Bit ``i`` set means that source ``i`` proposed the row; gives codes and names such as ``neighbors+lexical``.

    >>> codes, names = provenance(np.array([1, 3]), ["neighbors", "lexical"])
    >>> [names[code] for code in codes]
    ['neighbors', 'neighbors+lexical']
    """
    used, codes = distinct(bits)
    names = ["+".join(n for i, n in enumerate(source_names) if int(mask) >> i & 1) for mask in used]
    return codes, names


def source_bits(column: Sequence[str], source_names: Sequence[str]) -> NDArray[np.uint32]:
    """The other way round: names such as ``neighbors+lexical`` to bits."""
    bit = {name: 1 << i for i, name in enumerate(source_names)}
    return np.array([sum(bit[part] for part in text.split("+")) for text in column], np.uint32)
