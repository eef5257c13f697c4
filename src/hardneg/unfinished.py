"""Work that lasts, kept in ``<out>.partial``: files that count once a journal names them and their checksum is right.

A process killed at any moment leaves nothing that hinders the next one: a file is whole or not there, and the result
gets its name last of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hardneg.errors import RunError
from hardneg.journal import Journal
from hardneg.storage import digest, swept

__all__ = ["Unfinished"]


class Unfinished:
    """Knows which files of an earlier process can be used, and notes those that are added.

    Args:
        out: what the work will be called.
        fingerprint: of all that the files depend on.
        other: what work of another fingerprint is, for its error: "work on other pictures".
        inside: a folder in it that is made as well.
        last: the file that a finished folder has; with it and without a journal only the name was missing.
        overwrite: throw away unfinished work of another fingerprint.

    Raises RunError where there is something else, or work of another fingerprint.
    """

    def __init__(
        self, out: Path, fingerprint: str, other: str, *, inside: str = "", last: str | None = None, overwrite: bool
    ) -> None:
        self.partial = out.with_name(out.name + ".partial")
        self._journal = Journal(self.partial / "journal.jsonl")
        self._done = self._found(fingerprint, other, last, overwrite)
        self.resumed = len(self._done)
        swept(self.partial, inside)
        self._journal.begin(fingerprint)

    def _found(self, fingerprint: str, other: str, last: str | None, overwrite: bool) -> dict[str, dict[str, Any]]:
        if not self.partial.exists():
            return {}
        known, parts = self._journal.read()
        if not known and last is not None and (self.partial / last).is_file():  # killed just before it got its name
            shutil.rmtree(self.partial)
            return {}
        if not known and self.partial.is_dir() and not any(one.is_file() for one in self.partial.rglob("*")):
            return {}  # killed before the first line
        if known == {fingerprint}:
            return parts
        if not known:
            raise RunError(
                f"'{self.partial}' exists and is no unfinished work. Move it away, or choose another output."
            )
        if not overwrite:
            raise RunError(
                f"'{self.partial}' is unfinished {other}. Run what began it again to go on with it, or throw it away "
                "with --overwrite."
            )
        shutil.rmtree(self.partial)
        return {}

    @contextmanager
    def clearing_up(self) -> Iterator[None]:
        """Where this fails before the first file is there, leave nothing in the way of a mended command."""
        try:
            yield
        except BaseException:
            if not self._done:
                self.remove()
            raise

    def noted(self, name: str, file: Path) -> Mapping[str, Any] | None:
        """What was noted of a file that is there and undamaged; None where it must be made."""
        noted = self._done.get(name)
        return noted if noted is not None and file.is_file() and digest(file) == noted["sha256"] else None

    def note(self, name: str, file: Path, **about: Any) -> Mapping[str, Any]:
        """Note that a file is on the disk."""
        noted = {"sha256": digest(file), **about}
        self._journal.done(name, noted)
        self._done[name] = noted
        return noted

    def forget(self, name: str) -> None:
        """A file counts no more in this process; another one misses it on the disk."""
        self._done.pop(name, None)

    def close(self) -> None:
        """All is there: take the journal away, so that the folder can get its name."""
        self._journal.remove()

    def remove(self) -> None:
        """Take it all away: the result is written, or nothing came of it."""
        shutil.rmtree(self.partial, ignore_errors=True)
