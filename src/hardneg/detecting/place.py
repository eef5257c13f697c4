"""Where a detection is kept while it lasts: tables of answers, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hardneg.errors import RunError
from hardneg.storage import read_table, write_table
from hardneg.unfinished import Unfinished

__all__ = ["Place", "refuse_existing"]


class Place(Unfinished):
    """Keeps tables under names, and goes on where an earlier process stopped."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        other = "work on other pictures, or with another detector"
        super().__init__(out, fingerprint, other, overwrite=overwrite)

    def about(self, name: str) -> Mapping[str, Any] | None:
        """What was noted of a part that is there and undamaged; None where it must be made."""
        return self.noted(name, self._file(name))

    def read(self, name: str) -> pa.Table:
        """A part."""
        return read_table(self._file(name))

    def add(self, name: str, table: pa.Table, **about: Any) -> Mapping[str, Any]:
        """Write a part, and note that it is done."""
        write_table(table, self._file(name))
        return self.note(name, self._file(name), **about)

    def _file(self, name: str) -> Path:
        return self.partial / f"{name}.parquet"


def refuse_existing(*files: Path, overwrite: bool) -> None:
    """Raise RunError where there is something that may not be replaced: folders never are, files with ``overwrite``."""
    for one in files:
        if one.is_dir():
            raise RunError(f"'{one}' is a folder, and results are a file. Choose another output.")
        if (one.exists() or one.is_symlink()) and not overwrite:
            raise RunError(f"'{one}' exists already. Choose another output, or replace it with --overwrite.")
