"""Sounds in the report: which part of each, drawn where its pitch is, within the budget, the same wherever it lies."""

from __future__ import annotations

import io
import shutil
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.heard import SECONDS, heard, wave_of

from hardneg.report import write_report
from hardneg.report.embed import embedded_json
from hardneg.report.excerpts import LONGEST, excerpt_of, playable, samples_of
from hardneg.report.facts import Facts
from hardneg.report.gallery import gallery
from hardneg.report.spectrogram import BANDS, spectrogram
from hardneg.run import Run
from hardneg.sounds import BrokenSound, Clip
from hardneg.testing._sounds import saved, tone

soundfile = pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return heard(tmp_path_factory.mktemp("heard"))


def pixels(png: bytes) -> Any:
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png))
    return np.asarray(image.convert("RGB")).astype(int).sum(axis=2)


# --- drawn ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pitch", [300, 1000, 3000])
def test_a_tone_is_a_bright_line_at_its_pitch(pitch: int) -> None:
    drawn = pixels(spectrogram(tone(pitch, 0.5).astype("f4"), 16_000, 64))
    assert drawn.shape == (BANDS, 64)
    # Slaney's scale: 66.7 Hz a step up to 1000 Hz, then 27 steps to an increase of 6.4 times.
    mel = pitch * 3 / 200 if pitch < 1000 else 15 + np.log(pitch / 1000) * 27 / np.log(6.4)
    top = 15 + np.log(8) * 27 / np.log(6.4)
    expected = mel / top * (BANDS + 1) - 1
    rows = BANDS - 1 - drawn[:, 8:-8].argmax(axis=0)
    assert np.abs(rows - expected).max() <= 1


def test_time_goes_to_the_right() -> None:
    sound = np.concatenate([np.zeros(8000), tone(500, 0.5)]).astype("f4")
    bright = pixels(spectrogram(sound, 16_000, 64)).max(axis=0)
    assert bright[:28].max() < bright[36:].min()


@pytest.mark.parametrize("samples", [np.zeros(4000, "f4"), np.zeros(1, "f4"), np.full(3, 0.5, "f4")])
def test_silence_and_next_to_nothing_can_be_drawn(samples: Any) -> None:
    drawn = pixels(spectrogram(samples, 8000, 96))
    assert drawn.shape == (BANDS, 96)
    assert samples.any() or len(np.unique(drawn)) == 1


# --- the part ---------------------------------------------------------------------------------------------------------


def test_the_middle_of_a_long_sound() -> None:
    sound = saved(tone(300, 10.0, 8000), 8000)
    found = excerpt_of(sound, {})
    assert (found.seconds, found.start, found.end) == (10.0, 5 - LONGEST / 2, 5 + LONGEST / 2)
    assert (found.rate, found.track, found.event) == (8000, None, None)
    np.testing.assert_allclose(samples_of(found), tone(300, 10.0, 8000)[28_000:52_000], atol=1e-4)


@pytest.mark.parametrize(("event", "start"), [((13.0, 13.4), 1.7), ((10.1, 10.2), 0.0), ((19.5, 25.0), 7.0)])
def test_around_the_event(event: tuple[float, float], start: float) -> None:
    sound = Clip(saved(tone(300, 30.0, 8000), 8000), 10.0, 20.0)
    found = excerpt_of(sound, {"event_start": event[0], "event_end": event[1]})
    assert found.seconds == 10.0
    assert found.start == pytest.approx(start)
    assert found.end - found.start == pytest.approx(LONGEST)
    assert found.event is not None
    inside = [(min(one, 20.0) - 10 - start) / LONGEST for one in event]
    assert found.event == pytest.approx(inside, abs=1e-3)


@pytest.mark.parametrize(
    "about", [{"event_start": 40.0, "event_end": 41.0}, {"event_start": 2.0, "event_end": 1.0}, {"event_start": None}]
)
def test_an_event_elsewhere_is_none(about: dict[str, Any]) -> None:
    assert excerpt_of(saved(tone(300, 3.5)), about).event is None


def test_the_track_is_that_of_the_part() -> None:
    scores = [0.0] * 100
    scores[62] = 0.9  # at 6.2 s of 10
    sound = saved(tone(300, 10.0, 8000), 8000)
    track = excerpt_of(sound, {"scores": scores, "step": 0.1, "event_start": 6.0, "event_end": 6.5}).track
    assert track is not None
    assert len(track) == 30
    assert track.index(0.9) == int((6.2 - (6.25 - LONGEST / 2)) / 0.1)


@pytest.mark.parametrize("scores", [[], None, "high", [None, None], [float("nan")]])
def test_scores_that_are_none(scores: Any) -> None:
    assert excerpt_of(saved(tone(300, 1.0)), {"scores": scores, "step": 0.1}).track is None
    assert excerpt_of(saved(tone(300, 1.0)), {"scores": [0.5], "step": 0.0}).track is None


def test_many_scores_keep_their_peaks() -> None:
    scores = [0.1] * 3000
    scores[1234] = 1.0
    track = excerpt_of(saved(tone(300, 3.0)), {"scores": scores, "step": 0.001}).track
    assert track is not None
    assert len(track) <= 60
    assert track.count(1.0) == 1


def test_what_is_played_is_the_part() -> None:
    found = excerpt_of(saved(tone(440, 1.0)), {})
    samples, rate = soundfile.read(io.BytesIO(b64decode(playable(found))))
    assert rate == 16_000
    assert len(samples) / rate == pytest.approx(1.0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(samples[2000:14_000]))
    assert spectrum.argmax() * rate / 12_000 == pytest.approx(440, abs=2)
    assert playable(found) == playable(found)


