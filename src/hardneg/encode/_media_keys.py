"""The keys of 16 bytes that stand for pictures and sounds: of a file's content and, for a clip, of its times."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hardneg.encode._keys import Keys, as_keys
from hardneg.errors import InputError
from hardneg.images import digest as picture_digest
from hardneg.mediafiles import Source
from hardneg.parallel import each
from hardneg.soundfiles import digest as file_digest
from hardneg.sounds import Clip, digest

__all__ = ["picture_keys", "sound_keys"]

_SLICE = 16_384


def picture_keys(pictures: Any) -> Keys:
    """The key of every picture, shape ``(n, 2)``: the BLAKE2b of its bytes. Reads every file, decodes none.

    Raises InputError for a picture that is missing, empty, or no file name nor bytes.
    """
    return _keys(pictures, "image", "Give a file's name, or the bytes of one.", lambda part: each(picture_digest, part))


def sound_keys(sounds: Any) -> Keys:
    """The key of every sound, shape ``(n, 2)``. Reads every file, decodes none; a file of many clips is read once.

    Raises InputError for a sound that is missing, empty, or no file name, bytes nor Clip.

    >>> sound_keys([Clip(b"RIFF", 0, 1), Clip(b"RIFF", 1, 2), b"RIFF"]).shape
    (3, 2)
    """
    return _keys(sounds, "sound", "Give a file's name, the bytes of one, or a Clip of either.", _of_clips)


def _of_clips(sounds: Sequence[Any]) -> list[bytes]:
    sources = list(dict.fromkeys(map(_source, sounds)))
    content = dict(zip(sources, each(file_digest, sources), strict=True))
    return [digest(one, content[_source(one)]) for one in sounds]


def _source(one: Any) -> Source:
    return one.sound if isinstance(one, Clip) else one


def _keys(things: Any, kind: str, remedy: str, digests_of: Callable[[Sequence[Any]], list[bytes]]) -> Keys:
    """Keys, a slice of the things at a time; each must be a file's name or bytes, or a clip where these are sounds."""
    clips = (Clip,) if kind == "sound" else ()
    if isinstance(things, (str, bytes, *clips)):
        raise InputError(f"One {kind} was given where a list of {kind}s is needed: {str(things)[:40]!r}.")
    digests: list[bytes] = []
    for start in range(0, len(things), _SLICE):
        part = things[start : start + _SLICE]
        part = part.to_pylist() if hasattr(part, "to_pylist") else part
        for row, one in enumerate(part, start):
            found = _source(one) if clips else one
            if not isinstance(found, (str, bytes, os.PathLike)):
                raise InputError(f"The {kind} in row {row} is {type(found).__name__}.", remedy=remedy)
        digests += digests_of(part)
    return as_keys(digests)
