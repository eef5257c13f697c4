"""Folders of sounds: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to listen to.

In ``hard`` is each item that was sampled as a negative, under its own label; what is suspect for anyone is in
``suspects`` alone, under the class that it was most often suspect for. ``index.csv`` says which item became which
file, with its ``start`` and ``end`` in the file that it came from.

A sound that is a whole file is linked or copied as ``files`` says, whatever its format; bytes are written out. A part
of a file is cut out and written as WAV with the rate and the channels of its file: 16 bits, or 32 where the file has
24 or more, or floats where it has floats. Broken and missing sounds are left out and counted.
"""

from __future__ import annotations

from hardneg.io.writers._base import Writer
from hardneg.io.writers._class_folders import write_folders
from hardneg.io.writers._export import Export
from hardneg.io.writers._media import are_bytes
from hardneg.io.writers._sounds import need_sounds, put_sound

__all__ = ["SOUND_FOLDER"]


def _write(export: Export) -> None:
    need_sounds(export)
    items = export.run.items
    columns = ("start", "end") if are_bytes(items, "audio") else ("audio", "start", "end")
    write_folders(export, lambda row, place: put_sound(export, items, row, place), columns)


SOUND_FOLDER = Writer(
    "sound-folder", "sounds by class: hard/<label>/ to train on, suspects/ to listen to; clips are cut out", (),
    "sounds, labels", _write, ("files",), texts=False,
)  # fmt: skip
