"""Listening, held against one loop over all windows at once; broken files, ends of files, other rates, killed work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from tests.restarts import killed_until_done

from hardneg.errors import InputError, OptionError, RunError
from hardneg.listening import Detector, Given, Hearing, Occurrence, Truth, listen, scoring
from hardneg.sounds import wave
from hardneg.testing._sounds import saved, tone

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")
pytest.importorskip("scipy", reason="other rates need the extra 'audio'")

ROOT = Path(__file__).resolve().parents[3]
RATE = 16_000
HEARING = Hearing(window=0.5, hop=0.125, on=0.3, off=0.2, merge=0.25, least=0.25, refractory=0.5, context=0.25)


def loudness(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1)), np.float32)


LOUD = Detector(call=loudness, keywords=("loud",), batch_size=7)


def noisy(seconds: float, bursts: list[tuple[float, float]], rate: int = RATE, seed: int = 0) -> NDArray[np.float64]:
    """Near silence, with a tone from each first to each second number of seconds."""
    out = np.random.default_rng(seed).normal(size=round(seconds * rate)) * 0.01
    for start, end in bursts:
        part = out[round(start * rate) : round(end * rate)]
        part += tone(300, len(part) / rate, rate)[: len(part)]
    return out


def write(folder: Path, name: str, samples: NDArray[Any], rate: int = RATE, form: str = "wav") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(saved(samples, rate, form))


def heard(folder: Path, hearing: Hearing = HEARING, **options: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    out = folder.parent / f"heard {time.monotonic_ns()}"
    summary = listen(folder, options.pop("detector", LOUD), hearing, out=out, **options)
    return pq.read_table(out / "events.parquet").to_pylist(), summary


# --- events ----------------------------------------------------------------------------------------------------------


def brute(samples: NDArray[np.float64], hearing: Hearing) -> list[tuple[float, float, float]]:
    """Every window on its own, then the rule step by step, in seconds."""
    seconds = len(samples) / RATE
    windows: list[tuple[float, float]] = []
    while not windows or windows[-1][1] < seconds:
        start = len(windows) * hearing.hop
        windows.append((start, start + hearing.window))
    size = round(hearing.window * RATE)
    scores = []
    for start, _ in windows:
        part = samples[round(start * RATE) :][:size]
        scores.append(float(loudness(np.pad(part, (0, size - len(part)))[None].astype(np.float32))[0]))
    runs: list[list[int]] = []
    inside = False
    for number, score in enumerate(scores):
        now = score >= hearing.on or (inside and score >= (hearing.on if hearing.off is None else hearing.off))
        if now and not inside:
            runs.append([number, number])
        if now:
            runs[-1][1] = number
        inside = now
    merged: list[list[int]] = []
    for first, last in runs:
        if merged and (first - merged[-1][1] - 1) * hearing.hop <= hearing.merge + 1e-9:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    found: list[tuple[float, float, float]] = []
    deaf_until = -1.0
    for first, last in merged:
        if (last - first + 1) * hearing.hop >= hearing.least - 1e-9 and first * hearing.hop >= deaf_until - 1e-9:
            end = min(seconds, windows[last][1])
            found.append((windows[first][0], end, max(scores[first : last + 1])))
            deaf_until = (last + 1) * hearing.hop + hearing.refractory
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("part", [3, 16, 4096])
def test_events_are_those_of_one_loop_over_all_windows(
    seed: int, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "PART", part)
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.uniform(0, 19, 12))
    samples = noisy(20 + rng.uniform(), [(start, start + rng.uniform(0.05, 1.2)) for start in starts], seed=seed)
    samples = np.rint(samples.clip(-1, 1) * 32_767) / 32_768  # as a file of 16 bits keeps them
    write(tmp_path / "in", "a.wav", samples)
    events, summary = heard(tmp_path / "in")
    found = [(one["event_start"], one["event_end"], one["peak"]) for one in events]
    wanted = brute(wave(str(tmp_path / "in" / "a.wav")).astype(np.float64), HEARING)
    assert len(wanted) > 2
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert summary["keywords"]["loud"]["unlabelled"] == len(wanted)


def test_an_event_at_either_end_of_a_file_stays_within_it(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(3.3, [(0, 0.6), (2.8, 3.3)]))
    (first, last), _ = heard(tmp_path / "in")
    assert (first["start"], first["event_start"]) == (0, 0)
    assert (last["event_end"], last["end"]) == (3.3, 3.3)
    assert last["start"] == pytest.approx(last["event_start"] - 0.25)
    for one in (first, last):  # the clip can be cut out of the file, and each score is that of a window in it
        cut = wave(str(tmp_path / "in" / "a.wav"))[round(one["start"] * RATE) : round(one["end"] * RATE)]
        assert len(cut) / RATE == pytest.approx(one["end"] - one["start"])
        assert max(one["scores"]) == one["peak"]
        assert one["start"] <= one["scores_start"] <= one["event_start"]


def test_a_file_shorter_than_a_window_is_one_window_with_silence_after_it(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", tone(300, 0.2))
    shapes = []

    def detector(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes.append((windows.shape, bool(windows[0, 3200:].any())))
        return np.ones(len(windows), np.float32)

    (one,), summary = heard(tmp_path / "in", Hearing(window=0.5, hop=0.1, on=0.5), detector=Detector(call=detector))
    assert shapes == [((1, 8000), False)]
    assert (one["event_start"], one["event_end"], one["scores"]) == (0, 0.2, [1.0])
    assert summary["windows"] == 1


@pytest.mark.parametrize(("rate", "form"), [(8000, "wav"), (11_025, "wav"), (44_100, "flac"), (48_000, "wav")])
def test_other_rates_and_two_channels_are_heard_alike(rate: int, form: str, tmp_path: Path) -> None:
    samples = noisy(6, [(2, 3)], rate)
    write(tmp_path / "in", f"a.{form}", np.stack([samples, samples], axis=1), rate, form)
    (one,), summary = heard(tmp_path / "in")
    write(tmp_path / "plain", "a.wav", noisy(6, [(2, 3)]))
    (plain,), _ = heard(tmp_path / "plain")
    assert (one["event_start"], one["event_end"]) == (plain["event_start"], plain["event_end"])
    assert one["peak"] == pytest.approx(plain["peak"], abs=0.01)
    assert summary["hours"] == pytest.approx(6 / 3600)


def test_several_keywords_have_events_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(4, [(1, 2)]))
    both = Detector(call=lambda windows: np.stack([loudness(windows), -loudness(windows)], 1), keywords=("up", "down"))
    events, summary = heard(tmp_path / "in", Hearing(window=0.5, hop=0.1, on=-0.05), detector=both)
    assert {one["heard"] for one in events} == {"up", "down"}
    assert len({one["id"] for one in events}) == len(events)
    assert summary["keywords"]["down"]["events"] == sum(one["heard"] == "down" for one in events) > 0


# --- the account -----------------------------------------------------------------------------------------------------


def test_hits_misses_and_false_accepts_where_it_is_known_and_nothing_where_it_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "known.wav", noisy(20, [(2, 3), (8, 9), (8.9, 9.2), (15, 16)]))
    write(folder, "empty.wav", noisy(10, [(5, 6)]))
    write(folder, "other.wav", noisy(10, [(5, 6)]))
    known = [Occurrence("loud", 2.2, 2.9), Occurrence("loud", 12, 12.5), Occurrence("door", 15.2, 15.9)]
    truth = Truth({"known.wav": known, "empty.wav": []})
    events, summary = heard(folder, truth=truth)
    outcomes = [(one["recording"], one["outcome"], one["label"]) for one in events]
    assert outcomes == [
        ("empty.wav", "false_accept", None), ("known.wav", "hit", "loud"), ("known.wav", "false_accept", None),
        ("known.wav", "false_accept", "door"), ("other.wav", "unlabelled", None),
    ]  # fmt: skip
    one = summary["keywords"]["loud"]
    assert (one["hits"], one["misses"], one["false_accepts"], one["unlabelled"]) == (1, 1, 3, 1)
    hours = 30 / 3600
    assert summary["hours_known"] == pytest.approx(hours)
    assert one["false_accepts_per_hour"]["value"] == pytest.approx(3 / hours)
    chi2 = pytest.importorskip("scipy.stats").chi2
    assert one["false_accepts_per_hour"]["low"] == pytest.approx(chi2.ppf(0.025, 6) / 2 / hours, rel=1e-6)
    assert one["false_accepts_per_hour"]["high"] == pytest.approx(chi2.ppf(0.975, 8) / 2 / hours, rel=1e-6)


def test_the_clip_of_a_false_accept_holds_nothing_of_the_keyword(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(10, [(4, 5)]))
    near = [Occurrence("loud", 2.9, 3.3), Occurrence("loud", 5.7, 6.0)]
    hearing = Hearing(window=0.5, hop=0.125, on=0.3, context=1.0)
    (one,), _ = heard(tmp_path / "in", hearing, truth=Truth({"a.wav": near}))
    assert one["outcome"] == "false_accept"
    assert (one["start"], one["end"]) == (3.3, 5.7)
    assert one["scores_start"] >= 3.3


def test_silence_clipping_and_broken_files_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "deep/a.wav", np.concatenate([np.zeros(RATE), np.ones(RATE), np.full(2 * RATE, 0.5)]))
    write(folder, "none.wav", np.zeros(0))
    whole = saved(noisy(5, []))
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "page.mp3").write_text("<html>")
    (folder / "nothing.flac").write_bytes(b"")
    (folder / "notes.txt").write_text("no sound, and not named like one")
    (folder / ".hidden.wav").write_bytes(whole)
    (tmp_path / "outside.wav").write_bytes(whole)
    (folder / "link.wav").symlink_to(tmp_path / "outside.wav")
    _, summary = heard(folder, Hearing(window=0.5, hop=0.5, on=2))
    assert summary["hours_silent"] * 3600 == pytest.approx(1, abs=0.05)
    assert (summary["recordings"], summary["windows"], summary["windows_clipped"]) == (1, 8, 2)
    assert {one["reason"]: (one["count"], one["examples"]) for one in summary["left_out"]} == {
        "zero_length": (1, ["none.wav"]), "truncated_audio": (1, ["cut.wav"]), "not_audio": (1, ["page.mp3"]),
        "empty_file": (1, ["nothing.flac"]), "path_outside_folder": (1, ["link.wav"]),
    }  # fmt: skip


def test_names_are_relative_to_the_folder_of_all_media(tmp_path: Path) -> None:
    write(tmp_path, "all/radio/a.wav", noisy(3, [(1, 2)]))
    (one,), summary = heard(tmp_path / "all" / "radio", root=tmp_path / "all")
    assert one["audio"] == "radio/a.wav"
    assert summary["media"] == ".."  # as seen from what was made, beside the recordings
    (one,), _ = heard(tmp_path / "all" / "radio" / "a.wav", root=tmp_path)
    assert one["audio"] == "all/radio/a.wav"
    with pytest.raises(InputError, match="not in the folder"):
        heard(tmp_path / "all", root=tmp_path / "all" / "radio")


# --- scores given ----------------------------------------------------------------------------------------------------


def test_another_threshold_needs_no_detector(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(20, [(2, 3), (8, 9)]))
    write(tmp_path / "in", "b.wav", noisy(7, [(1, 2)]))
    listen(tmp_path / "in", LOUD, HEARING, out=tmp_path / "first")
    again, summary = heard(tmp_path / "in", detector=Given.in_folder(tmp_path / "first", ("loud",)))
    assert again == pq.read_table(tmp_path / "first" / "events.parquet").to_pylist()
    assert summary["windows_clipped"] is None
    higher, _ = heard(
        tmp_path / "in", Hearing(0.5, 0.125, on=0.9), detector=Given.in_folder(tmp_path / "first", ("loud",))
    )
    assert higher == []


def test_scores_of_a_folder_are_found_by_name_and_must_fit(tmp_path: Path) -> None:
    write(tmp_path / "in", "deep/a.wav", noisy(4, []))
    write(tmp_path / "in", "b.wav", noisy(4, []))
    scores = np.zeros(29)
    scores[4:8] = 1
    (tmp_path / "scores" / "deep").mkdir(parents=True)
    np.save(tmp_path / "scores" / "deep" / "a.npy", scores)
    given = Given.in_folder(tmp_path / "scores", ("loud",))
    (one,), summary = heard(tmp_path / "in", detector=given)
    assert (one["recording"], one["event_start"], one["event_end"]) == ("deep/a.wav", 0.5, 1.375)
    assert summary["left_out"] == [{"reason": "no_scores", "count": 1, "examples": ["b.wav"]}]
    np.save(tmp_path / "scores" / "deep" / "a.npy", np.zeros(400))
    with pytest.raises(InputError, match="There are 400 scores"):
        heard(tmp_path / "in", detector=given)
    np.save(tmp_path / "scores" / "deep" / "a.npy", np.zeros((29, 2)))
    with pytest.raises(InputError, match="shape \\(windows, 1\\)"):
        heard(tmp_path / "in", detector=given)
    np.save(tmp_path / "scores" / "deep" / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match="no scores that can be read"):
        heard(tmp_path / "in", detector=given)


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda windows: 1 / 0, "failed from 0 s of 'a.wav' \\(ZeroDivisionError"),
        (lambda windows: np.full(len(windows), np.nan), "no finite number"),
        (lambda windows: np.zeros((len(windows), 2)), "Got \\(7, 2\\). Name one keyword"),
        (lambda windows: 0.5, "must return scores of shape \\(7,\\)"),
        (lambda windows: windows, "must return scores of shape"),
        (lambda windows: ["much"] * len(windows), "must return numbers"),
    ],
)
def test_a_detector_that_fails_is_named(function: Any, message: str, tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(3, []))
    with pytest.raises(InputError, match=message):
        listen(tmp_path / "in", Detector(call=function, batch_size=7), HEARING, out=tmp_path / "out")
    assert {one.name for one in tmp_path.iterdir()} == {"in"}  # nothing stands in the way of a mended one


def test_what_does_not_fit_is_said_before_the_work(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(3, []))
    for occurrences, message in (
        ({"b.wav": []}, "in other recordings"),
        ({"a.wav": [Occurrence("quiet", 1, 2)]}, "No known occurrence is one of: loud"),
        ({"a.wav": [Occurrence("loud", 4, 5)]}, "not within 'a.wav'"),
    ):
        with pytest.raises(InputError, match=message):
            heard(tmp_path / "in", truth=Truth(occurrences))
    with pytest.raises(OptionError, match="has no function"):
        heard(tmp_path / "in", detector=Detector("math:nothing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="There is no sound in this folder"):
        heard(tmp_path / "empty")
    for options, name in (({"hop": 2}, "hop"), ({"on": 0.1, "off": 0.2}, "off"), ({"merge": -1}, "merge")):
        with pytest.raises(OptionError, match=name):
            Hearing(**options)
    with pytest.raises(OptionError, match="several different ones"):
        Detector("math:sqrt", keywords=("a", "a"))


def test_only_what_listening_made_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(3, []))
    listen(tmp_path / "in", LOUD, HEARING, out=tmp_path / "out")
    with pytest.raises(RunError, match="exists already"):
        listen(tmp_path / "in", LOUD, HEARING, out=tmp_path / "out")
    listen(tmp_path / "in", LOUD, HEARING, out=tmp_path / "out", overwrite=True)
    with pytest.raises(RunError, match="was not made by listening"):
        listen(tmp_path / "in", LOUD, HEARING, out=tmp_path / "in", overwrite=True)


# --- killed ----------------------------------------------------------------------------------------------------------

SLOW = """
import sys, time
from pathlib import Path
import numpy as np
from hardneg.listening import Detector, Hearing, listen, scoring

