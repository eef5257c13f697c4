"""Vectors in a column of lists: Parquet, Arrow files (Feather) and Arrow streams (a saved datasets folder)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._vector_carrier import BATCH, Carrier, id_column, reading, vector_name
from hardneg.stored import Segment

__all__ = ["STREAM", "from_arrow", "from_parquet"]

STREAM = b"\xff\xff\xff\xff"  # how an Arrow stream begins


def from_parquet(path: Path) -> Carrier:
    """A Parquet file, unpacked some rows at a time."""
    with _parquet(path) as file:
        name, id_name = _columns(path, file.schema_arrow)
        kind = _kind(file.schema_arrow, name)
        first = next((one.column(0) for one in file.iter_batches(1, columns=[name])), None)
        width = _width(first)
        ids = file.read(columns=[id_name])[id_name] if id_name else None
        rows = file.metadata.num_rows

    def blocks() -> Iterator[NDArray[Any]]:
        with reading(path), _parquet(path) as file:
            batches = file.iter_batches(max(1, BATCH // max(1, width * kind.itemsize)), columns=[name])
            for column, before in _numbered(one.column(0) for one in batches):
                yield _dense(path, name, column, width, before)

    return Carrier(path, (rows, width), kind, unpack=blocks, ids=ids)


def from_arrow(path: Path) -> Carrier:
    """An Arrow file or stream. The vectors stay where they lie in it, unless they are compressed."""
    with pa.memory_map(str(path)) as mapped, pa.OSFile(str(path)) as file:
        schema = _opened(file).schema
        name, id_name = _columns(path, schema)
        kind = _kind(schema, name)
        width, segments = _segments(path, mapped, name, kind)
        source = mapped if segments else file
        ids = pa.chunked_array(_column(source, id_name), schema.field(id_name).type) if id_name else None
        rows = sum(one.rows for one in segments) if segments else sum(len(one) for one in _column(file, name))

    def blocks() -> Iterator[NDArray[Any]]:
        with reading(path), pa.OSFile(str(path)) as file:
            for column, before in _numbered(_column(file, name)):
                yield _dense(path, name, column, width, before)

    return Carrier(path, (rows, width), kind, segments, None if segments else blocks, ids)


def _segments(path: Path, mapped: Any, name: str, kind: np.dtype[Any]) -> tuple[int, tuple[Segment, ...]]:
    """The length of the lists, and where their numbers lie in the file; nothing where some are compressed."""
    width, segments = 0, []
    content = mapped.read_buffer()
    for column, before in _numbered(_column(mapped, name)):
        width = width or _width(column)
        _require_lists(path, name, column, width, before)
        place = _place(column, width, kind.itemsize, content)
        if place is None:
            return width, ()
        segments.append(Segment(path, place, len(column)))
    return width, tuple(segments)


def _place(column: Any, width: int, size: int, content: Any) -> int | None:
    """The byte of the file at which the numbers of a column begin; None where they are not in it as they are."""
    values = column.values
    buffer = values.buffers()[1]
    if values.null_count or buffer is None:
        return None
    first = column.offset * width if pa.types.is_fixed_size_list(column.type) else column.offsets[0].as_py()
    place = int(buffer.address - content.address) + (values.offset + first) * size
    return place if 0 <= place <= content.size - len(column) * width * size else None


def _opened(file: Any, fields: list[int] | None = None) -> Any:
    """A reader of an Arrow file or stream, of all fields or of some."""
    start = file.read_at(4, 0)
    file.seek(0)
    options = pa.ipc.IpcReadOptions(included_fields=fields or [])
    return (pa.ipc.open_stream if start == STREAM else pa.ipc.open_file)(file, options=options)


def _parts(reader: Any, field: int) -> Iterator[Any]:
    """A column, batch by batch. It is checked, for Arrow itself trusts a damaged file and crashes."""
    count = getattr(reader, "num_record_batches", None)
    for batch in reader if count is None else (reader.get_batch(number) for number in range(count)):
        column = batch.column(field)
        column.validate(full=True)
        if len(column):
            yield column


def _column(file: Any, name: str) -> Iterator[Any]:
    """A column, batch by batch, without reading the others. Of a mapped file it is shown where it lies."""
    field = _opened(file).schema.get_field_index(name)
    # Even of a mapped file, a choice of fields is copied.
    return _parts(_opened(file), field) if isinstance(file, pa.MemoryMappedFile) else _parts(_opened(file, [field]), 0)


def _parquet(path: Path) -> Any:
    # Without these two a whole column of a row group is read at once.
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=2**20)


def _columns(path: Path, schema: Any) -> tuple[str, str | None]:
    """The column of vectors and, where there is one, that of ids."""
    lists = [one.name for one in schema if _is_list(one.type) and _is_number(one.type.value_type)]
    name = vector_name(path, schema.names, lists)
    if name not in lists:
        raise InputError(
            f"The column '{name}' must hold lists of numbers. Got {schema.field(name).type}.",
            path=path,
            remedy="Write each vector as a list.",
        )
    return name, id_column(schema.names)


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _kind(schema: Any, name: str) -> np.dtype[Any]:
    kind: np.dtype[Any] = np.dtype(schema.field(name).type.value_type.to_pandas_dtype())
    return kind


def _width(column: Any) -> int:
    """The length of the first list, 0 where there is none."""
    if column is not None and pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    return len(column[0].values or ()) if column is not None and len(column) else 0


def _numbered(columns: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    """Each part of a column with the number of rows before it."""
    before = 0
    for column in columns:
        yield column, before
        before += len(column)


def _dense(path: Path, name: str, column: Any, width: int, before: int) -> NDArray[Any]:
    _require_lists(path, name, column, width, before)
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width))


def _require_lists(path: Path, name: str, column: Any, width: int, before: int) -> None:
    fixed = pa.types.is_fixed_size_list(column.type)
    lengths = np.full(len(column), width) if fixed else np.diff(column.offsets.to_numpy())
    wrong = (lengths != width) | column.is_null().to_numpy(zero_copy_only=False)
    if wrong.any():
        raise InputError(
            f"The vectors of the column '{name}' differ in length (first: row {before + int(wrong.argmax()) + 1}), "
            "or some are missing.",
            path=path,
        )
