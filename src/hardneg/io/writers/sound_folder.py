"""Folders of sounds: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to listen to.

In ``hard`` is each item that was sampled as a negative, under its own label; what is suspect for anyone is in
``suspects`` alone, under the class that it was most often suspect for. ``index.csv`` says which item became which
file, with its ``start`` and ``end`` in the file that it came from.

A sound that is a whole file is linked or copied as ``files`` says, whatever its format; bytes are written out. A part
of a file is cut out and written as WAV with the rate and the channels of its file: 16 bits, or 32 where the file has
24 or more, or floats where it has floats. Broken and missing sounds are left out and counted.
"""

from __future__ import annotations

from pathlib import Path

from hardneg.io.writers._base import Writer
from hardneg.io.writers._class_folders import Place, carry, write_folders
from hardneg.io.writers._export import Export
from hardneg.io.writers._sounds import Found, cut, found, need_sounds, write_wav

__all__ = ["SOUND_FOLDER"]

_SUFFIXES = {"WAVEX": ".wav", "RF64": ".wav", "NIST": ".wav"}  # of others the name of the format is the suffix


def _write(export: Export) -> None:
    need_sounds(export)
    write_folders(export, _put, ("audio", "start", "end") if _are_named(export) else ("start", "end"))


def _are_named(export: Export) -> bool:
    """Whether the sounds are files with names, not bytes."""
    return not str(export.run.items.table.schema.field("audio").type).endswith("binary")


def _put(export: Export, row: int, place: Place) -> Path | None:
    """Put a sound into a folder; None, and counted, where there is none to put."""
    name = str(export.run.items.ids[row].as_py())
    made: Path | None = None
    with found(export, row) as one:
        if one is not None:
            made = _whole(export, one, name, place) if one.whole else _part(one, name, place)
    return made


def _whole(export: Export, one: Found, name: str, place: Place) -> Path:
    if isinstance(one.source, bytes):
        form = str(one.file.format)
        file = place(f"{name}{_SUFFIXES.get(form, f'.{form.lower()}')}")
        file.write_bytes(one.source)
        return file
    source = Path(one.source).absolute()
    file = place(source.name)
    carry(export, source, file)
    return file


def _part(one: Found, name: str, place: Place) -> Path:
    samples, rate = cut(one), one.file.samplerate
    stem = name if isinstance(one.source, bytes) else Path(one.source).stem
    file = place(f"{stem}_{one.first / rate:.3f}-{one.stop / rate:.3f}.wav")
    write_wav(file, samples, rate)
    return file


SOUND_FOLDER = Writer(
    "sound-folder", "sounds by class: hard/<label>/ to train on, suspects/ to listen to; clips are cut out", (),
    "sounds, labels", _write, ("files",), texts=False,
)  # fmt: skip
