"""Every way in which a sound file can be unusual or broken; clips and windows of it."""

from __future__ import annotations

import contextlib
import pickle
import struct
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg import soundfiles, sounds
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.sounds import BrokenSound, Clip, Heard, Sound, digest, examine, examine_all, examine_parts, wave, windows
from hardneg.testing._sounds import saved, tone

pytest.importorskip("soundfile")
pytest.importorskip("scipy")

TONE = tone(440, 0.5)
WAV, FLAC, OGG = saved(TONE), saved(TONE, form="flac"), saved(TONE, form="ogg")


def _reason(sound: Sound, look: Any = wave) -> str:
    with pytest.raises(BrokenSound) as caught:
        look(sound)
    return caught.value.reason


# --- kinds of files ---------------------------------------------------------------------------------------------------

KINDS = [
    ("wav", "PCM_U8", 0.01), ("wav", "PCM_16", 1e-4), ("wav", "PCM_24", 1e-6), ("wav", "PCM_32", 1e-6),
    ("wav", "FLOAT", 1e-7), ("wav", "DOUBLE", 1e-7), ("wav", "ULAW", 0.02), ("wav", "IMA_ADPCM", 0.05),
    ("wavex", "PCM_16", 1e-4), ("rf64", "PCM_16", 1e-4), ("w64", "PCM_16", 1e-4), ("flac", "PCM_S8", 0.01),
    ("flac", "PCM_16", 1e-4), ("flac", "PCM_24", 1e-6), ("ogg", "VORBIS", 0.05), ("aiff", "PCM_16", 1e-4),
    ("au", "PCM_16", 1e-4), ("caf", "PCM_16", 1e-4), ("nist", "PCM_16", 1e-4),
]  # fmt: skip


@pytest.mark.parametrize(("form", "subtype", "gap"), KINDS)
def test_any_kind_becomes_the_same_samples(form: str, subtype: str, gap: float) -> None:
    content = saved(TONE, form=form, subtype=subtype)
    samples = wave(content)
    assert samples.dtype == np.float32
    assert np.abs(samples[: len(TONE)] - TONE)[200:].max() <= gap  # a code of differences needs a while to follow
    # Codes that fill blocks may leave some silence at the end.
    assert 0 <= len(samples) - len(TONE) < 2048
    heard = examine(content)
    assert (heard.rate, heard.channels, heard.clipped) == (16_000, 1, 0.0)


@pytest.mark.parametrize("form", ["mp3", "opus"])
def test_lossy_kinds_keep_the_sound(form: str) -> None:
    content = saved(TONE, form="ogg", subtype="OPUS") if form == "opus" else saved(TONE, form="mp3")
    samples = wave(content)
    spectrum = np.abs(np.fft.rfft(samples[1000:7000]))
    assert np.argmax(spectrum) * 16_000 / 6000 == pytest.approx(440, abs=5)
    assert len(samples) / 16_000 == pytest.approx(0.5, abs=0.1)