scoring.PART = 40

def loudness(windows):
    time.sleep(0.01)
    return np.sqrt((windows.astype(np.float64) ** 2).mean(axis=1))

hearing = Hearing(window=0.5, hop=0.125, on=0.3, off=0.2, merge=0.25, context=0.25)
detector = Detector(call=loudness, batch_size=8, keywords=("loud",))
listen(Path(sys.argv[1]), detector, hearing, out=Path(sys.argv[2]))
"""


def _bytes(folder: Path) -> dict[str, bytes]:
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a kill that cannot be caught")
def test_killed_again_and_again_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    for number in range(3):
        bursts = [(5.0 * one + number, 5.0 * one + number + 1) for one in range(12)]
        write(tmp_path / "in", f"{number}.wav", noisy(62 + number, bursts))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}

    def started(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "in"), str(out)], env=environment)

    assert started(tmp_path / "whole").wait() == 0
    again = tmp_path / "again"
    kills = killed_until_done(lambda: started(again), tmp_path / "again.partial" / "journal.jsonl", step=3)
    assert kills >= 4
    assert _bytes(tmp_path / "again") == _bytes(tmp_path / "whole")
    assert {one.name for one in tmp_path.iterdir()} == {"in", "whole", "again"}


def test_work_of_another_detector_is_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path / "in", "a.wav", noisy(30, []))
    calls = []

    def stops(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        calls.append(len(windows))
        if len(calls) > 5:
            raise KeyboardInterrupt
        return loudness(windows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "PART", 20)
        with pytest.raises(KeyboardInterrupt):
            listen(tmp_path / "in", Detector("a:b", call=stops, batch_size=10), HEARING, out=tmp_path / "out")
        with pytest.raises(RunError, match="unfinished work"):
            listen(tmp_path / "in", Detector("a:c", call=loudness), HEARING, out=tmp_path / "out")
        entries = (tmp_path / "out.partial" / "journal.jsonl").read_text().split("\n")
        assert sum("done" in json.loads(line) for line in entries if line) == 2
        calls.clear()
        listen(tmp_path / "in", Detector("a:b", call=loudness, batch_size=3), HEARING, out=tmp_path / "out")
    assert not (tmp_path / "out.partial").exists()


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    code = (
        "import resource, sys; import numpy as np; from hardneg.listening import *\n"
        "listen(sys.argv[1], Detector(call=lambda x: abs(x).max(axis=1)), Hearing(hop=1.0, on=0.9), out=sys.argv[2])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    import soundfile

    peaks = []
    for minutes in (5, 90):
        with soundfile.SoundFile(tmp_path / f"{minutes}.wav", "w", RATE, 1, "PCM_16") as file:
            for _ in range(minutes):
                file.write(np.zeros(60 * RATE, np.int16))
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{minutes}.wav"), str(tmp_path / f"out{minutes}")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 20_000, "kilobytes; the longer recording alone has 173 MB"
