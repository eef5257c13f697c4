"""Labelled items: a folder of pictures or sounds for each class, or a table with a column of labels, on any carrier."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._delimited import first_line
from hardneg.io.readers._folder import has_media
from hardneg.io.readers._labelled import read_labelled
from hardneg.io.readers._labelled_names import NO_PAIR, SOUND_ROLES
from hardneg.io.readers._labelled_sources import open_source
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import carrier_of, open_rows
from hardneg.io.readers._tables import columns_of

__all__ = ["LABELLED"]


def _sniff(path: Path, options: ReadOptions) -> bool:
    carrier = carrier_of(path)
    if carrier is None:
        return path.is_dir() and has_media(path)
    names = columns_of(path, carrier) or _names(path, carrier)
    chosen = {role: name for role, name in options.columns.items() if name in names}
    if any(role not in SOUND_ROLES for role in chosen):
        return False
    left = {normal(name) for name in names if name not in chosen.values()}
    if left & NO_PAIR and not ("label" in chosen or "group" in chosen):
        return False
    telling = ("label", "text", "path", "image", "audio")
    return bool(chosen) or any(left & set(SOUND_ROLES[role]) for role in telling)


def _names(path: Path, carrier: str) -> list[str]:
    """The columns of the first record; of a table without one those of its header."""
    for _, record in open_rows(path, carrier=carrier):
        return list(record)
    return re.split(r"[,;\t]", first_line(path).replace('"', ""))


LABELLED = Format(
    "labelled",
    "a folder of pictures or sounds for each class, or a table with a text, a path, a picture or a sound and a label",
    _sniff,
    partial(read_labelled, opened=open_source),
)
