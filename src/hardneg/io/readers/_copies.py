"""Rows that repeat: which are one and the same, which are copies under another label, and what their ids are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg.errors import InputError
from hardneg.io.readers._example import Place, Where
from hardneg.io.reading import Skips
from hardneg.ragged import BoolArray, IntArray

__all__ = ["settled"]

_MEDIA = ("path", "image", "audio")
_OWN = ("text", *_MEDIA, "label", "group", "split", "width", "height", "content", "_order")
_OWN_OF_SOUNDS = (
    *("text", "audio", "start", "end", "label", "speaker", "session"),
    *("group", "split", "seconds", "rate", "content", "_order"),
)


def settled(
    table: Any, places: Sequence[Place], skips: Skips, notes: Skips, prefix: str = "", same: str = "label"
) -> Any:
    """The rows that stay, with an ``id`` and with labels as text or lists; all else that was read beside them.

    A row that says nothing new is a counted skip: the same content, label and split (and the same value in the column
    ``same``), or an unlabelled copy of what is labelled. The same content under two labels or in two splits stays and
    is noted. Parts of a sound are the same where file and times are. An id that is not given is the path without
    ``prefix``, or comes from the content; that of a part of a sound has its times.

    Raises InputError where one given id has two contents, or two labels.
    """
    telling = [name for name in dict.fromkeys(("label", "group", same)) if name in table.column_names]
    codes = {name: _codes(table.column(name)) for name in ("_key", *telling, "split")}
    where = Where(table, places)
    labelled = np.any([codes[name] >= 0 for name in telling], axis=0)
    ids = _given(table, codes, where, prefix)
    left = np.ones(len(table), bool)
    own = [_codes(one) for one in ([ids] if ids is not None else _paths(table))]
    again = _repeated(*codes.values(), *own)
    copies = ~labelled & np.isin(codes["_key"], codes["_key"][labelled])
    for reason, mask in (("duplicate_row", again), ("already_labelled", copies & ~again)):
        skips.add_rows(reason, np.flatnonzero(mask), where)
        left &= ~mask
    what = next((name for name in _MEDIA if name in table.column_names), "text").replace("path", "image")
    notes.add_rows(f"same_{what}_again", np.flatnonzero(_repeated(*codes.values()) & left), where)
    for name in (*telling, "split"):
        differing = _differing(codes["_key"], codes[name], left)
        notes.add_rows(f"same_{what}_two_{name}s", np.flatnonzero(differing), where)
    rows = np.flatnonzero(left)
    table = table.take(pa.array(rows))
    ids = _made(table, prefix) if ids is None else ids.take(pa.array(rows))
    return _finished(table, ids)


def _codes(column: Any) -> IntArray:
    """A number for each value, -1 for none."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_nested(column.type):
        column = pa.array([None if one is None else json.dumps(one) for one in column.to_pylist()], pa.string())
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)


def _repeated(*columns: IntArray) -> BoolArray:
    """Which rows were there before."""
    return np.asarray(_first_of(*columns) != np.arange(len(columns[0])))


def _differing(keys: IntArray, values: IntArray, among: BoolArray) -> BoolArray:
    """For each content with several values the first row whose value differs; none is no value."""
    use = np.flatnonzero(among & (values >= 0) & (keys >= 0))
    mask = np.zeros(len(keys), bool)
    if len(use):
        other = use[values[use] != values[use][_first_of(keys[use])]]
        mask[other[np.unique(keys[other], return_index=True)[1]]] = True
    return mask


