"""The recordings in a folder, each looked at once: how long it is, how much of it is silent, whether it is whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardneg.errors import InputError
from hardneg.progress import Progress
from hardneg.soundfiles import SUFFIXES
from hardneg.sounds import BrokenSound, Heard, examine_all

__all__ = ["Recording", "find", "survey"]

_TOGETHER = 16  # looked at before progress is told


@dataclass(frozen=True)
class Recording:
    """A file. ``name`` is its path relative to the folder of all media, with forward slashes."""

    name: str
    path: Path


def find(path: Path, root: Path | None = None) -> tuple[list[Recording], list[str]]:
    """The sounds in a folder and below it, by suffix, in the order of their names; or the one file.

    Hidden files are passed over, as are those that are no sounds. Names are relative to ``root``, the folder itself
    (or that of the file) if not given. The second list names what a link leads out of it.

    Raises InputError where there is no sound.
    """
    base = path if path.is_dir() else path.parent
    root = base if root is None else root
    real = root.resolve()
    if not base.resolve().is_relative_to(real):
        raise InputError(
            f"The recordings are not in the folder '{root}', which all media are in.",
            path=path,
            remedy="Give a folder that holds them: --media-root.",
        )
    inside, outside = [], []
    for file in _sounds(path) if path.is_dir() else [path]:
        name = Path(os.path.relpath(base.resolve() / file.relative_to(base), real)).as_posix()
        if file.resolve().is_relative_to(real):
            inside.append(Recording(name, file))
        else:
            outside.append(name)
    if not inside:
        known = ", ".join(sorted(SUFFIXES))
        raise InputError("There is no sound in this folder.", path=path, remedy=f"Looked for files named {known}.")
    return sorted(inside, key=lambda one: one.name), sorted(outside)


def _sounds(folder: Path) -> list[Path]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        named = [one for one in files if not one.startswith(".") and Path(one).suffix.lower() in SUFFIXES]
        found += [Path(place, one) for one in named]
    return found


def survey(recordings: Sequence[Recording], progress: Progress) -> list[Heard | BrokenSound]:
    """What each recording is, or why it is broken: all are decoded once, block by block, on several threads."""
    found: list[Heard | BrokenSound] = []
    with progress.stage("look", len(recordings), "recordings") as report:
        for start in range(0, len(recordings), _TOGETHER):
            some = recordings[start : start + _TOGETHER]
            found += examine_all([str(one.path) for one in some])
            report(len(found), len(recordings))
    return found