def test_channels_are_averaged_in_any_number() -> None:
    for channels in (1, 2, 3, 6, 9):
        samples = np.random.default_rng(channels).uniform(-1, 1, (500, channels)).astype(np.float32)
        np.testing.assert_allclose(wave(saved(samples, subtype="FLOAT")), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("before", [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 7919])
def test_any_rate_becomes_the_one_asked_for(before: int) -> None:
    samples = wave(saved(tone(440, 1.0, before), before, subtype="FLOAT"))
    assert len(samples) == 16_000
    assert np.abs(samples[1000:-1000] - tone(440, 1.0)[1000:-1000]).max() < 0.01


def test_what_is_no_number_is_silent() -> None:
    samples = np.array([0.5, np.nan, np.inf, -np.inf, 2.5, -0.5] * 10, np.float32)
    content = saved(samples, subtype="FLOAT")
    assert wave(content)[:6].tolist() == [0.5, 0, 0, 0, 2.5, -0.5]
    assert examine(content).clipped == pytest.approx(1 / 6)


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    for name, content, fits in [
        ("a.wav", WAV, True), ("a.WAV", WAV, True), ("a.flac", WAV, False), ("a.raw", FLAC, True), ("a", WAV, True),
        ("a.wav", OGG, False), ("a.opus", OGG, True), ("a.mp3", FLAC, False), ("a.jpg", WAV, True),
    ]:  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert len(wave(tmp_path / name)) == len(TONE)
        assert examine(str(tmp_path / name)).suffix_fits == fits


def test_sizes_that_a_pipe_leaves_unknown() -> None:
    at = WAV.index(b"data") + 4
    for size in (0xFFFFFFFF, 0x7FFFFFFF):
        content = WAV[:at] + struct.pack("<I", size) + WAV[at + 4 :]
        assert np.array_equal(wave(content), wave(WAV))


# --- broken files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"<html>404</html>", "not_audio"),
        (b"\0" * 1000, "not_audio"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_audio"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(100), "not_audio"),
        (saved(TONE, form="mat5"), "not_audio"),
        (WAV[:20], "truncated_audio"),
        (WAV[: len(WAV) // 2], "truncated_audio"),
        (WAV[:-1], "truncated_audio"),
        (FLAC[:30], "truncated_audio"),
        (FLAC[: len(FLAC) // 2], "truncated_audio"),
        (OGG[: len(OGG) // 2], "truncated_audio"),
        (saved(TONE, form="aiff")[:5000], "truncated_audio"),
        (saved(TONE[:0]), "zero_length"),
        (saved(TONE[:0], form="aiff"), "zero_length"),
    ],
)
def test_broken_files(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(content)
    for look in (wave, examine, lambda one: list(windows(one, 0.1))):
        for sound in (content, path, str(path), Clip(path)):
            with pytest.raises(BrokenSound) as caught:
                look(sound)
            assert caught.value.reason == reason
            assert ("broken.wav" in str(caught.value)) == (sound is not content)
    assert isinstance(caught.value, InputError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.reason, again.path) == (str(caught.value), reason, path)


@pytest.mark.parametrize("content", [WAV, FLAC, OGG, saved(TONE, form="aiff"), saved(TONE, form="mp3")])
def test_any_damage_is_named_or_harmless(content: bytes) -> None:
    draw = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(content[: draw.integers(1, len(content) + 1)])
        for place in draw.integers(0, min(len(damaged), 100), 3):
            damaged[place] = draw.integers(256)
        for look in (wave, examine):
            with contextlib.suppress(BrokenSound):
                look(bytes(damaged))


@pytest.mark.parametrize(("package", "rate"), [("soundfile", 16_000), ("scipy.signal", 8000)])
def test_without_the_packages(package: str, rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[audio\]"'):
        wave(WAV, rate)


# --- clips and windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
def test_a_clip_is_its_part_of_the_file(form: str) -> None:
    content = saved(tone(300, 2.0), form=form)
    whole = wave(content)
    assert np.array_equal(wave(Clip(content, 0.5, 1.25)), whole[8000:20_000])
    assert np.array_equal(wave(Clip(content, 1.9)), whole[30_400:])
    assert np.array_equal(wave(Clip(content, end=0.1)), whole[:1600])
    assert examine(Clip(content, 0.5, 1.25)).seconds == 0.75


@pytest.mark.parametrize(
    ("start", "end"),
    [(0.2, 0.2), (0.3, 0.2), (0.1, 0.6), (0.5, None), (7, 8), (-0.1, 0.2), (float("nan"), 0.2), (0.1, float("nan")),
     (0.1, float("inf")), (0.2, 0.200001)],
)  # fmt: skip
def test_clips_that_are_not_within(start: float, end: float | None) -> None:
    for look in (wave, examine):
        assert _reason(Clip(WAV, start, end), look) == "out_of_range"


def test_long_sounds_are_taken_in_parts() -> None:
    assert len(wave(WAV, longest=0.5)) == 8000
    with pytest.raises(BrokenSound, match=r"0\.5 seconds; at most 0\.4 are read at once.*Take clips") as caught:
        wave(WAV, longest=0.4)
    assert caught.value.reason == "too_long"
    assert len(wave(Clip(WAV, 0.1, 0.5), longest=0.4)) == 6400
    assert examine(WAV).seconds == 0.5
    assert _reason(WAV, lambda one: examine(one, longest=0.1)) == "too_long"


@pytest.mark.parametrize("block", [0.01, 0.3, 0.777, 60.0])
@pytest.mark.parametrize(("form", "rate"), [("wav", 16_000), ("flac", 22_050), ("wav", 8000)])
@pytest.mark.parametrize(("seconds", "hop"), [(0.3, None), (0.3, 0.1), (0.2, 0.33), (5.0, 1.0)])
def test_windows_are_clips_whatever_the_block(
    form: str, rate: int, seconds: float, hop: float | None, block: float
) -> None:
    samples = np.random.default_rng(1).uniform(-0.9, 0.9, (round(1.96 * rate), 3))
    content = saved(samples, rate, form)
    found = list(windows(content, seconds, hop, block=block))
    step = hop or seconds
    assert [start for start, _, _ in found] == [number * step for number in range(len(found))]
    assert found[-1][1] == pytest.approx(1.96) or step > seconds
    assert len(found) == max(1, 1 + int(np.ceil((1.96 - seconds - 1e-9) / step))) or step > seconds
    for start, end, part in found:
        assert end - start <= seconds + 1e-9
        assert np.array_equal(part, wave(Clip(content, start, end)))


def test_windows_over_a_clip_tell_the_times_of_the_file() -> None:
    found = list(windows(Clip(WAV, 0.1, 0.35), 0.1))
    assert [(round(start, 3), round(end, 3)) for start, end, _ in found] == [(0.1, 0.2), (0.2, 0.3), (0.3, 0.35)]


def test_windows_read_a_block_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = sounds._read

    def counted(source: Any, file: Any, first: int, stop: int) -> Any:
        asked.append(stop - first)
        return read(source, file, first, stop)

    monkeypatch.setattr(sounds, "_read", counted)
    (tmp_path / "long.wav").write_bytes(saved(np.zeros(8000 * 100), 8000))
    assert sum(1 for _ in windows(tmp_path / "long.wav", 1.0, 0.5, block=10)) == 199
    assert max(asked) == 80_000
    assert len(asked) < 12


@pytest.mark.parametrize("name", ["seconds", "hop", "block", "rate"])
def test_options_of_windows(name: str) -> None:
    with pytest.raises(OptionError, match=f"The '{name}' must be a number above 0"):
        windows(WAV, **{"seconds": 1.0, name: 0})  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="'rate'"):
        wave(WAV, 0)


# --- examining --------------------------------------------------------------------------------------------------------


def test_what_a_sound_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(saved(np.stack([tone(100, 0.3, 8000)] * 2, axis=1), 8000))
    content = blake2b(path.read_bytes(), digest_size=16).digest()
    assert examine(path) == Heard(0.3, 8000, 2, content, clipped=0.0, silent=0.0)
    assert digest(path) == digest(path.read_bytes()) == digest(Clip(path)) == digest(Clip(path, 0.0)) == content
    clips = [Clip(path, 0.1), Clip(path, end=0.1), Clip(path, 0.1, 0.2), Clip(path, 0.1, 0.25)]
    assert len({content, *map(digest, clips)}) == 5
    assert digest(clips[2]) == digest(Clip(path.read_bytes(), 0.1, 0.2)) == examine(clips[2]).content
    assert digest(clips[2], content) == digest(clips[2])


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_clipping_is_counted(subtype: str) -> None:
    samples = np.concatenate([np.ones(300), -np.ones(200), np.full(500, 0.9)])
    assert examine(saved(samples, subtype=subtype)).clipped == 0.5


def test_silence_is_counted() -> None:
    samples = np.concatenate([tone(440, 0.5), np.full(8000, 1e-4), np.zeros(16_000)])
    assert examine(saved(samples)).silent == 0.75
    long = np.concatenate([np.zeros(16_000 * 70), tone(440, 30)])
    assert examine(saved(long)).silent == pytest.approx(0.7)
    assert examine(saved(np.zeros(5), 16_000)).silent == 1.0


@pytest.mark.parametrize("threads", [None, 1, 4])
def test_many_are_examined_in_order(threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.mediafiles._SLICE", 7)
    given: list[Sound] = [WAV, b"", FLAC, "/not/there", WAV[:90], Clip(WAV, 3, 4)] * 8
    found = examine_all(given, threads)
    assert [one.reason if isinstance(one, BrokenSound) else one.content for one in found] == [
        digest(WAV), "empty_file", digest(FLAC), "missing_file", "truncated_audio", "out_of_range",
    ] * 8  # fmt: skip
    errors = [one for one in found if isinstance(one, BrokenSound)]
    assert all(one.__traceback__ is None and one.__context__ is None for one in errors)
    assert str(errors[1].path) == "/not/there"
    assert examine_all([]) == []


def test_parts_of_a_sound_are_what_each_of_them_is_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    samples = rng.uniform(-1, 1, 40_000)
    samples[:9000] = 0.0
    samples[20_000:24_000] = 1.0
    (tmp_path / "a.wav").write_bytes(saved(samples, 8000))
    source = str(tmp_path / "a.wav")
    starts = rng.integers(0, 200, 60) / 50  # on the borders of pieces, so that the shares are exact
    times = [(start, start + length) for start, length in zip(starts, rng.integers(1, 50, 60) / 50, strict=True)]
    for (start, end), found in zip(times, examine_parts(source, times), strict=True):
        assert not isinstance(found, BrokenSound)
        assert found == (Clip(source, start, end), examine(Clip(source, start, end)))
    [(clip, whole)] = examine_parts(source, [(None, None)])  # type: ignore[misc]
    assert (clip, whole) == (Clip(source), examine(source))


def test_parts_that_are_none_have_their_reasons() -> None:
    sound = saved(np.ones(8000) * 0.5, 8000)
    times = [(0.0, 0.5), (0.5, 0.5), (0.9, 1.1), (-1.0, 0.5), (0.2, 1.004), (2.0, None), (float("nan"), 1.0)]
    found = examine_parts(sound, times, slack=0.01)
    assert [one.reason if isinstance(one, BrokenSound) else one[0].end for one in found] == [
        0.5, "out_of_range", "out_of_range", "out_of_range", 1.0, "out_of_range", "out_of_range",
    ]  # fmt: skip
    assert [type(one) for one in examine_parts(sound, [(3.0, 4.0)])] == [BrokenSound]
    with pytest.raises(BrokenSound, match="nothing in it"):
        examine_parts(b"", times)


def test_many_parts_of_a_sound_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(saved(np.ones(80_000) * 0.5, 8000))
    decoded = []

    def blocks(*given: Any) -> Any:
        decoded.append(given[2:4])
        return soundfiles.blocks(*given)

    monkeypatch.setattr(sounds, "blocks", blocks)
    assert len(examine_parts(tmp_path / "a.wav", [(at / 100, at / 100 + 1) for at in range(900)])) == 900
    assert decoded == [(0, 79_920)]
