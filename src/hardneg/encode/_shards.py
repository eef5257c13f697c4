"""Rows of numbers on disk, each under a key of 16 bytes. Never trusted: a damaged file is found and made anew.

A folder holds shards, ``shard-<hash of its bytes>.arrow``, each an Arrow file with the columns ``key`` and ``value``.
A shard is written under another name, flushed to the disk and renamed, so a killed writer leaves no half shard.
Its name proves its content, so several writers can share a folder, and no lock can be left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
import uuid
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.encode._keys import Keys, as_arrow
from hardneg.errors import StorageError
from hardneg.ragged import IntArray
from hardneg.scratch import Room, room
from hardneg.similarity import FloatArray

__all__ = ["Shards", "matches"]

_log = logging.getLogger(__name__)
_DAY = 86_400


class Shards:
    """The shards of one folder. The folder is made on the first write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, keys: Keys) -> tuple[Room, NDArray[np.bool_]]:
        """Look up distinct ``keys`` of shape ``(n, 2)``.

        Returns the values, shape ``(n, d)``, and which of the keys were found, shape ``(n,)``. Rows of keys that
        were not found hold no meaning; ``d`` is 0 where none was found. A shard whose width differs from that of
        the first one found is left alone.
        """
        found = np.zeros(len(keys), bool)
        values = room(len(keys), 0)
        order = np.argsort(keys[:, 0], kind="stable")
        for path in sorted(self.folder.glob("shard-*.arrow")):
            shard = _open(path)
            if shard is None:
                continue
            shard_keys, shard_values = shard
            rows, places = matches(keys, order, shard_keys)
            if len(rows) and not found.any():
                values = room(len(keys), shard_values.shape[1])
            if len(rows) and shard_values.shape[1] == values.shape[1]:
                values[rows] = shard_values[places]
                found[rows] = True
        return values, found

    def write(self, keys: Keys, values: FloatArray) -> None:
        """Store ``values`` of shape ``(n, d)`` under ``keys``. On return they survive a crash of the machine.

        Raises StorageError where the folder cannot be written or the disk is full.
        """
        content = _pack(keys, values)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
            _write_whole(self.folder / f"shard-{_hash(content)}.arrow", content)
        except OSError as error:
            raise StorageError(
                f"Cannot write to the cache folder {self.folder}: {error.strerror or error}. "
                "Free some space, or name another folder with --cache or in the environment variable HARDNEG_CACHE."
            ) from error

    def _remove_leftovers(self) -> None:
        """Remove what killed writers left; a day is longer than any shard takes to write."""
        for path in self.folder.glob(".writing-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _DAY:
                    path.unlink()


def matches(keys: Keys, order: IntArray, wanted: Keys) -> tuple[IntArray, IntArray]:
    """The rows of ``keys`` that equal some of ``wanted``, and where in ``wanted``; ``order`` sorts by the first half.

    Two keys with the same first half are so rare that only one of them is found; the other is made anew.
    """
    if not len(keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.searchsorted(keys[:, 0], wanted[:, 0], sorter=order)
    rows = order[np.minimum(place, len(keys) - 1)]
    same = (keys[rows] == wanted).all(axis=1)
    return rows[same], np.flatnonzero(same)


def _hash(content: pa.Buffer) -> str:
    return hashlib.blake2b(memoryview(content), digest_size=16).hexdigest()


def _pack(keys: Keys, values: FloatArray) -> pa.Buffer:
    flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
    table = pa.table({"key": as_arrow(keys), "value": pa.FixedSizeListArray.from_arrays(flat, values.shape[1])})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, len(table)))
    return sink.getvalue()


def _open(path: Path) -> tuple[Keys, FloatArray] | None:
    """The keys and values of a shard, memory-mapped, or None for a shard that is damaged or gone."""
    try:
        with pa.memory_map(str(path)) as source:
            content = source.read_buffer()
            if _hash(content) == path.stem.removeprefix("shard-"):
                batch = pa.ipc.open_file(content).get_batch(0)
                keys = np.frombuffer(batch["key"].buffers()[1], np.uint64).reshape(-1, 2)
                return keys, batch["value"].flatten().to_numpy().reshape(len(batch), -1)
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException) as error:
        _log.warning("The cache file %s cannot be read (%s); what it held is made anew.", path, error)
        return None
    _log.warning("The cache file %s is damaged and was removed; what it held is made anew.", path)
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def _write_whole(path: Path, content: pa.Buffer) -> None:
    """Write a file so that after a kill or a crash it is there whole or not at all."""
    temporary = path.with_name(f".writing-{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # Windows cannot open a folder
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
