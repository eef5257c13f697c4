"""From texts, images and sounds to vectors: each different one once, and only those that the cache does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.encode._base import NOUNS, Encoder, Modality, Role
from hardneg.encode._keys import Keys, Texts, distinct, rows_of, text_keys
from hardneg.encode._media_keys import picture_keys, sound_keys
from hardneg.encode._resume import Progress, computed
from hardneg.encode.cache import EmbeddingCache
from hardneg.errors import InputError, OptionError
from hardneg.images import Picture
from hardneg.images import examine as examine_image
from hardneg.matrix import Matrix, Reordered
from hardneg.mediafiles import BrokenMedia
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray
from hardneg.sounds import Clip, Sound
from hardneg.sounds import examine as examine_sound

__all__ = ["encode_images", "encode_sounds", "encode_texts"]

Pictures: TypeAlias = Sequence[Picture] | pa.ChunkedArray | pa.Array
Sounds: TypeAlias = Sequence[Sound] | pa.ChunkedArray | pa.Array

_EXAMPLES: dict[Modality, str] = {"text": "wordllama", "image": "descriptor", "audio": "logmel"}


def encode_texts(
    encoder: Encoder,
    texts: Texts,
    role: Role,
    cache: EmbeddingCache | None = None,
    progress: Progress | None = None,
) -> Matrix:
    """Vectors of shape ``(len(texts), d)``, float32, in the order of the texts; on disk where they are many.

    A text that occurs twice is encoded once. With a cache only new texts are encoded, and they are kept while
    going: after a kill the same call goes on where it was. ``progress(done, total)`` counts different texts.

    Raises InputError for no texts, a missing text, vectors of a wrong shape, NaN or infinity (naming the text),
    OptionError for an encoder of anything else.

    >>> from hardneg.encode import WordLlama
    >>> encode_texts(WordLlama(dim=64), ["a fox", "a hen", "a fox"], "item").shape
    (3, 64)
    """
    _check_modality(encoder, "text")
    return _encoded(encoder, texts, text_keys(texts), role, cache, progress)


def encode_images(
    encoder: Encoder,
    pictures: Pictures,
    role: Role,
    cache: EmbeddingCache | None = None,
    progress: Progress | None = None,
    keys: Keys | None = None,
) -> Matrix:
    """Vectors of shape ``(len(pictures), d)``, float32, in the order of the pictures (files, or bytes of one).

    Images of the same bytes are encoded once, whatever their files are called, and kept in the cache under those
    bytes. ``keys`` of shape ``(n, 2)`` are the 16-byte digests of the pictures where they are known already
    (``hardneg.images.examine``); otherwise every file is read for them.

    Raises InputError, naming the file, for a picture that cannot be decoded; else like ``encode_texts``.

    >>> import io
    >>> from PIL import Image
    >>> from hardneg.encode import Descriptor
    >>> saved = io.BytesIO()
    >>> Image.new("RGB", (40, 30), "green").save(saved, "png")
    >>> len(encode_images(Descriptor(), [saved.getvalue()] * 3, "item"))
    3
    """
    _check_modality(encoder, "image")
    return _encoded(encoder, pictures, picture_keys(pictures) if keys is None else keys, role, cache, progress)


def encode_sounds(
    encoder: Encoder,
    sounds: Sounds,
    role: Role,
    cache: EmbeddingCache | None = None,
    progress: Progress | None = None,
    keys: Keys | None = None,
) -> Matrix:
    """Vectors of shape ``(len(sounds), d)``, float32, in the order of the sounds (files, bytes of one, clips).

    Sounds of the same bytes, and clips of the same times of them, are encoded once, whatever their files are called,
    and kept in the cache under those. ``keys`` of shape ``(n, 2)`` are the 16-byte digests of the sounds where they
    are known already (``hardneg.sounds.examine``); otherwise every file is read for them.

    Raises InputError, naming the file, for a sound that cannot be decoded; else like ``encode_texts``.

    >>> from hardneg.encode import LogMel
    >>> from hardneg.testing._sounds import sounds
    >>> len(encode_sounds(LogMel(), sounds(), "item"))
    6
    """
    _check_modality(encoder, "audio")
    return _encoded(encoder, sounds, sound_keys(sounds) if keys is None else keys, role, cache, progress)


def _check_modality(encoder: Encoder, wanted: Modality) -> None:
    if encoder.modality != wanted:
        raise OptionError(
            f"The encoder '{encoder.name}' reads {NOUNS[encoder.modality]}s, and these are {NOUNS[wanted]}s. "
            f"Name an encoder of {NOUNS[wanted]}s, such as {_EXAMPLES[wanted]}."
        )


def _encoded(
    encoder: Encoder, inputs: Any, keys: Keys, role: Role, cache: EmbeddingCache | None, progress: Progress | None
) -> Matrix:
    kind = NOUNS[encoder.modality]
    if len(keys) != len(inputs):
        raise InputError(f"The 'keys' must be one for each of {len(inputs)} {kind}s. Got {len(keys)}.")
    if not len(keys):
        raise InputError(f"There are no {role} {kind}s to encode.")
    first, number = distinct(keys)

    def compute(rows: IntArray) -> FloatArray:
        wanted = rows_of(inputs, first[rows])
        try:
            vectors = encoder.encode(wanted, role)
        except BrokenMedia as error:
            raise _named(error, wanted, first[rows], kind) from None
        return _sound(vectors, wanted, first[rows], encoder)

    shards = cache.shards(encoder.key(role)) if cache else None
    vectors = computed(keys[first], shards, compute, max(1, encoder.chunk), progress)
    if len(first) == len(number):
        return vectors
    return vectors[number] if isinstance(vectors, np.ndarray) else Reordered(vectors, number)


def _named(error: BrokenMedia, inputs: list[Any], rows: IntArray, kind: str) -> InputError:
    """The same error; of an input that is bytes, and so without a name, with the row where it stands."""
    if error.path is not None:
        return error
    look: Callable[[Any], object] = examine_image if kind == "image" else examine_sound
    for row, one in zip(rows, inputs, strict=True):
        try:
            look(one)
        except BrokenMedia as found:
            return InputError(f"The {kind} in row {row} cannot be read. {found}")
    return error


def _sound(vectors: NDArray[np.generic], inputs: list[Any], rows: IntArray, encoder: Encoder) -> FloatArray:
    """The vectors as float32 of shape ``(len(inputs), d)``, or an error that names the first input gone wrong."""
    who, kind = f"The encoder '{encoder.name}'", NOUNS[encoder.modality]
    if vectors.ndim != 2 or len(vectors) != len(inputs) or vectors.shape[1] == 0:
        raise InputError(f"{who} must give one vector for each {kind}, shape ({len(inputs)}, d). Got {vectors.shape}.")
    result = np.ascontiguousarray(vectors, np.float32)
    finite = np.isfinite(result).all(axis=1)
    if not finite.all():
        bad = int(np.flatnonzero(~finite)[0])
        count, first = int((~finite).sum()), f"row {rows[bad]}, {_shown(inputs[bad], kind)}"
        raise InputError(
            f"{who} gave NaN or infinity for {count} {kind}s (first: {first}).",
            remedy="Half precision that overflows is a common cause: try precision=float32.",
        )
    return result


def _shown(one: Any, kind: str) -> str:
    """The beginning of a text; a file by its name."""
    if isinstance(one, Clip):
        return f"{_shown(one.sound, kind)} from {one.start} to {one.end} s"
    if isinstance(one, bytes):
        return f"{len(one)} bytes"
    return f"{one[:60]!r}" if kind == "text" else str(one)
