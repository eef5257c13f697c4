"""Where vectors are kept between runs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hardneg.encode._identity import fingerprint
from hardneg.encode._shards import Shards

__all__ = ["EmbeddingCache", "default_cache_dir"]


def default_cache_dir() -> Path:
    """The folder named in HARDNEG_CACHE, or ``hardneg`` in the user's own cache folder."""
    if named := os.environ.get("HARDNEG_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hardneg"


@dataclass(frozen=True)
class EmbeddingCache:
    """Vectors by what decides them: the encoder's key (weights, tokenizer, prompt, settings) and the text itself.

    Nothing in it is ever out of date. A changed weight, prompt, setting or text has another key, and a model that
    was merely moved has the same one. Old entries are never met again; remove the folder to have its space back.
    Several processes may use one folder at the same time.
    """

    folder: Path

    @classmethod
    def default(cls) -> EmbeddingCache:
        """The cache in ``default_cache_dir()``."""
        return cls(default_cache_dir() / "vectors")

    def shards(self, key: str) -> Shards | None:
        """The store of one encoder's key; None for the empty key, which is never cached."""
        return Shards(Path(self.folder) / fingerprint("vectors", key)) if key else None
