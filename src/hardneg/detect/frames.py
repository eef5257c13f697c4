"""Items of films: what the frames around each say of it, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.detect.boxes import Boxes, Truth
from hardneg.detect.tracks import Linked, around, neighbours
from hardneg.errors import InputError
from hardneg.ragged import IntArray

__all__ = ["frames_told", "held_together", "with_frames_around"]

_GROUPS = 10  # with fewer films than these, models hold out stretches of them


def held_together(images: Collection) -> pa.Array:
    """What models hold out together with each image: itself, or all frames of its film; with few films a stretch of it.

    >>> film = pa.table({"id": ["a", "b", "c", "d"], "sequence": ["x", "x", "x", None], "frame": [9, 1, 5, None]})
    >>> held_together(Collection(film)).to_pylist()
    ['x, 3 of 3', 'x, 1 of 3', 'x, 2 of 3', 'd']
    """
    names = images.ids.cast(pa.string())
    if "sequence" not in images.table.column_names:
        return names
    out = names.to_pylist()
    codes, numbers, films = _films(images)
    pieces = -(-_GROUPS // max(1, len(films)))
    for film, name in enumerate(films):
        rows = np.flatnonzero(codes == film)
        rows = rows[np.argsort(numbers[rows], kind="stable")]
        for number, some in enumerate(np.array_split(rows, min(pieces, len(rows))), start=1):
            for row in some.tolist():
                out[row] = name if pieces == 1 else f"{name}, {number} of {min(pieces, len(rows))}"
    return pa.array(out, pa.string())


def with_frames_around(
    items: Collection, images: Collection, categories: Sequence[str], truth: Truth, find: Callable[[Boxes], Linked]
) -> Collection:
    """The items of :func:`hardneg.detect.items_of` with four more columns, where the images are frames with numbers.

    Of each detection, and of each box that is there and was found: ``frames_near``, how many frames there are around
    its image; ``frames_seen``, in how many of them it goes on; ``score_near``, the mean score there;
    ``frames_labelled``, in how many of them its category is labelled at its place. None of others, and where there are
    no frames around. A box that is there goes for the detection that found it, and starts from that one's box.

    Args:
        items: the items.
        images: what they are in, with the columns ``sequence`` and ``frame``; without them nothing is added.
        categories: the names of the categories by their numbers.
        truth: what is there.
        find: what boxes are linked with, by :func:`hardneg.detect.linked`.

    Raises InputError for numbers of frames that are none.
    """
    columns = set(images.table.column_names)
    if not {"sequence", "frame"} <= columns or images.table.column("frame").null_count == len(images):
        return items
    table = items.table
    score = np.fmax(*(_numbers(table.column(name), np.nan) for name in ("detector_score", "hidden_score")))
    rows = np.flatnonzero(~np.isnan(score))
    codes = pa.array(categories, pa.string())
    named = pa.compute.coalesce(table.column("predicted"), table.column("label"))
    category = _numbers(pa.compute.index_in(named, value_set=codes), -1).astype(np.int64)
    image = images.positions(table.column("image_id").combine_chunks())
    box = np.asarray(table.column("found_box").combine_chunks().flatten(), np.float64).reshape(-1, 4)
    found = around(
        Boxes(image[rows], category[rows], box[rows]), score[rows], truth, neighbours(*_films(images)[:2]), find
    )
    whole = {
        "frames_near": found.frames, "frames_seen": found.seen, "score_near": found.score,
        "frames_labelled": found.labelled,
    }  # fmt: skip
    for name, figures in whole.items():
        column = np.full(len(table), -1.0)
        column[rows] = np.where(found.frames > 0, figures, -1)
        kind = pa.float64() if name == "score_near" else pa.int64()
        table = table.append_column(name, pa.array(column.astype(kind.to_pandas_dtype()), kind, mask=column < 0))
    return Collection(table, items.root)


def frames_told(items: pa.Table, row: int) -> str:
    """What the frames around say of an item, for people; empty where there are none.

    >>> frames_told(pa.table({"frames_near": [4], "frames_seen": [1], "frames_labelled": [0]}), 0)
    'seen in 1 of 4 frames around, labelled in 0'
    """
    names = ("frames_near", "frames_seen", "frames_labelled")
    if not set(names) <= set(items.column_names):
        return ""
    near, seen, labelled = (items.column(name)[row].as_py() for name in names)
    return f"seen in {seen} of {near} frames around, labelled in {labelled}" if near else ""


def _films(images: Collection) -> tuple[IntArray, IntArray, list[str]]:
    """For each image the number of its film and its own there, -1 for none; the names of the films."""
    table = images.table
    known = table.column("sequence").cast(pa.string()).combine_chunks().dictionary_encode()
    numbers = table.column("frame") if "frame" in table.column_names else pa.nulls(len(table), pa.int64())
    if not pa.types.is_integer(numbers.type):
        raise InputError(f"The column 'frame' must be whole numbers. Got {numbers.type}.")
    codes, numbers = (pa.compute.fill_null(one.cast(pa.int64()), -1) for one in (known.indices, numbers))
    return np.asarray(codes, np.int64), np.asarray(numbers, np.int64), known.dictionary.to_pylist()


def _numbers(column: pa.Array | pa.ChunkedArray, none: float) -> NDArray[Any]:
    return np.asarray(pa.compute.fill_null(column.cast(pa.float64()), none))
