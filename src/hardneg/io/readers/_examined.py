"""Pictures looked at while they are read: broken ones are counted, sound ones give their size and content."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from hardneg.images import BrokenImage, Examined, examine_all
from hardneg.io.readers._example import Taken
from hardneg.io.reading import Skips

__all__ = ["examined"]


def examined(
    chunk: Sequence[Taken], root: Path | None, skips: Skips, notes: Skips
) -> tuple[list[Taken], dict[str, pa.Array]]:
    """The examples with a sound picture, and their columns ``_key``, ``width``, ``height`` and ``content``.

    Pictures are paths relative to ``root``, or bytes where there is none. A broken one is a counted skip; an animated
    one, of which the first frame is used, or one with the suffix of another format is noted.
    """
    contents = [one.example.content for one in chunk]
    pictures = contents if root is None else [os.path.join(root, one) for one in contents]  # noqa: PTH118
    kept, sound = [], []
    for one, found in zip(chunk, examine_all(pictures), strict=True):
        where = one.place.place(one.example.number)
        if isinstance(found, BrokenImage):
            skips.add(found.reason, where)
            continue
        if found.frames > 1:
            notes.add("animated_first_frame_used", where)
        if not found.suffix_fits:
            notes.add("suffix_of_another_format", where)
        kept.append(one)
        sound.append(found)
    return kept, _columns(sound)


def _columns(sound: Sequence[Examined]) -> dict[str, pa.Array]:
    return {
        "_key": pa.array([one.content for one in sound], pa.binary()),
        "width": pa.array([one.width for one in sound], pa.int32()),
        "height": pa.array([one.height for one in sound], pa.int32()),
        "content": pa.array([one.content.hex() for one in sound], pa.string()),
    }
