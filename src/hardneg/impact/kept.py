"""What is done of a measurement, arm by arm and seed by seed, so that a stopped one goes on where it was."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.journal import Journal
from hardneg.storage import digest, place, swept

__all__ = ["Kept"]

Arrays = dict[str, NDArray[Any]]


class Kept:
    """Arrays by name in a folder with a journal; those of another measurement are thrown away.

    >>> import tempfile
    >>> kept = Kept(Path(tempfile.mkdtemp()) / "impact.partial", "abc")
    >>> kept.put("random-0", {"test": np.ones(2)})
    >>> Kept(kept.folder, "abc").get("random-0")["test"].tolist(), Kept(kept.folder, "other").get("random-0")
    ([1.0, 1.0], None)
    """

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        self.folder = folder
        self._held: dict[str, Arrays] = {}
        self._done: dict[str, dict[str, Any]] = {}
        if folder is None:
            return
        self._journal = Journal(folder / "journal.jsonl")
        fingerprints, self._done = self._journal.read()
        if fingerprints - {fingerprint}:
            shutil.rmtree(folder, ignore_errors=True)
            self._done = {}
        swept(folder)
        self._journal.begin(fingerprint)

    def __len__(self) -> int:
        return len(self._done) + len(self._held)

    def get(self, name: str) -> Arrays | None:
        """What was put under a name; None where it is not there or damaged."""
        if name in self._held:
            return self._held[name]
        if self.folder is None or name not in self._done:
            return None
        file = self.folder / f"{name}.npz"
        try:
            if digest(file) != self._done[name]["sha256"]:
                return None
            with np.load(file, allow_pickle=False) as found:
                return {key: found[key] for key in found.files}
        except (OSError, ValueError, zipfile.BadZipFile):
            return None

    def put(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays; on the disk, where there is a folder, before anything else is done."""
        if self.folder is None:
            self._held[name] = dict(arrays)
            return
        file = self.folder / f"{name}.npz"
        with place(file) as opened:
            np.savez(opened, **arrays)  # type: ignore[arg-type]
        self._done[name] = {"sha256": digest(file)}
        self._journal.done(name, self._done[name])

    def remove(self) -> None:
        """Take the folder away: all is done and written elsewhere."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