def _given(table: Any, codes: Mapping[str, IntArray], where: Where, prefix: str) -> pa.Array | None:
    """The given ids; with the split before them where they number the rows of each split. None where there are none."""
    given = table.column("_given").combine_chunks()
    if given.null_count == len(given):
        return None
    if given.null_count:  # the rows of another file have none
        given = pc.coalesce(given.cast(pa.string()), _made(table, prefix))
    ids, split = _codes(given), codes["split"]
    content = np.stack([codes["_key"], codes["label"], codes["group"]])
    _, first, group = np.unique(ids, return_index=True, return_inverse=True)
    before = first[group]
    other = (content != content[:, before]).any(axis=0) | (split != split[before])
    if not other.any():
        return given
    in_split = _first_of(ids, split)
    clash = (content != content[:, in_split]).any(axis=0)
    if not clash.any():
        names = pc.fill_null(table.column("split").combine_chunks(), "unlabelled")
        return pc.binary_join_element_wise(names, given.cast(pa.string()), "/")
    row = int(np.flatnonzero(clash)[0])
    differs = int(np.flatnonzero(content[:, row] != content[:, in_split[row]])[0])
    what = ("another content", "another label", "another group")[differs]
    before_it = where(int(in_split[row]))
    raise InputError(
        f"{where(row)}: The item id {given[row].as_py()!r} was there before ({before_it}), with {what}.",
        remedy="Ids must be unique: number the rows, or remove one of the two.",
    )


def _paths(table: Any) -> list[Any]:
    """The column that names files, where there is one."""
    found = [table.column(name) for name in ("path", "audio") if name in table.column_names]
    return [one for one in found if pa.types.is_string(one.type)]


def _first_of(*columns: IntArray) -> IntArray:
    """For each row the first row with the same values."""
    order = np.lexsort(columns)  # seven times as fast as np.unique of rows
    fresh = np.ones(len(order), bool)
    fresh[1:] = np.any([np.diff(one[order]) != 0 for one in columns], axis=0)
    out = np.empty(len(order), np.int64)
    out[order] = order[fresh][np.cumsum(fresh) - 1]
    return out


def _made(table: Any, prefix: str) -> pa.Array:
    """Ids from paths or contents; what occurs again, under another label or split, gets a number."""
    paths = _paths(table)
    if paths:
        made = [one.removeprefix(prefix) for one in paths[0].to_pylist()]
    elif "content" in table.column_names:
        made = [one[:16] for one in table.column("content").to_pylist()]
    else:
        made = [one.decode() for one in table.column("_key").to_pylist()]
    if paths and "start" in table.column_names:
        made = [f"{one}{times}" for one, times in zip(made, _times(table), strict=True)]
    seen: dict[str, int] = {}
    for row, one in enumerate(made):
        seen[one] = seen.get(one, 0) + 1
        if seen[one] > 1:
            made[row] = f"{one}-{seen[one]}"
    return pa.array(made, pa.string())


def _times(table: Any) -> list[str]:
    """The times of parts of sounds as a media fragment writes them (W3C Media Fragments URI 1.0, 4.2.1)."""
    both = zip(table.column("start").to_pylist(), table.column("end").to_pylist(), strict=True)
    said = [["" if one is None else repr(round(one, 6)).removesuffix(".0") for one in times] for times in both]
    return [f"#t={start}{',' if end else ''}{end}" if start or end else "" for start, end in said]


def _finished(table: Any, ids: pa.Array) -> Any:
    dumped = table.column("label")
    loaded = {one: json.loads(one) for one in dumped.unique().to_pylist() if one is not None}
    labels = [loaded.get(one) for one in dumped.to_pylist()]
    if any(isinstance(one, list) for one in labels):
        labels = [one if one is None or isinstance(one, list) else [one] for one in labels]
    kind = pa.list_(pa.string()) if any(isinstance(one, list) for one in labels) else pa.string()
    own = _OWN_OF_SOUNDS if "audio" in table.column_names else _OWN
    may_be_empty = {"group", "split", "text"} | (set(own) - set(_OWN))
    empty = [name for name in may_be_empty & set(table.column_names) if table.column(name).null_count == len(table)]
    further = [name for name in table.column_names if name not in (*own, "_given", "_number", "_key", "_place")]
    columns = {"id": ids}
    for name in (*own, *further):
        if name in table.column_names and name not in empty:
            columns[name] = pa.array(labels, kind) if name == "label" else table.column(name)
    return pa.table(columns)
