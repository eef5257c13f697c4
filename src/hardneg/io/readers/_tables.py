"""Records from Arrow tables on disk: Parquet and the folder of ``Dataset.save_to_disk``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers._base import ReadOptions, choose_split
from hardneg.io.readers._bytes import damaged
from hardneg.io.readers._names import GRADES, normal

__all__ = [
    "columns_of", "dataset_files", "dataset_names", "dataset_records", "dataset_splits", "is_dataset", "open_parquet",
    "parquet_records", "schema_of",
]  # fmt: skip

_BATCH = 1024
_FAULTS = (pa.lib.ArrowException, OSError, UnicodeDecodeError)


def open_parquet(path: Path) -> Any:
    """Open a Parquet file, or say that it is damaged."""
    try:
        return pq.ParquetFile(path)
    except _FAULTS as error:
        raise damaged(path, error) from error


def parquet_records(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Give each row with its number from 1; columns of vectors stay unread."""
    with open_parquet(path) as file:
        names = _plain_columns(file.schema_arrow)
        yield from _numbered(file.iter_batches(batch_size=_BATCH, columns=names), path)


def is_dataset(path: Path) -> bool:
    """Whether ``Dataset.save_to_disk`` or ``DatasetDict.save_to_disk`` wrote this folder."""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def dataset_splits(path: Path, options: ReadOptions) -> tuple[str, list[str]]:
    """Return the split to read and all splits; empty where the folder holds one data set without splits."""
    loaded = _loaded(path)
    if not isinstance(loaded, dict):
        if options.split or options.exclude_split:
            raise InputError("The folder holds one data set, without splits.", path=path, remedy="Leave --split out.")
        return "", []
    names = list(loaded)
    return choose_split(names, options, path), names


def dataset_names(path: Path) -> list[str]:
    """All splits of a saved data set; none where it has no splits."""
    loaded = _loaded(path)
    return list(loaded) if isinstance(loaded, dict) else []


def columns_of(path: Path, carrier: str) -> list[str]:
    """The names of all columns, vectors too, of a Parquet file or a saved data set; none for another carrier."""
    names = dataset_names(path) if carrier == "datasets" else []
    schema = _loaded(path)[names[0]].data.schema if names else schema_of(path, carrier)
    return list(schema.names) if schema is not None else []


def schema_of(path: Path, carrier: str) -> Any:
    """The Arrow schema of a Parquet file or a saved data set without splits, None for another carrier."""
    if carrier == "parquet":
        with open_parquet(path) as file:
            return file.schema_arrow
    return _loaded(path).data.schema if carrier == "datasets" else None


def dataset_files(path: Path, split: str) -> list[Path]:
    """The files that the rows of a split come from."""
    folder = path / split if split else path
    return sorted(one for one in folder.iterdir() if one.suffix in (".arrow", ".json"))


def dataset_records(path: Path, options: ReadOptions) -> Iterator[tuple[int, dict[str, object]]]:
    """Give each row of the chosen split with its number from 1.

    Raises MissingExtraError without the package ``datasets``.
    """
    loaded = _loaded(path)
    split, _ = dataset_splits(path, options)
    one = loaded[split] if split else loaded
    names = _plain_columns(one.data.schema)
    tables = one.select_columns(names).with_format("arrow").iter(_BATCH)
    yield from _numbered(tables, path)


def _loaded(path: Path) -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtraError("datasets", extra="hf") from None
    if not is_dataset(path):
        raise InputError(
            "This is no folder that Dataset.save_to_disk wrote.",
            path=path,
            remedy="Save it anew, or leave --format out to have the format recognised.",
        )
    try:
        return datasets.load_from_disk(str(path))
    except (*_FAULTS, KeyError, ValueError, TypeError) as error:
        raise damaged(path, error) from error


def _plain_columns(schema: Any) -> list[str]:
    return [one.name for one in schema if normal(one.name) in GRADES or not _is_vector(one.type)]


def _is_vector(kind: Any) -> bool:
    # Vectors beside the texts are many megabytes that would pass through Python objects for nothing.
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))


def _numbered(batches: Any, path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    number, batches = 0, iter(batches)
    while True:
        try:
            batch = next(batches, None)
            records = batch.to_pylist() if batch is not None else []
        except _FAULTS as error:
            raise damaged(path, error) from error
        if batch is None:
            return
        for record in records:
            number += 1
            yield number, record
