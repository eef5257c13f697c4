"""A Kaldi data folder: wav.scp and utt2spk, perhaps segments, text and utt2dur (kaldi-asr.org/doc/data_prep.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hardneg.errors import InputError
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._labelled import read_labelled
from hardneg.io.readers._labelled_sources import Source
from hardneg.io.readers._recordings import Recordings
from hardneg.io.readers._segments import Segment, Segments

__all__ = ["KALDI"]

_NEEDED = ("wav.scp", "utt2spk")
_MORE = ("segments", "text", "utt2dur")


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    return all((path / name).is_file() for name in _NEEDED)


def _open(path: Path, options: ReadOptions, seen: set[str]) -> Source:  # noqa: ARG001
    if missing := next((name for name in _NEEDED if not (path / name).is_file()), None):
        raise InputError(f"The folder has no {missing}.", path=path, remedy="Give a Kaldi data folder.")
    base = options.media_root or path
    files = [path / name for name in (*_NEEDED, *_MORE) if (path / name).is_file()]
    listed = path / ("segments" if path / "segments" in files else "wav.scp")
    folder, recordings = _Folder.read(path), Recordings(base)
    parts = (
        Segments(listed, recordings, partial(_segments, folder)),
        Segments(path / "utt2spk", recordings, partial(_without_recording, folder)),
    )
    return Source("kaldi", path, base, "audio", parts, tuple(files))


@dataclass(frozen=True)
class _Folder:
    """What a folder says of recordings and of utterances, by their ids."""

    path: Path
    recordings: dict[str, str]
    speakers: dict[str, str]
    texts: dict[str, str]
    durations: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> _Folder:
        return cls(path, *(_map(path / name) for name in ("wav.scp", "utt2spk", "text", "utt2dur")))


def _segments(folder: _Folder) -> Iterator[Segment]:
    """The utterances: those of ``segments``, else one for each recording."""
    listed = folder.path / "segments"
    if not listed.is_file():
        for number, line in text_lines(folder.path / "wav.scp"):
            if fields := line.split(maxsplit=1):
                yield _segment(folder, number, fields[0], fields[0], None, None)
        return
    for number, line in text_lines(listed):
        fields = line.split()
        if len(fields) in (4, 5):  # a fifth is the channel
            end = None if fields[3] == "-1" else fields[3]  # to the end
            yield _segment(folder, number, fields[0], fields[1], fields[2], end)
        elif fields:
            yield Segment(number, reason="broken_line")


def _without_recording(folder: _Folder) -> Iterator[Segment]:
    """The utterances of ``utt2spk`` that are no part of any recording."""
    known = {one.id for one in _segments(folder)}
    for number, line in text_lines(folder.path / "utt2spk"):
        if (fields := line.split()) and fields[0] not in known:
            yield Segment(number, reason="utterance_without_recording")


def _segment(folder: _Folder, number: int, utterance: str, recording: str, start: object, end: object) -> Segment:
    file = folder.recordings.get(recording)
    if file is None:
        return Segment(number, id=utterance, reason="no_such_recording")
    if file.endswith("|"):  # a command that whoever wrote the folder wants run
        return Segment(number, id=utterance, reason="command_in_wav_scp_not_run")
    speaker = folder.speakers.get(utterance)
    columns: dict[str, object] = {"speaker": speaker, "session": recording}
    if utterance in folder.texts:
        columns["text"] = folder.texts[utterance]
    if utterance in folder.durations:
        columns["duration"] = _number(folder.durations[utterance])
    return Segment(number, file, start, end, None, speaker, columns, utterance)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _map(path: Path) -> dict[str, str]:
    """A file with an id and what belongs to it a line."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in text_lines(path):
        fields = line.split(maxsplit=1)
        if len(fields) == 1:
            fields.append("")
        if not fields:
            continue
        key, value = fields[0], fields[1].strip()
        if found.setdefault(key, value) != value:
            raise InputError(
                f"The id '{key}' was there before, with something else.", path=path, line=number,
                remedy="Each id must be there once; utils/fix_data_dir.sh sorts and mends such a folder.",
            )  # fmt: skip
    return found


KALDI = Format("kaldi", "a Kaldi data folder (wav.scp, utt2spk)", _sniff, partial(read_labelled, opened=_open))
