"""The folder of crops while it is made: called ``<name>.partial``, with a journal of what is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardneg.cropping._places import crop_file
from hardneg.cropping._rules import Finding, findings_of
from hardneg.errors import RunError
from hardneg.images import BrokenImage, digest
from hardneg.journal import Journal, Parts
from hardneg.storage import swept, take_name, write_json

__all__ = ["MANIFEST", "TABLE", "Work", "finished"]

MANIFEST, TABLE = "faces.json", "faces.csv"
_FORMAT = "hardneg faces"


def finished(out: Path, fingerprint: str, *, overwrite: bool) -> dict[str, Any] | None:
    """The manifest of the very same work done before; None where it is still to be done.

    Raises RunError where there is something that may not be replaced: other crops unless ``overwrite``, and always
    what is no folder of crops.
    """
    if not out.exists() and not out.is_symlink():
        return None
    manifest = _manifest(out)
    if manifest is None:
        if out.is_dir() and not out.is_symlink() and not any(out.iterdir()):
            return None
        raise RunError(f"'{out}' was not made by 'hardneg faces', so nothing in it is touched. Choose another place.")
    if overwrite:
        return None
    if manifest.get("fingerprint") != fingerprint:
        raise RunError(
            f"'{out}' holds faces of other pictures, or found by other rules. "
            "Choose another place, or replace it with --overwrite."
        )
    return manifest


def _manifest(out: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("format") == _FORMAT else None


class Work:
    """Makes a folder of crops part by part. Killed at any moment, it goes on where it was, to the same bytes."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.out, self._fingerprint = out, fingerprint
        self.partial = out.with_name(out.name + ".partial")
        self._journal = Journal(self.partial / "journal.jsonl")
        self._parts = self._found(overwrite)
        swept(self.partial)
        self._journal.begin(fingerprint)

    def _found(self, overwrite: bool) -> Parts:
        """The parts of this very work that are there already."""
        if not self.partial.exists():
            return {}
        fingerprints, parts = self._journal.read()
        manifest = _manifest(self.partial)  # killed just before it got its name: the parts are done again
        if not fingerprints and manifest is None and any(self.partial.iterdir()):
            raise RunError(f"'{self.partial}' exists and is no unfinished work of this command. Move it away.")
        if fingerprints <= {self._fingerprint} and manifest is None:
            return parts
        if fingerprints and not overwrite and not fingerprints <= {self._fingerprint}:
            raise RunError(
                f"'{self.partial}' is unfinished work on other pictures, or by other rules. "
                "Run what began it again to go on with it, or throw it away with --overwrite."
            )
        shutil.rmtree(self.partial)
        return {}

    def done(self, name: str, places: Sequence[str]) -> list[Finding] | None:
        """The findings of a part, given the places of its crops; None where it is not done, or a crop is damaged."""
        if name not in self._parts:
            return None
        findings = findings_of(self._parts[name]["found"])
        whole = all(
            _content(self.partial / crop_file(place, number)) == cut.content
            for place, finding in zip(places, findings, strict=True)
            for number, cut in enumerate(finding.cuts)
        )
        return findings if whole else None

    def add(self, name: str, findings: Sequence[Finding]) -> None:
        """Note that a part is done; its crops are on the disk."""
        self._journal.done(name, {"found": findings})

    def discard(self) -> None:
        """Take away what was made: nothing can come of it."""
        shutil.rmtree(self.partial)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest and give the folder its name."""
        write_json(
            {"format": _FORMAT, "version": 1, "fingerprint": self._fingerprint, **manifest}, self.partial / MANIFEST
        )
        self._journal.remove()
        take_name(self.partial, self.out)


def _content(file: Path) -> str | None:
    try:
        return digest(file).hex()
    except BrokenImage:
        return None
