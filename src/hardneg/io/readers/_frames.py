"""Images that are frames: which sequence (a film, a camera) each is of, and the number that it has there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError, OptionError
from hardneg.io.reading import Skips

__all__ = ["FRAME", "SEQUENCE", "Frame", "check_pattern", "frame_in", "frame_said", "with_frames"]

# What is common in COCO files of films: COCO-VID, TAO, BDD100K, MMTracking.
SEQUENCE = ("sequence", "video_id", "sequence_id", "seq_id", "video", "video_name")
FRAME = ("frame", "frame_id", "frame_index", "frame_number", "frame_num")
_PARTS = {"{sequence}": r"(?P<sequence>[^/]+?)", "{frame}": r"(?<!\d)(?P<frame>\d{1,18})"}


class Frame(NamedTuple):
    """The sequence that an image is of, and its number there; None for what is not said."""

    sequence: str | None
    number: int | None


def check_pattern(pattern: str) -> None:
    """Raise OptionError for a pattern that does not name sequence and frame, each once.

    >>> check_pattern("{frame}.jpg")
    Traceback (most recent call last):
    hardneg.errors.OptionError: The 'frames' must hold {sequence} and {frame} once each, as in ...
    """
    if any(pattern.count(one) != 1 for one in _PARTS):
        raise OptionError(
            "The 'frames' must hold {sequence} and {frame} once each, as in '{sequence}_{frame}' or "
            f"'{{sequence}}/{{frame}}': the end of each image's name, without its suffix. Got '{pattern}'."
        )


def frame_in(file: str, pattern: str) -> Frame | None:
    """What the name of a file says of sequence and frame; None where it does not fit the pattern.

    The pattern is the end of the path without its suffix. The folders before it are part of the sequence, so that
    films with one name in two folders stay two.

    >>> frame_in("day/cam1_000123.jpg", "{sequence}_{frame}")
    Frame(sequence='day/cam1', number=123)
    >>> frame_in("val/seq7/img1/000004.png", "{sequence}/img1/{frame}")
    Frame(sequence='val/seq7', number=4)
    """
    path = str(PurePosixPath(file.replace("\\", "/")).with_suffix(""))
    pieces = re.split(r"(\{sequence\}|\{frame\})", pattern)
    found = re.fullmatch("(?P<before>(?:.*/)?)" + "".join(_PARTS.get(one, re.escape(one)) for one in pieces), path)
    return None if found is None else Frame(found["before"] + found["sequence"], int(found["frame"]))


def frame_said(one: Mapping[str, Any]) -> Frame:
    """What the record of an image says of itself.

    >>> frame_said({"id": 7, "video_id": 3, "frame_id": 12})
    Frame(sequence='3', number=12)
    """
    sequence = next((one[name] for name in SEQUENCE if isinstance(one.get(name), (str, int))), None)
    numbers = (_whole(one[name]) for name in FRAME if name in one)
    number = next((found for found in numbers if found is not None), None)
    return Frame(None if sequence in (None, "") else str(sequence), number)


def with_frames(
    images: Collection, files: Sequence[str | None], pattern: str | None, notes: Skips, said: Sequence[Frame] = ()
) -> Collection:
    """The images with the columns ``sequence`` and ``frame``, where anything is known of them.

    The pattern goes before what records said. A number without a sequence says nothing; of two images with one number
    in one sequence the second keeps the sequence alone. Both are noted.

    Raises InputError where a pattern fits no name.
    """
    frames = list(said) or [Frame(None, None)] * len(images)
    if pattern is not None:
        named = [None if file is None else frame_in(file, pattern) for file in files]
        if not any(named):
            raise InputError(
                f"No name of an image is like '{pattern}' (first: {next(filter(None, files), None)!r}).",
                remedy="Give the end of the names, without the suffix: --frames '{sequence}_{frame}'.",
            )
        for row, one in enumerate(named):
            if one is None:
                notes.add("no_frame_in_its_name", f"{files[row]}")
        frames = [one or before for one, before in zip(named, frames, strict=True)]
    if all(one.sequence is None for one in frames):
        return images
    frames = _settled(frames, [str(one) for one in images.ids.to_pylist()], notes)
    table = images.table.append_column("sequence", pa.array([one.sequence for one in frames], pa.string()))
    table = table.append_column("frame", pa.array([one.number for one in frames], pa.int64()))
    return Collection(table, images.root)


def _settled(frames: Sequence[Frame], names: Sequence[str], notes: Skips) -> list[Frame]:
    taken: dict[Frame, str] = {}
    out = []
    for one, name in zip(frames, names, strict=True):
        frame = one
        if one.sequence is None:
            frame = Frame(None, None)
            if one.number is not None:
                notes.add("frame_without_a_sequence", f"image {name}")
        elif one.number is not None and taken.setdefault(one, name) != name:
            notes.add("frame_numbered_twice", f"image {name} beside {taken[one]}: {one.sequence}, {one.number}")
            frame = Frame(one.sequence, None)
        out.append(frame)
    return out


def _whole(given: Any) -> int | None:
    if isinstance(given, str) and given.isdecimal():
        given = int(given)
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**62 else None
