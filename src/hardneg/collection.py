"""Things with ids: the anchors of a mining or its items, with their texts and any other columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.errors import InputError
from hardneg.images import Crop
from hardneg.lookup import Lookup
from hardneg.ragged import IntArray
from hardneg.sounds import Clip

__all__ = ["Collection", "Id", "as_ids", "one_dictionary"]

Id = str | int

_CHUNK = 65_536  # ids turned into Python objects at a time


def as_ids(ids: object, what: str = "ids") -> pa.Array:
    """Return ids as one Arrow array of type string or int64, as the user gave them.

    Raises InputError for a missing id, or for numbers mixed with text.

    >>> as_ids(["q1", "q2"]).type, as_ids([7, 8]).type
    (DataType(string), DataType(int64))
    """
    if isinstance(ids, (pa.ChunkedArray, pa.Array)):
        array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    else:
        array = _from_python(list(ids) if isinstance(ids, Iterable) else [], what)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type.value_type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_integer(array.type):
        array = array.cast(pa.int64())
    elif pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type) or len(array) == 0:
        array = array.cast(pa.string())
    if not (pa.types.is_string(array.type) or pa.types.is_int64(array.type)):
        raise InputError(f"The {what} must be text or whole numbers. Got {array.type}.")
    if array.null_count:
        first = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        raise InputError(f"{array.null_count} of the {what} are missing (first: row {first}).")
    return array


def one_dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A dictionary column in one piece; the pieces of one file mostly have the same dictionary."""
    known = column.chunk(0).dictionary if column.num_chunks else None
    if all(one.dictionary.equals(known) for one in column.chunks[1:]) and known is not None:
        indices = pa.concat_arrays([one.indices for one in column.chunks])
        return pa.DictionaryArray.from_arrays(indices, known)
    return column.unify_dictionaries().combine_chunks()


def _from_python(values: list[object], what: str) -> pa.Array:
    values = [one.item() if isinstance(one, np.generic) else one for one in values]
    kinds = {type(one) for one in values if one is not None}
    if kinds <= {str} or kinds <= {int}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.string())
        except OverflowError:
            raise InputError(f"The {what} do not fit into 64 bits.", remedy="Write them as text.") from None
    if kinds <= {str, int}:
        first = type(values[0])
        row = next(i for i, one in enumerate(values) if type(one) is not first)
        raise InputError(
            f"The {what} mix numbers and text: row 0 is {values[0]!r}, row {row} is {values[row]!r}.",
            remedy="Write all of them as text, or all as whole numbers.",
        )
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InputError(f"The {what} must be text or whole numbers. Got {names}.")


