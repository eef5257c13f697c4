"""RTTM: who spoke when (NIST, 2009 Rich Transcription Evaluation Plan, appendix A); a file or a folder of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hardneg.io.readers._base import Format
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._labelled import read_labelled
from hardneg.io.readers._lists import Lists, mostly
from hardneg.io.readers._segments import Segment

__all__ = ["RTTM"]

_TYPES = (
    "SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER",
    "EDIT", "SU", "IP", "CB", "A/P",
)  # fmt: skip
_NONE, _COMMENT = "<NA>", ";;"


def _fits(lines: list[str]) -> bool:
    found = [line.split() for line in lines if not line.startswith(_COMMENT)]
    return mostly(found[:20], lambda one: len(one) in (9, 10) and one[0] in _TYPES)


def _segments(path: Path) -> Iterator[Segment]:
    for number, line in text_lines(path):
        fields = line.split()
        if not fields or line.startswith(_COMMENT):
            continue
        if fields[0] != "SPEAKER":
            yield Segment(number, reason="no_speaker_line" if fields[0] in _TYPES else "broken_line")
        elif len(fields) < 8:
            yield Segment(number, reason="broken_line")
        else:
            recording, start, duration, speaker = fields[1], fields[3], fields[4], fields[7]
            name = None if speaker == _NONE else speaker
            columns: dict[str, object] = {"speaker": name, "session": recording}
            yield Segment(number, recording, start, None, duration, name, columns)


_LISTS = Lists("rttm", ".rttm", _fits, _segments, "Each line is like: SPEAKER file 1 start duration ... name ...")
RTTM = Format("rttm", "RTTM, or a folder of it", _LISTS.sniff, partial(read_labelled, opened=_LISTS.open))
