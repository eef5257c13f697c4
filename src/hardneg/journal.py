"""What is done of a run, a line for each step: written at the end only, so that several workers can write."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hardneg.storage import storage_errors

__all__ = ["Journal", "Parts"]

Parts = dict[str, dict[str, Any]]  # what a manifest says of each part, by its name


class Journal:
    """A file of JSON lines: the fingerprint of a run, the parts that are done, those that no longer count.

    A line that a killed process left unfinished is passed over, so what it told of is done again.

    >>> import tempfile
    >>> journal = Journal(Path(tempfile.mkdtemp()) / "journal.jsonl")
    >>> journal.begin("abc")
    >>> journal.done("00000", {"rows": 7})
    >>> journal.read()
    ({'abc'}, {'00000': {'rows': 7}})
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, fingerprint: str) -> None:
        """Note what is being made."""
        self._append({"fingerprint": fingerprint})

    def done(self, name: str, part: Mapping[str, Any]) -> None:
        """Note that a part is on the disk."""
        self._append({"done": name, **part})

    def forget(self, name: str) -> None:
        """Note that a part counts no more."""
        self._append({"forget": name})

    def read(self) -> tuple[set[str], Parts]:
        """The fingerprints and the parts; nothing where there is no journal."""
        fingerprints: set[str] = set()
        parts: Parts = {}
        for entry in self._entries():
            if "fingerprint" in entry:
                fingerprints.add(str(entry["fingerprint"]))
            elif "done" in entry:
                parts[entry.pop("done")] = entry
            elif "forget" in entry:
                parts.pop(entry["forget"], None)
        return fingerprints, parts

    def remove(self) -> None:
        """Take the file away."""
        self.path.unlink(missing_ok=True)

    def _entries(self) -> list[dict[str, Any]]:
        if not self.path.is_file():
            return []
        found = [_parsed(line) for line in self.path.read_bytes().splitlines()]
        return [one for one in found if one is not None]

    def _append(self, entry: Mapping[str, Any]) -> None:
        """One write at the end of the file, on the disk before anything else is done."""
        line = f"\n{json.dumps(entry, ensure_ascii=False)}\n"  # the first newline ends what was left unfinished
        with storage_errors(self.path):
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(file, line.encode())
                os.fsync(file)
            finally:
                os.close(file)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