@dataclass(frozen=True, eq=False)
class Collection:
    """An Arrow table with a column ``id`` (unique) and, where there is one, ``text``.

    Other columns (a title, a label, a group) travel along under their own names. A picture is a file, named in the
    column ``path`` relative to ``root``, or its bytes in the column ``image``; the column ``box`` (left, top, width and
    height in pixels) makes it a part of that picture, and ``found_box`` is the part that encoders look at instead. A
    sound is such a file, or its bytes, in the column ``audio``; the columns ``start`` and ``end``, in seconds, make it
    a part of that file.

    >>> docs = Collection.of(["a", "b"], texts=["first", "second"])
    >>> docs.positions(["b", "x"]).tolist()
    [1, -1]
    """

    table: pa.Table
    root: Path | None = None

    def __post_init__(self) -> None:
        ids = as_ids(self.table.column("id"))
        index = self.table.schema.get_field_index("id")
        object.__setattr__(self, "table", self.table.set_column(index, "id", ids))
        if len(ids) != (unique := pc.count_distinct(ids).as_py()):
            counts = pc.value_counts(ids)
            twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0].as_py()
            raise InputError(
                f"{len(ids) - unique} ids occur more than once (first: {twice!r}).",
                remedy="Ids must be unique; remove the repeated rows or number them.",
            )

    @classmethod
    def of(cls, ids: object, *, texts: Sequence[str] | pa.Array | pa.ChunkedArray | None = None) -> Collection:
        """Make a collection from ids and, if wanted, texts in the same order."""
        columns: dict[str, object] = {"id": as_ids(ids)}
        if texts is not None:
            column = texts if isinstance(texts, (pa.Array, pa.ChunkedArray)) else pa.array(texts, pa.large_string())
            columns["text"] = column.cast(pa.large_string())
            if len(column) != len(columns["id"]):  # type: ignore[arg-type]
                raise InputError(f"There are {len(columns['id'])} ids and {len(column)} texts.")  # type: ignore[arg-type]
        return cls(pa.table(columns))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> pa.Array:
        """The ids, type string or int64."""
        return self.table.column("id").combine_chunks()

    @cached_property
    def keys(self) -> IntArray:
        """A 64-bit hash of each id: what random numbers are drawn by, so that they do not depend on row numbers."""
        out = np.empty(len(self), np.int64)
        for start in range(0, len(out), _CHUNK):  # a Python object for every id at once would be ten times the ids
            digests = [_digest(one) for one in self.ids.slice(start, _CHUNK).to_pylist()]
            out[start : start + _CHUNK] = np.frombuffer(b"".join(digests), np.int64)
        return out

    def codes(self, column: str) -> IntArray:
        """A number for each value of a column, -1 for none, shape ``(len(self),)``; what is the same has the same.

        Raises InputError for a column that is not there, or that holds lists.

        >>> Collection(pa.table({"id": ["a", "b", "c"], "day": [3, None, 3]})).codes("day").tolist()
        [0, -1, 0]
        """
        if column not in self._codes:
            self._codes[column] = _coded(self.table, column)
        return self._codes[column]

    @cached_property
    def _codes(self) -> dict[str, IntArray]:
        return {}

    @property
    def texts(self) -> pa.ChunkedArray | None:
        """The texts, or None where these things have none."""
        return self.table.column("text") if "text" in self.table.column_names else None

    @property
    def pictures(self) -> Sequence[str | bytes | Crop] | None:
        """The pictures, as the paths of files, as bytes or as crops of either; None where these things have none."""
        return self._cut("box")

    @property
    def looked_at(self) -> Sequence[str | bytes | Crop] | None:
        """The pictures as encoders see them: cut by the column ``found_box`` where there is one, else by ``box``.

        What a detector found is compared with what is labelled, so both must be framed as the detector does it.
        """
        return self._cut("found_box" if "found_box" in self.table.column_names else "box")

    def _cut(self, box: str) -> Sequence[str | bytes | Crop] | None:
        names = self.table.column_names
        name = next((one for one in ("image", "path") if one in names), None)
        if name is None:
            return None
        files = _Files(self.table.column(name), self.root if name == "path" else None)
        return _Parts(_crop, files, self.table.column(box)) if box in names else files

    @property
    def sounds(self) -> Sequence[str | bytes | Clip] | None:
        """The sounds, as the paths of files, as bytes or as clips of either; None where these things have none."""
        if "audio" not in self.table.column_names:
            return None
        files = self.table.column("audio")
        named = pa.types.is_string(files.type) or pa.types.is_large_string(files.type)
        times = [self.table.column(one) if one in self.table.column_names else None for one in ("start", "end")]
        return _Parts(Clip, _Files(files, self.root if named else None), *times)

    def positions(self, ids: object) -> IntArray:
        """The row of each id, -1 for an unknown one. Text ``"7"`` finds the number 7 and the other way round.

        A list may hold both, as a file that was written for several runs does.

        >>> Collection.of(["7", "a"]).positions([7, "a", "b"]).tolist()
        [0, 1, -1]
        """
        if isinstance(ids, pa.ChunkedArray) and pa.types.is_dictionary(ids.type):
            ids = one_dictionary(ids)
        if isinstance(ids, pa.DictionaryArray) and not ids.null_count and not ids.dictionary.null_count:
            return np.asarray(self.positions(ids.dictionary)[ids.indices.to_numpy()])
        if isinstance(ids, list) and {type(one) for one in ids} == {int, str}:
            ids = [str(one) for one in ids]
        wanted = as_ids(ids)
        if wanted.type == self.ids.type:
            return self._lookup.find(wanted)
        found = pc.index_in(wanted.cast(pa.string()), value_set=self.ids.cast(pa.string()))
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self.ids)

    def having(self, name: str, values: object) -> Collection:
        """The same things with a column of this name, in the place of one that was there."""
        left = self.table.drop_columns(name) if name in self.table.column_names else self.table
        return Collection(left.append_column(name, pa.array(values)), self.root)

    def take(self, rows: IntArray) -> Collection:
        """The given rows, in the given order."""
        return Collection(self.table.take(pa.array(rows)), self.root)


def _coded(table: pa.Table, column: str) -> IntArray:
    if column not in table.column_names:
        raise InputError(f"There is no column '{column}'.", remedy=f"Name one of: {', '.join(table.column_names)}.")
    try:
        values = table.column(column).cast(pa.string()).combine_chunks().dictionary_encode()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise InputError(f"The column '{column}' has no single value for each row.") from None
    return np.asarray(values.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


class _Files(Sequence[str | bytes]):
    """A column of paths or bytes as Python objects, one at a time."""

    def __init__(self, column: pa.ChunkedArray, root: Path | None) -> None:
        self._column, self._root = column, root
        self.null_count: int = column.null_count

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return _Files(self._column[row], self._root)
        one = self._column[int(row)].as_py()
        return one if self._root is None or one is None else str(self._root / one)


class _Parts(Sequence[Any]):
    """Files, each with what further columns say of it, one at a time; where these say nothing the file as it is."""

    def __init__(self, make: Callable[..., Any], files: _Files, *further: pa.ChunkedArray | None) -> None:
        self._make, self._files, self._further = make, files, further
        self.null_count: int = files.null_count

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return _Parts(self._make, self._files[row], *(None if one is None else one[row] for one in self._further))
        file = self._files[int(row)]
        said = [None if one is None else one[int(row)].as_py() for one in self._further]
        return file if file is None or all(one is None for one in said) else self._make(file, *said)


def _crop(file: str | bytes, box: Sequence[float]) -> Crop:
    left, top, width, height = box
    return Crop(file, (left, top, width, height))


def _digest(one: Id) -> bytes:
    return blake2b(str(one).encode("utf-8", "surrogatepass"), digest_size=8).digest()
