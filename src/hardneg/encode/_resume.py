"""Compute what a cache does not hold yet, and put it by while going, so that a killed run loses little."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

import numpy as np

from hardneg.encode._keys import Keys
from hardneg.encode._shards import Shards
from hardneg.errors import InputError
from hardneg.ragged import IntArray
from hardneg.scratch import Scratch, room
from hardneg.similarity import FloatArray, Matrix

__all__ = ["Progress", "computed"]

Progress = Callable[[int, int], None]

# A shard is written when this many rows wait, or when the oldest of them has waited this long.
_ROWS = 2048
_SECONDS = 10.0


def computed(
    keys: Keys,
    shards: Shards | None,
    compute: Callable[[IntArray], FloatArray],
    chunk: int,
    progress: Progress | None = None,
) -> Matrix:
    """The values of distinct ``keys``, shape ``(n, d)``: from the shards where they are, else computed and kept.

    Missing rows are computed ``chunk`` at a time in their order, so a run that was killed and begun anew computes
    the same chunks as one that was not. Without shards nothing is kept. More than memory should hold stay on disk.

    Raises InputError where the width ``d`` changes on the way.
    """
    values, found = shards.read(keys) if shards else (room(len(keys), 0), np.zeros(len(keys), bool))
    missing = np.flatnonzero(~found)
    done = len(keys) - len(missing)
    known = done > 0
    _tell(progress, done, len(keys))
    with _Writer(shards) as writer:
        for start in range(0, len(missing), chunk):
            rows = missing[start : start + chunk]
            fresh = compute(rows)
            if not values.shape[1]:
                values = room(len(keys), fresh.shape[1])
            _check_width(fresh.shape[1], values.shape[1], known)
            values[rows] = fresh
            writer.add(keys[rows], fresh)
            done += len(rows)
            _tell(progress, done, len(keys))
    return values.stored() if isinstance(values, Scratch) else values


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress:
        progress(done, total)


def _check_width(fresh: int, before: int, cached: bool) -> None:
    if fresh != before:
        where = "those in the cache have" if cached else "those before had"
        raise InputError(
            f"The encoder gave vectors of {fresh} numbers where {where} {before}.",
            remedy="Give a function a new 'version' whenever what it returns changes.",
        )


class _Writer:
    """Gathers fresh rows and writes them as shards; what waits is written too when an error ends the work."""

    def __init__(self, shards: Shards | None) -> None:
        self._shards = shards
        self._waiting: list[tuple[Keys, FloatArray]] = []
        self._since = 0.0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def add(self, keys: Keys, values: FloatArray) -> None:
        """Take rows; write when there are enough of them or they have waited long."""
        if self._shards is None:
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((keys, values))
        if sum(len(one) for one, _ in self._waiting) >= _ROWS or time.monotonic() - self._since >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one shard."""
        if self._shards is not None and self._waiting:
            keys, values = zip(*self._waiting, strict=True)
            self._shards.write(np.concatenate(keys), np.concatenate(values))
            self._waiting = []
