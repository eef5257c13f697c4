"""Where a detection is kept while it lasts: ``<out>.partial``, with a journal of the parts that are there.

A process killed at any moment leaves nothing that hinders the next one: a file is whole or not there, a part counts
once the journal names it and its checksum is right, and the results get their name last of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from hardneg.errors import RunError
from hardneg.journal import Journal
from hardneg.storage import digest, read_table, swept, write_table

__all__ = ["Place", "refuse_existing"]


class Place:
    """Keeps tables under names, and goes on where an earlier process stopped."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.partial = out.with_name(out.name + ".partial")
        self._journal = Journal(self.partial / "journal.jsonl")
        self._done = self._found(fingerprint, overwrite)
        self.resumed = len(self._done)
        swept(self.partial)
        self._journal.begin(fingerprint)

    def _found(self, fingerprint: str, overwrite: bool) -> dict[str, dict[str, Any]]:
        if not self.partial.exists():
            return {}
        known, parts = self._journal.read()
        if not known and any(self.partial.iterdir()):
            raise RunError(
                f"'{self.partial}' exists and is no unfinished work. Move it away, or choose another output."
            )
        if known <= {fingerprint}:
            return parts
        if not overwrite:
            raise RunError(
                f"'{self.partial}' is unfinished work on other pictures, or with another detector. "
                "Run what began it again to go on with it, or throw it away with --overwrite."
            )
        shutil.rmtree(self.partial)
        return {}

    def about(self, name: str) -> Mapping[str, Any] | None:
        """What was noted of a part that is there and undamaged; None where it must be made."""
        noted, file = self._done.get(name), self._file(name)
        return noted if noted is not None and file.is_file() and digest(file) == noted["sha256"] else None

    def read(self, name: str) -> pa.Table:
        """A part."""
        return read_table(self._file(name))

    def add(self, name: str, table: pa.Table, **about: Any) -> Mapping[str, Any]:
        """Write a part, and note that it is done."""
        write_table(table, self._file(name))
        noted = {"sha256": digest(self._file(name)), **about}
        self._journal.done(name, noted)
        self._done[name] = noted
        return noted

    @contextmanager
    def clearing_up(self) -> Iterator[None]:
        """Where this fails before the first part is there, leave nothing in the way of a mended command."""
        try:
            yield
        except BaseException:
            if not self._done:
                self.remove()
            raise

    def remove(self) -> None:
        """Take it all away: the results are written, or nothing came of it."""
        shutil.rmtree(self.partial)

    def _file(self, name: str) -> Path:
        return self.partial / f"{name}.parquet"


def refuse_existing(*files: Path, overwrite: bool) -> None:
    """Raise RunError where there is something that may not be replaced: folders never are, files with ``overwrite``."""
    for one in files:
        if one.is_dir():
            raise RunError(f"'{one}' is a folder, and results are a file. Choose another output.")
        if (one.exists() or one.is_symlink()) and not overwrite:
            raise RunError(f"'{one}' exists already. Choose another output, or replace it with --overwrite.")
