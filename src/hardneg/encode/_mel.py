"""Power in mel bands over time: what most vectors of sounds begin with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["mel_filters", "mel_power"]

_FRAMES = 4096  # computed at a time, so that a long sound takes no more room than its result


def mel_power(samples: NDArray[np.float32], rate: int, size: int, hop: int, bands: int) -> NDArray[np.float64]:
    """The power in ``bands`` mel bands, shape ``(1 + len(samples) // hop, bands)``.

    Frames of ``size`` samples under a periodic Hann window, one every ``hop``, the first around the first sample,
    with silence before and after; squared magnitudes of their Fourier transform, added by ``mel_filters``. The same
    as ``librosa.feature.melspectrogram`` without options (McFee et al. 2015).

    >>> mel_power(np.ones(1600, np.float32), 16000, 400, 160, 40).shape
    (11, 40)
    """
    padded = np.pad(np.asarray(samples, np.float64), size // 2)
    # Shorter than one frame when ``size`` is odd and there are no samples; never otherwise.
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    filters = mel_filters(rate, size, bands).T
    parts = [frames[at : at + _FRAMES] * window for at in range(0, len(frames), _FRAMES)]
    return np.concatenate([_power(part) @ filters for part in parts])


def _power(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(frames)
    return np.asarray(spectrum.real**2 + spectrum.imag**2)


@lru_cache(maxsize=16)
def mel_filters(rate: int, size: int, bands: int) -> NDArray[np.float64]:
    """Triangles on Slaney's mel scale from 0 to ``rate / 2`` Hz, each of area 1, shape ``(bands, size // 2 + 1)``.

    The scale of Slaney's Auditory Toolbox (1998): even steps of 200/3 Hz up to 1000 Hz, above that 27 to an increase
    of 6.4 times. Not HTK's, which is one logarithm throughout.

    >>> filters = mel_filters(16000, 400, 40)
    >>> filters.shape, bool((filters.sum(axis=1) * 40 - 1 < 0.5).all())
    ((40, 201), True)
    """
    edges = _to_hertz(np.linspace(0.0, _to_mel(rate / 2), bands + 2))
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = np.arange(size // 2 + 1) * (rate / size)
    rising, falling = (hertz - below) / (centre - below), (above - hertz) / (above - centre)
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (above - below))
    filters.setflags(write=False)  # shared by all that ask for it
    return filters


_STEP, _BEND, _GROWTH = 200 / 3, 15.0, np.log(6.4) / 27  # the bend is at 15 mel, 1000 Hz


def _to_mel(hertz: float) -> float:
    return hertz / _STEP if hertz < _BEND * _STEP else _BEND + float(np.log(hertz / (_BEND * _STEP))) / _GROWTH


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _BEND, mel * _STEP, _BEND * _STEP * np.exp((mel - _BEND) * _GROWTH))
