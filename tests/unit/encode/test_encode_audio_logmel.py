"""The log-mel vector against a Fourier transform in loops, and what it must not depend on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.encode import LogMel, make_encoder
from hardneg.encode._mel import mel_filters, mel_power
from hardneg.encode.logmel import stretches
from hardneg.errors import OptionError
from hardneg.sounds import wave
from hardneg.testing import check_encoder
from hardneg.testing._sounds import saved, sounds, tone

pytest.importorskip("soundfile")
pytest.importorskip("scipy")


def mel_by_hand(samples: Any, rate: int, size: int, hop: int, bands: int) -> NDArray[np.float64]:
    """The power in mel bands by the definitions: a sum over samples for each frequency, a sum over those for each band.

    Edges as in Slaney's Auditory Toolbox: 200/3 Hz apart up to 1000 Hz, then growing by 6.4 ** (1 / 27) each.
    """
    padded = np.concatenate([np.zeros(size // 2), np.asarray(samples, float), np.zeros(size // 2)])
    turn = np.outer(np.arange(size // 2 + 1), np.arange(size)) * (2 * np.pi / size)
    window = np.array([math.sin(math.pi * at / size) ** 2 for at in range(size)])
    frames = []
    for start in range(0, len(padded) - size + 1, hop):
        part = padded[start : start + size] * window
        frames.append((np.cos(turn) @ part) ** 2 + (np.sin(turn) @ part) ** 2)
    top = 15 + math.log(rate / 2 / 1000) / math.log(6.4) * 27 if rate > 2000 else rate / 2 * 3 / 200
    places = [top * at / (bands + 1) for at in range(bands + 2)]
    edges = [at * 200 / 3 if at < 15 else 1000 * 6.4 ** ((at - 15) / 27) for at in places]
    weights = np.zeros((bands, size // 2 + 1))
    for band in range(bands):
        low, middle, high = edges[band : band + 3]
        for at in range(size // 2 + 1):
            hertz = at * rate / size
            if low < hertz < high:
                rise = (hertz - low) / (middle - low) if hertz <= middle else (high - hertz) / (high - middle)
                weights[band, at] = rise * 2 / (high - low)
    return np.array(frames) @ weights.T


@pytest.mark.parametrize(
    ("rate", "size", "hop", "bands"), [(16_000, 400, 160, 40), (8000, 256, 100, 23), (1600, 64, 32, 5)]
)
def test_mel_power_by_hand(rate: int, size: int, hop: int, bands: int) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 3001).astype(np.float32)
    wanted = mel_by_hand(samples, rate, size, hop, bands)
    found = mel_power(samples, rate, size, hop, bands)
    assert found.shape == (1 + 3001 // hop, bands)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * wanted.max())


@pytest.mark.parametrize(("rate", "size", "bands"), [(16_000, 400, 40), (22_050, 1024, 80)])
def test_mel_equals_librosa(rate: int, size: int, bands: int) -> None:
    librosa = pytest.importorskip("librosa")
    samples = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    theirs = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=size, hop_length=160, n_mels=bands).T
    np.testing.assert_allclose(mel_power(samples, rate, size, 160, bands), theirs, atol=1e-5 * theirs.max())
    np.testing.assert_allclose(
        mel_filters(rate, size, bands), librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands), atol=1e-7
    )


def test_a_long_sound_is_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
    whole = mel_power(samples, 16_000, 400, 160, 40)
    monkeypatch.setattr("hardneg.encode._mel._FRAMES", 7)
    np.testing.assert_allclose(mel_power(samples, 16_000, 400, 160, 40), whole, rtol=1e-12)


@pytest.mark.parametrize("text", ["logmel", "logmel(bands=20, parts=0)", "logmel(parts=7)"])
def test_logmel_keeps_the_promises_of_encoders(text: str) -> None:
    encoder = make_encoder(text)
    assert encoder.modality == "audio"
    check_encoder(encoder)


def test_the_parts_by_hand() -> None:
    sound = sounds()[4]
    power = mel_by_hand(wave(sound), 16_000, 400, 160, 40)
    levels = np.log(np.maximum(power, power.max() / 1e6))
    levels -= levels.mean()
    times = np.split(levels, [len(levels) // 4, len(levels) // 2, 3 * len(levels) // 4])
    parts = [
        levels.mean(0),
        levels.std(0),
        np.diff(levels, axis=0).std(0),
        np.concatenate([one.mean(0) for one in times]),
    ]
    wanted = np.concatenate([part / np.linalg.norm(part) for part in parts])
    np.testing.assert_allclose(LogMel().encode([sound], "item")[0], wanted, atol=1e-6)
    assert LogMel(bands=20, parts=2).encode([sound], "item").shape == (1, 100)


def test_loudness_and_the_file_play_no_part() -> None:
    first = tone(300, 0.5) + np.random.default_rng(0).normal(0, 0.05, 8000)
    kinds = [saved(first, subtype="FLOAT"), saved(first / 50, subtype="FLOAT"), saved(first, form="flac"),
             saved(np.stack([first, first], axis=1))]  # fmt: skip
    vectors = LogMel().encode(kinds, "item")
    assert np.abs(vectors - vectors[0]).max() < 1e-3


def test_silence_and_a_single_sample() -> None:
    silent, short, click = saved(np.zeros(9000)), saved(np.zeros(1)), saved(np.ones(1))
    vectors = LogMel().encode([silent, short, click], "item")
    assert not vectors[:2].any()
    assert np.isfinite(vectors).all()
    assert vectors[2].any()


def test_stretches_cover_all_rows() -> None:
    rows = np.arange(10.0)[:, None]
    assert stretches(rows, 4)[:, 0].tolist() == [0.5, 3.0, 5.5, 8.0]
    assert stretches(rows[:3], 5).shape == (5, 1)
    assert np.isfinite(stretches(rows[:1], 9)).all()


def test_options() -> None:
    for text in ("logmel(bands=1)", "logmel(bands=129)", "logmel(parts=-1)"):
        with pytest.raises(OptionError, match=r"The '(bands|parts)' must be"):
            make_encoder(text)
    assert len({LogMel().identity, LogMel(bands=41).identity, LogMel(parts=5).identity}) == 3
