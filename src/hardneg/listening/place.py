"""Where a listening is kept while it lasts: scores, and in the end the folder with its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.listening.detectors import Scored
from hardneg.storage import place, refuse_taken, take_name
from hardneg.unfinished import Unfinished

__all__ = ["SUMMARY", "Place", "refuse_existing"]

SUMMARY = "summary.json"


class Place(Unfinished):
    """Keeps scores under names, goes on where an earlier process stopped, and gives the folder its name at the end."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.out = out
        refuse_existing(out, overwrite=overwrite)
        other = "work on other recordings, or with another detector"
        super().__init__(out, fingerprint, other, inside="scores", last=SUMMARY, overwrite=overwrite)

    def file(self, name: str) -> Path:
        """Where scores are."""
        return self.partial / "scores" / f"{name}.npy"

    def about(self, name: str) -> Mapping[str, Any] | None:
        """What was noted of scores that are there and undamaged; None where they must be made."""
        return self.noted(name, self.file(name))

    def read(self, name: str) -> Scored:
        """Scores, shape ``(windows, keywords)``; read from the disk as they are used."""
        found: Scored = np.load(self.file(name), mmap_mode="r", allow_pickle=False)
        return found

    def add(self, name: str, scores: Scored, **about: Any) -> Mapping[str, Any]:
        """Write scores, and note that they are done."""
        with place(self.file(name)) as file:
            np.save(file, scores, allow_pickle=False)
        return self.note(name, self.file(name), rows=len(scores), **about)

    def drop(self, name: str) -> None:
        """Take away scores that others hold now."""
        self.forget(name)
        self.file(name).unlink(missing_ok=True)

    def finish(self, names: Collection[str]) -> None:
        """Give the folder its name; of the scores these stay."""
        for file in (self.partial / "scores").glob("*.npy"):
            if file.stem not in names:  # parts of a whole that was written just before a kill
                file.unlink()
        if not names:
            (self.partial / "scores").rmdir()
        self.close()
        take_name(self.partial, self.out)


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Raise RunError where there is something that may not be replaced: only what listening made ever is."""
    refuse_taken(out, SUMMARY, "was not made by listening", overwrite=overwrite)
