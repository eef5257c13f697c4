"""Where a listening is kept: ``<out>.partial`` while it lasts, with a journal of the scores that are there.

A process killed at any moment leaves nothing that hinders the next one: a file is whole or not there, scores count
once the journal names them and their checksum is right, and the folder gets its name last of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.errors import RunError
from hardneg.journal import Journal
from hardneg.listening.detectors import Scored
from hardneg.storage import digest, place, refuse_taken, swept, take_name

__all__ = ["SUMMARY", "Place", "refuse_existing"]

SUMMARY = "summary.json"


class Place:
    """Keeps scores under names, goes on where an earlier process stopped, and gives the folder its name at the end."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.out = out
        self.partial = out.with_name(out.name + ".partial")
        self._journal = Journal(self.partial / "journal.jsonl")
        refuse_existing(out, overwrite=overwrite)
        self._done = self._found(fingerprint, overwrite)
        self.resumed = len(self._done)
        swept(self.partial, "scores")
        self._journal.begin(fingerprint)

    def _found(self, fingerprint: str, overwrite: bool) -> dict[str, dict[str, Any]]:
        if not self.partial.exists():
            return {}
        known, parts = self._journal.read()
        if not known and (self.partial / SUMMARY).is_file():  # killed just before it got its name
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
                f"'{self.partial}' is unfinished work on other recordings, or with another detector. "
                "Run what began it again to go on with it, or throw it away with --overwrite."
            )
        shutil.rmtree(self.partial)
        return {}

    @contextmanager
    def clearing_up(self) -> Iterator[None]:
        """Where this fails before the first scores are there, leave nothing in the way of a mended command."""
        try:
            yield
        except BaseException:
            if not self._done:
                shutil.rmtree(self.partial, ignore_errors=True)
            raise

    def file(self, name: str) -> Path:
        """Where scores are."""
        return self.partial / "scores" / f"{name}.npy"

    def about(self, name: str) -> Mapping[str, Any] | None:
        """What was noted of scores that are there and undamaged; None where they must be made."""
        noted = self._done.get(name)
        if noted is None or not self.file(name).is_file() or digest(self.file(name)) != noted["sha256"]:
            return None
        return noted

    def read(self, name: str) -> Scored:
        """Scores, shape ``(windows, keywords)``; read from the disk as they are used."""
        found: Scored = np.load(self.file(name), mmap_mode="r", allow_pickle=False)
        return found

    def add(self, name: str, scores: Scored, **about: Any) -> Mapping[str, Any]:
        """Write scores, and note that they are done."""
        with place(self.file(name)) as file:
            np.save(file, scores, allow_pickle=False)
        noted = {"rows": len(scores), "sha256": digest(self.file(name)), **about}
        self._journal.done(name, noted)
        self._done[name] = noted
        return noted

    def remove(self, name: str) -> None:
        """Take away scores that others hold now."""
        self._done.pop(name, None)
        self.file(name).unlink(missing_ok=True)

    def finish(self, names: Collection[str]) -> None:
        """Give the folder its name; of the scores these stay."""
        for file in (self.partial / "scores").glob("*.npy"):
            if file.stem not in names:  # parts of a whole that was written just before a kill
                file.unlink()
        if not names:
            (self.partial / "scores").rmdir()
        self._journal.remove()
        take_name(self.partial, self.out)


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Raise RunError where there is something that may not be replaced: only what listening made ever is."""
    refuse_taken(out, SUMMARY, "was not made by listening", overwrite=overwrite)
