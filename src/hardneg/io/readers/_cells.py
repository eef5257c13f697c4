"""What stands in the cells of a row: bytes, paths, times, names; and what the other columns are called."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hardneg.io.readers._example import SOUNDS, Kind
from hardneg.io.readers._ids import encodable
from hardneg.io.readers._labelled_names import is_sound
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal
from hardneg.io.readers._rows import Record
from hardneg.io.readers._times import BadTimes, span

__all__ = ["Found", "NoExample", "bytes_in", "further_names", "may_be_sound", "path_in", "text_in", "times_of"]

Found = Mapping[str, tuple[str, ...]]
"""The columns of a record by role."""


class NoExample(Exception):  # noqa: N818 - a row that is no example is counted
    """Why a row is no example."""


def _time_columns(found: Found) -> dict[str, str]:
    """The columns of times by role. An offset is an end beside an onset, else a start."""
    columns = {role: found[role][0] for role in ("start", "end", "duration") if role in found}
    if normal(columns.get("end", "")) == "offset" and normal(columns.get("start", "")) != "onset":
        columns.pop("end")
    return columns


def times_of(record: Record, found: Found) -> tuple[float | None, float | None]:
    """From when to when a part of a sound goes, in seconds. Raises NoExample for times that make none."""
    columns = _time_columns(found)
    try:
        return span(*(record[columns[role]] if role in columns else None for role in ("start", "end", "duration")))
    except BadTimes as error:
        raise NoExample(str(error)) from None


def bytes_in(value: object) -> bytes | None:
    """The bytes in a cell, plain or beside a path."""
    inside = value.get("bytes") if isinstance(value, Mapping) else value
    return inside if isinstance(inside, bytes) else None


def may_be_sound(value: object, *, alone: bool) -> bool:
    """Whether a cell can name or hold a sound; what stands beside a text must be named like one."""
    return not isinstance(value, str) or alone or is_sound(value)


def path_in(value: Any, media: Media) -> str:
    """The path of a file, relative to its root. Raises NoExample where a cell names none that may be read."""
    value = value.get("path") if isinstance(value, Mapping) else value
    text = text_in(value)
    if text is None:
        raise NoExample("missing_path")
    if "://" in text:
        raise NoExample("no_local_file")
    if not encodable(text):
        raise NoExample("broken_name")
    if (path := media.relative(text)) is None:
        raise NoExample("path_outside_folder")
    return path


def text_in(value: Any) -> str | None:
    """What a cell says, without the spaces around it; None for nothing.

    >>> text_in(" a "), text_in(float("nan")), text_in(7)
    ('a', None, '7')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value).strip() or None


def further_names(names: Iterable[str], found: Found, kind: Kind) -> list[tuple[str, str]]:
    """The columns without a role and their names among the items; what is no content may not be called one."""
    used = ["id", "label", "group", "split"]
    other = {name: f"{name}_" for name in ("path", "image", "audio")}
    if kind in SOUNDS:
        used += ["audio" if "audio" in found else "path", "speaker", "session"]
        other |= {name: f"{name}_" for name in ("start", "end", "speaker", "session", "seconds", "rate", "content")}
    else:
        used += ["image", "path"] if kind in ("path", "image") else ["text"]
    gone = {found[role][0] for role in used if role in found}
    if kind in SOUNDS:
        times = _time_columns(found)
        gone |= {times[role] for role in ("start", "end") if role in times}
    if kind not in ("text", "vector") and "text" in found:
        other[found["text"][0]] = "text"
    return [(name, other.get(name, name)) for name in names if name not in gone]
