"""The keys of 16 bytes that stand for pictures and sounds: of a file's content and, for a clip, of its times."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hardneg.encode._keys import Keys, as_keys
from hardneg.errors import InputError
from hardneg.images import Crop
from hardneg.images import digest as picture_digest
from hardneg.mediafiles import Source
from hardneg.parallel import each
from hardneg.sounds import Clip
from hardneg.sounds import digest as sound_digest

__all__ = ["picture_keys", "sound_keys"]

_SLICE = 16_384


def picture_keys(pictures: Any) -> Keys:
    """The key of every picture, shape ``(n, 2)``. Reads every file, decodes none; a file of many crops is read once.

    Raises InputError for a picture that is missing, empty, or no file name, bytes nor Crop.
    """
    return _keys(pictures, "image", Crop, picture_digest)


def sound_keys(sounds: Any) -> Keys:
    """The key of every sound, shape ``(n, 2)``. Reads every file, decodes none; a file of many clips is read once.

    Raises InputError for a sound that is missing, empty, or no file name, bytes nor Clip.

    >>> sound_keys([Clip(b"RIFF", 0, 1), Clip(b"RIFF", 1, 2), b"RIFF"]).shape
    (3, 2)
    """
    return _keys(sounds, "sound", Clip, sound_digest)


def _keys(things: Any, kind: str, part: type, digest: Callable[..., bytes]) -> Keys:
    """Keys, a slice of the things at a time; each must be a file's name or bytes, or a part of either."""
    if isinstance(things, (str, bytes, part)):
        raise InputError(f"One {kind} was given where a list of {kind}s is needed: {str(things)[:40]!r}.")
    digests: list[bytes] = []
    for start in range(0, len(things), _SLICE):
        some = things[start : start + _SLICE]
        some = some.to_pylist() if hasattr(some, "to_pylist") else some
        files = [_whole(one) if isinstance(one, part) else one for one in some]
        for row, file in enumerate(files, start):
            if not isinstance(file, (str, bytes, os.PathLike)):
                raise InputError(
                    f"The {kind} in row {row} is {type(file).__name__}.",
                    remedy=f"Give a file's name, the bytes of one, or a {part.__name__} of either.",
                )
        sources = list(dict.fromkeys(files))
        content = dict(zip(sources, each(digest, sources), strict=True))
        digests += [digest(one, content[file]) for one, file in zip(some, files, strict=True)]
    return as_keys(digests)


def _whole(part: Any) -> Source:
    found: Source = part.sound if isinstance(part, Clip) else part.picture
    return found
