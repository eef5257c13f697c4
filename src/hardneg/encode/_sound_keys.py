"""The keys of 16 bytes that stand for sounds: of the file's content and, for a clip, of its times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hardneg.encode._keys import Keys, as_keys
from hardneg.errors import InputError
from hardneg.parallel import each
from hardneg.soundfiles import Source
from hardneg.soundfiles import digest as file_digest
from hardneg.sounds import Clip, digest

__all__ = ["sound_keys"]

_SLICE = 16_384


def sound_keys(sounds: Any) -> Keys:
    """The key of every sound, shape ``(n, 2)``. Reads every file, decodes none; a file of many clips is read once.

    Raises InputError for a sound that is missing, empty, or no file name, bytes nor Clip.

    >>> sound_keys([Clip(b"RIFF", 0, 1), Clip(b"RIFF", 1, 2), b"RIFF"]).shape
    (3, 2)
    """
    if isinstance(sounds, (str, bytes, Clip)):
        raise InputError(f"One sound was given where a list of sounds is needed: {str(sounds)[:40]!r}.")
    digests: list[bytes] = []
    for start in range(0, len(sounds), _SLICE):
        part = sounds[start : start + _SLICE]
        part = part.to_pylist() if hasattr(part, "to_pylist") else part
        _check_sounds(part, start)
        sources = list(dict.fromkeys(map(_source, part)))
        content = dict(zip(sources, each(file_digest, sources), strict=True))
        digests += [digest(one, content[_source(one)]) for one in part]
    return as_keys(digests)


def _source(sound: Any) -> Source:
    return sound.sound if isinstance(sound, Clip) else sound


def _check_sounds(sounds: Sequence[object], start: int) -> None:
    for row, one in enumerate(sounds, start):
        if not isinstance(_source(one), (str, bytes, os.PathLike)):
            remedy = "Give a file's name, the bytes of one, or a Clip of either."
            raise InputError(f"The sound in row {row} is {type(_source(one)).__name__}.", remedy=remedy)
