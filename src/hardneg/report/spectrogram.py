"""Small pictures of sounds: mel bands upwards, time to the right, as PNG."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._mel import mel_power

__all__ = ["BANDS", "spectrogram"]

BANDS = 40
_FRAME = 0.032  # seconds
_RANGE = 60.0  # decibels between the darkest and the brightest
_FAINTEST = 1e-7  # of power: what is weaker in all bands is silence, not a picture of its noise
_LEVELS = 16
# From black over violet and orange to pale yellow: told apart with any colour vision, and bright is loud.
_RAMP = np.array([(6, 5, 20), (58, 18, 92), (137, 34, 106), (204, 66, 72), (246, 140, 44), (252, 236, 168)], float)


def spectrogram(samples: NDArray[np.float32], rate: int, columns: int) -> bytes:
    r"""A PNG of ``columns`` times ``BANDS`` pixels in 16 colours, each picture to its own loudest part.

    >>> spectrogram(np.ones(1600, np.float32), 16000, 64)[:4]
    b'\x89PNG'
    """
    size = max(2, round(_FRAME * rate))
    hop = max(1, len(samples) // columns)
    power = mel_power(samples, rate, size, hop, BANDS)
    power = power[np.linspace(0, len(power) - 1, columns).round().astype(int)]
    decibels = 10 * np.log10(np.maximum(power, _FAINTEST))
    loud = max(float(decibels.max(initial=-np.inf)), 10 * np.log10(_FAINTEST) + _RANGE)
    levels = np.clip((decibels - loud) / _RANGE + 1, 0, 1) * (_LEVELS - 1)
    return _png(levels.round().astype(np.uint8).T[::-1])


def _png(levels: NDArray[Any]) -> bytes:
    """Levels from 0 to 15, shape ``(height, width)`` with an even width, as a PNG of 16 colours."""
    height, width = levels.shape
    packed = levels[:, ::2] << 4 | levels[:, 1::2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", _colours()), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _colours() -> bytes:
    at = np.linspace(0, len(_RAMP) - 1, _LEVELS)
    return (
        np.stack([np.interp(at, range(len(_RAMP)), one) for one in _RAMP.T], axis=1).round().astype(np.uint8).tobytes()
    )