def test_a_clip_beyond_its_file_is_broken() -> None:
    with pytest.raises(BrokenSound, match="the sound has 1 s"):
        excerpt_of(Clip(saved(tone(300, 1.0)), 0.5, 2.0), {})


# --- the gallery ------------------------------------------------------------------------------------------------------


def test_every_sound_has_its_picture_its_words_and_itself(run: Run) -> None:
    made = gallery(Facts.gather(run))
    assert made.sounds is not None
    assert made.data["tiles"]
    assert (made.sounds.sounds, made.sounds.playable, made.sounds.cut) == (48, 48, 0)
    for name, _, _, _, label, picture, problem, sound in made.data["items"]:
        assert b64decode(picture).startswith(b"\x89PNG")
        assert problem == ""
        assert sound["time"] == f"{SECONDS:.2f} s"
        assert sound["who"].startswith("speaker ")
        assert label in ("yes", "no", "up/down", "..", "")
        if name not in ("i1", "i5"):  # which share a file
            samples, rate = soundfile.read(io.BytesIO(b64decode(sound["audio"])))
            here = np.abs(np.fft.rfft(samples[: round(SECONDS * rate)])).argmax()
            there = np.abs(np.fft.rfft(wave_of(int(name[1:])))).argmax()
            assert abs(here - there) <= 1


def test_what_does_not_fit_is_a_picture_only(run: Run) -> None:
    facts = Facts.gather(run)
    whole = len(embedded_json(gallery(facts).data))
    for budget in (whole * 3 // 4, whole // 2):
        made = gallery(Facts.gather(run), budget)
        assert made.sounds is not None
        assert len(embedded_json(made.data)) <= budget
        heard_of = {one[0] for one in made.data["items"] if "audio" in one[-1]}
        assert 0 < len(heard_of) == made.sounds.playable < made.sounds.sounds
        items = made.data["items"]
        first = made.data["anchors"][0]
        assert items[first["item"]][0] in heard_of  # the anchors come first
    assert "can be played; for the others this page has room for the picture only" in page_of(run, whole // 2)


def page_of(run: Run, budget: int) -> str:
    """The gallery's own words, with another budget."""
    from hardneg.report import page

    environment = page.environment()
    template = environment.get_template("gallery.html.j2")
    return template.render(data=gallery(Facts.gather(run), budget))


def test_broken_sounds_are_said(tmp_path: Path) -> None:
    run = heard(tmp_path, filters="known")
    sounds = tmp_path / "sounds"
    (sounds / "0" / "s0.wav").unlink()
    (sounds / "2" / "s2.wav").write_bytes(b"")
    (sounds / "0" / "s3.wav").write_bytes(b"<html>")
    (sounds / "1" / "s4.wav").write_bytes(saved(wave_of(4))[:-100])
    items = {one[0]: one for one in gallery(Facts.gather(run)).data["items"]}
    said = {name: items[name][6] for name in ("i0", "i2", "i3", "i4")}
    assert said == {
        "i0": "file not found", "i2": "the file is empty", "i3": "not a sound", "i4": "the file is damaged",
    }  # fmt: skip
    assert write_report(run).stat().st_size < 5_000_000


def test_the_page_is_the_same_wherever_it_lies(run: Run, tmp_path: Path) -> None:
    home = run.path.parent
    (home / "sounds" / "2" / "s2.wav").rename(home / "sounds" / "2" / "gone")
    try:
        shutil.copytree(home, tmp_path / "elsewhere")
        pages = [
            write_report(Run.open(one / "run"), tmp_path / f"{one.name}.html") for one in (home, tmp_path / "elsewhere")
        ]
    finally:
        (home / "sounds" / "2" / "gone").rename(home / "sounds" / "2" / "s2.wav")
    assert pages[0].read_bytes() == pages[1].read_bytes()
    assert str(home) not in pages[0].read_text(encoding="utf-8")


def test_without_soundfile_the_page_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    made = gallery(Facts.gather(run))
    assert {one[6] for one in made.data["items"]} == {'not shown: run pip install "hardneg[audio]"'}
    assert "audio" not in made.data


def test_without_mp3_sounds_are_wav(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from hardneg.report import excerpts

    known = soundfile.available_formats()
    monkeypatch.setattr(soundfile, "available_formats", lambda: {one: known[one] for one in known if one != "MP3"})
    excerpts.audio_type.cache_clear()
    try:
        made = gallery(Facts.gather(run))
    finally:
        excerpts.audio_type.cache_clear()
    assert made.data["audio"] == "audio/wav"
    assert soundfile.info(io.BytesIO(b64decode(made.data["items"][0][-1]["audio"]))).subtype == "ULAW"


def test_where_speakers_are_the_labels_words_are_said(tmp_path: Path) -> None:
    data = gallery(Facts.gather(heard(tmp_path, same="speaker"))).data
    assert any(one[7]["who"] == "label yes" for one in data["items"])


def test_scores_may_begin_before_the_clip() -> None:
    scores = [0.0] * 40
    scores[25] = 0.8  # at 4.5 s of the file, 0.5 s of the clip
    sound = Clip(saved(tone(300, 10.0, 8000), 8000), 4.0, 6.0)
    track = excerpt_of(sound, {"scores": scores, "step": 0.1, "scores_start": 2.0}).track
    assert track is not None
    assert track.index(0.8) == 5
    assert len(track) == 20
