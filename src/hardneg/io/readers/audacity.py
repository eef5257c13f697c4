"""Audacity's label tracks: start, end and label a line, in a file beside the recording of the same name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hardneg.io.readers._base import Format
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._labelled import read_labelled
from hardneg.io.readers._lists import Lists, mostly
from hardneg.io.readers._segments import Segment

__all__ = ["AUDACITY"]

_FREQUENCIES = "\\"  # a second line of a label has its lowest and highest frequency


def _fits(lines: list[str]) -> bool:
    found = [line.split("\t") for line in lines if not line.startswith(_FREQUENCIES)]
    return mostly(found[:20], lambda one: len(one) > 1 and _is_time(one[0]) and _is_time(one[1]))


def _is_time(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "." in text  # Audacity writes six decimals; whole numbers may be ids
    except ValueError:
        return False


def _segments(path: Path) -> Iterator[Segment]:
    for number, line in text_lines(path):
        fields = line.rstrip("\r\n").split("\t")
        if not line.strip() or line.startswith(_FREQUENCIES):
            continue
        if len(fields) < 2:
            yield Segment(number, reason="broken_line")
            continue
        label = "\t".join(fields[2:]).strip() or None
        yield Segment(number, path.stem, fields[0], fields[1], label=label)


_LISTS = Lists("audacity", ".txt", _fits, _segments, "Write it in Audacity with: File, Export Other, Export Labels.")
AUDACITY = Format(
    "audacity", "Audacity's label tracks beside recordings", _LISTS.sniff, partial(read_labelled, opened=_LISTS.open)
)
