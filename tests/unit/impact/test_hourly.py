"""Recall against false accepts an hour: by every threshold there is, through the figures, and what has no curve."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.impact.hourly import AFTER, BEFORE, Hourly, Part, hourly_curves
from hardneg.impact.listened import measure_heard
from hardneg.io.occurrences import read_occurrences
from hardneg.listening import Detector, Given, Hearing, Occurrence, Truth, listen, opened
from hardneg.progress import Silent
from hardneg.testing._sounds import saved, tone
from hardneg.verify import EventRule, events_of, matched

RULE = EventRule(on=0.5, merge=1)
HEARING = Hearing(window=0.5, hop=0.25, on=0.2)


def made(seed: int, recordings: int = 6, windows: int = 600, louder: float = 1.0, apart: int = 4) -> list[Part]:
    """Peaks of noise, some windows apart; some of them are louder, and there is the keyword."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(recordings):
        begin = apart * np.sort(rng.choice(np.arange(windows // apart), 7, replace=False))
        scores = np.where(np.arange(windows) % apart == 0, rng.normal(size=windows) ** 2, 0)
        scores[begin] += louder
        out.append((scores, begin, begin + 2))
    return out


def by_hand(parts: list[Part], rates: NDArray[np.float64], hours: float) -> list[float]:
    """The recall of every score as a threshold, as long as the rate is kept to."""
    points = []
    for on in np.unique(np.concatenate([scores for scores, _, _ in parts]))[1:]:  # above 0
        found = [matched(events_of(one, EventRule(on=float(on), merge=1)), begin, end) for one, begin, end in parts]
        false, hits = sum(int(one.false.sum()) for one in found), sum(int((one.event >= 0).sum()) for one in found)
        points.append((false / hours, hits / sum(len(begin) for _, begin, _ in parts)))
    return [max((recall for rate, recall in points if rate <= most + 1e-9), default=0.0) for most in rates]


def test_the_curve_is_that_of_every_threshold_there_is() -> None:
    before, after = made(0, louder=1.0), made(0, louder=3.0)
    hours = np.full(6, 0.5)
    found = hourly_curves(before, after, hours, (RULE, RULE), 0, Silent())
    assert found is not None
    assert found.across == "false accepts an hour"
    assert found.rates[0] == 1  # in three hours one false accept is a third an hour
    for name, parts in ((BEFORE, before), (AFTER, after)):
        band = found.arms[name]
        assert band.value.tolist() == pytest.approx(by_hand(parts, found.rates, 3.0))
        assert (np.diff(band.value) >= 0).all()
        assert (band.low <= band.value + 0.05).all()
        assert (band.value <= band.high + 0.05).all()
        assert (band.high - band.low).max() > 0.02
    assert (found.arms[AFTER].value >= found.arms[BEFORE].value).all()


def test_nothing_is_won_where_all_runs_into_one_event() -> None:
    noise = [(np.random.default_rng(0).normal(size=600), begin, end) for _, begin, end in made(0)]
    rule = EventRule(on=0.5, merge=3)
    found = hourly_curves(noise, noise, np.full(6, 0.5), (rule, rule), 0, Silent())
    assert found is not None
    assert found.arms[AFTER].value[found.rates <= 5].max() < 0.3  # at a threshold of -1 all is heard, in six events


def test_drawn_recordings_count_as_often_as_they_are_drawn() -> None:
    parts, rates = made(1, 3), np.array([1.0, 10.0, 100.0])
    exam = Hourly(np.array([0.5, 1.0, 0.25]), np.array([7, 7, 7]))
    rng = np.random.default_rng(0)
    answers = {"hits": rng.integers(0, 8, (20, 3)).astype(float), "false": rng.integers(0, 50, (20, 3)).astype(float)}
    twice = {name: one[:, [0, 0, 2]] for name, one in answers.items()}
    again = Hourly(np.array([0.5, 0.5, 0.25]), np.array([7, 7, 7]))
    weights = np.array([2.0, 0.0, 1.0])
    assert exam.found_at(answers, rates, weights).tolist() == again.found_at(twice, rates).tolist()
    assert len(parts) == 3
    assert np.isnan(Hourly(np.ones(3), np.zeros(3, np.int64)).found_at(answers, rates)).all()


def test_a_keyword_that_never_occurs_has_no_curve() -> None:
    none = [(scores, begin[:0], end[:0]) for scores, begin, end in made(0)]
    assert hourly_curves(none, none, np.ones(6), (RULE, RULE), 0, Silent()) is None


def loud(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(np.abs(windows).max(axis=1))


def high(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Loud, and of many crossings of zero: what is low is passed over."""
    crossings = (np.diff(np.signbit(windows), axis=1) != 0).mean(axis=1)
    return np.asarray(np.abs(windows).max(axis=1) * np.clip(crossings / 0.1, 0, 1) ** 2)


@pytest.fixture
def radio(tmp_path: Path) -> tuple[Path, Truth]:
    """Four recordings with high tones to find, and low ones, both of many volumes."""
    pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")
    folder, rng, known = tmp_path / "radio", np.random.default_rng(0), {}
    folder.mkdir()
    for number in range(4):
        parts, at, here = [], 0.0, []
        for place in range(12):
            parts += [np.zeros(12_000), rng.uniform(0.2, 0.9) * tone(900 if place % 2 else 200, 0.5)]
            at += 0.75
            if place % 2:
                here.append(Occurrence("high", at, at + 0.5))
            at += 0.5
        (folder / f"{number}.wav").write_bytes(saved(np.concatenate([*parts, np.zeros(12_000)])))
        known[f"{number}.wav"] = here
    return folder, Truth(known)


def test_two_listenings_are_one_page(radio: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = radio
    for name, function in (("before", loud), ("after", high)):
        listen(folder, Detector(call=function, keywords=("high",)), HEARING, out=tmp_path / name, truth=truth)
    assert read_occurrences(tmp_path / "after" / "occurrences.parquet") == truth
    assert opened(tmp_path / "after").occurrences == tmp_path / "after" / "occurrences.parquet"
    compared, notes = measure_heard(tmp_path / "before", tmp_path / "after")
    assert compared[0].verdict == "helped"
    assert notes[0].startswith(
        "high: At 1,120 false accepts an hour the new one can find 100.0% (100.0% to 100.0%), the"
    )
    found = json.loads((tmp_path / "after" / "impact.json").read_text())
    (keyword,) = found["keywords"]
    assert keyword["sentence"] == compared[0].sentence
    after, before = keyword["operating"]["arms"]
    assert [after["name"], before["name"]] == ["after", "before"]
    assert after["value"][0] == 1 > before["value"][0]
    for arm, curve in zip(keyword["arms"], keyword["operating"]["arms"], strict=True):
        at = np.searchsorted(keyword["operating"]["rates"], arm["false_accepts_per_hour"]["value"])
        assert curve["value"][int(at)] >= arm["recall"] - 1e-9
    page = (tmp_path / "after" / "impact.html").read_text()
    assert 'aria-label="Recall and false accepts: occurrences found by false accepts an hour' in page
    assert page.count('class="curve-band') == 2
    assert compared[0].sentence in page
    measure_heard(tmp_path / "before", tmp_path / "after")
    assert json.loads((tmp_path / "after" / "impact.json").read_text()) == found


def test_what_has_no_curve_says_why(radio: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = radio
    detector = Detector(call=loud, keywords=("high",))
    listen(folder, detector, HEARING, out=tmp_path / "heard", truth=truth)
    listen(folder, Given.in_folder(tmp_path / "heard", ("high",)), HEARING, out=tmp_path / "given", truth=truth)
    assert "keeps no scores" in measure_heard(tmp_path / "given", tmp_path / "heard")[1][0]
    moved = Truth({name: [Occurrence(one.keyword, one.start + 0.1, one.end) for one in here]
                   for name, here in truth.of.items()})  # fmt: skip
    listen(folder, detector, HEARING, out=tmp_path / "moved", truth=moved)
    assert "not of the same known recordings" in measure_heard(tmp_path / "moved", tmp_path / "heard")[1][0]
    (tmp_path / "heard" / "occurrences.parquet").unlink()
    _, notes = measure_heard(tmp_path / "moved", tmp_path / "heard")
    assert "does not keep where the keywords are" in notes[0]
    assert notes[0] in (tmp_path / "heard" / "impact.html").read_text().replace("&#39;", "'")
    with pytest.raises(InputError, match="no folder of hardneg listen"):
        opened(tmp_path)


def test_of_one_recording_there_is_a_line_and_no_band(radio: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = radio
    one = Truth({"0.wav": truth.of["0.wav"]})
    for name, function in (("before", loud), ("after", high)):
        listen(folder, Detector(call=function, keywords=("high",)), HEARING, out=tmp_path / name, truth=one)
    assert pq.read_table(tmp_path / "after" / "occurrences.parquet").num_rows == 6
    measure_heard(tmp_path / "before", tmp_path / "after")
    curve = json.loads((tmp_path / "after" / "impact.json").read_text())["keywords"][0]["operating"]["arms"][0]
    assert curve["low"][0] is None
    page = (tmp_path / "after" / "impact.html").read_text()
    assert page.count('class="curve-line') == 2 * 2
    assert "curve-band" not in page[page.index("<main") :]


def test_scores_that_are_broken_or_outside_are_said(radio: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = radio
    for name in ("before", "after"):
        listen(folder, Detector(call=loud, keywords=("high",)), HEARING, out=tmp_path / name, truth=truth)
    broken = opened(tmp_path / "after").known[0].file
    broken.write_bytes(broken.read_bytes()[:60])
    assert "The scores cannot be read" in measure_heard(tmp_path / "before", tmp_path / "after")[1][0]
    file = tmp_path / "after" / "recordings.parquet"
    table = pq.read_table(file)
    rows = [{**one, "scores": f"../before/{one['scores']}"} for one in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, table.schema), file)
    with pytest.raises(InputError, match="lie outside"):
        opened(tmp_path / "after")
