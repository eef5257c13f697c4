"""Formats that are one file of JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_lines

__all__ = ["JSONL", "lines"]

JSONL = (".jsonl", ".jsonl.gz")


def lines(records: Callable[[Export], Iterator[Mapping[str, object]]]) -> Callable[[Export], None]:
    """The writer of a format that needs only its records."""

    def write(export: Export) -> None:
        export.rows(write_lines(export.target, records(export)))

    return write
