"""Vectors found in files, and how they become one matrix: in memory where they are few, else on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import HardnegError, InputError
from hardneg.io.readers._bytes import damaged
from hardneg.io.readers._names import ANCHOR_ROLES, ITEM_ROLES, normal
from hardneg.matrix import KINDS, Converted, Matrix
from hardneg.scratch import Scratch
from hardneg.stored import Segment, Stored

__all__ = ["BATCH", "Carrier", "id_column", "matrix_of", "reading", "vector_name"]

Blocks = Callable[[], Iterable[NDArray[Any]]]

BATCH = 8 * 2**20  # bytes of vectors unpacked at a time
_LOADED = 64 * 2**20  # fewer bytes of vectors are loaded into memory
_LOADED_PACKED = 256 * 2**20  # and so are these, where they would have to be unpacked first

_IDS = ("ids", *ITEM_ROLES["item_id"], *ANCHOR_ROLES["anchor_id"])
_VECTORS = ("vectors", "vector", "embeddings", "embedding", "emb")


@dataclass(frozen=True, eq=False)
class Carrier:
    """The vectors of one file: their place in it (``segments``), or where they are packed, how to read them."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    segments: tuple[Segment, ...] = ()
    unpack: Blocks | None = None
    ids: object | None = None

    def blocks(self) -> Iterable[NDArray[Any]]:
        """All rows, some at a time."""
        return self.unpack() if self.unpack else [Stored(self.segments, self.shape[1], self.dtype)[:]]

    @property
    def size(self) -> int:
        """The bytes of all numbers."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


def matrix_of(carriers: Sequence[Carrier]) -> Matrix:
    """The rows of all carriers, one after the other; all have one width and one type. Other kinds become float32.

    Few are loaded. Many stay where they are; those that are packed are unpacked into a temporary file without a name.
    """
    width, found = carriers[0].shape[1], carriers[0].dtype
    kind = found if found in KINDS else np.dtype(np.float32)
    packed = any(one.unpack for one in carriers)
    if sum(one.size for one in carriers) < (_LOADED_PACKED if packed else _LOADED):
        return np.concatenate(list(_blocks(carriers, kind)))
    if packed:
        return _unpacked(carriers, width, kind)
    stored = Stored([part for one in carriers for part in one.segments], width, found)
    return stored if kind == found else Converted(stored, kind)


def _blocks(carriers: Sequence[Carrier], kind: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    for one in carriers:
        for block in one.blocks():
            with np.errstate(over="ignore"):  # infinity, which is refused with the names of the rows
                yield np.ascontiguousarray(block, kind)


def _unpacked(carriers: Sequence[Carrier], width: int, kind: np.dtype[Any]) -> Stored:
    scratch, start = Scratch(sum(one.shape[0] for one in carriers), width, kind), 0
    for block in _blocks(carriers, kind):
        scratch[np.arange(start, start + len(block))] = block
        start += len(block)
    return scratch.stored()


def vector_name(path: Path, names: Sequence[str], candidates: Sequence[str]) -> str:
    """The name of the vectors: a common one, else the only candidate."""
    for common in _VECTORS:
        if common in names:
            return common
    if len(candidates) == 1:
        return candidates[0]
    raise InputError(
        f"It is not clear which are the vectors among: {', '.join(names) or 'nothing'}.",
        path=path,
        remedy="Name them 'vectors'.",
    )


def id_column(names: Sequence[str]) -> str | None:
    """The column of ids, where there is one."""
    return next((one for known in _IDS for one in names if normal(one) == known), None)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what libraries raise over a damaged file into an InputError that names it."""
    try:
        yield
    except HardnegError:
        raise
    except Exception as error:  # whatever a library makes of a damaged file
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise InputError(
                "The array holds Python objects, which are not read.",
                path=path,
                remedy="Save vectors as float32, and ids as text: np.array(ids, dtype=str).",
            ) from None
        raise damaged(path, error) from error
