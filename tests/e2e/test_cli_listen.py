"""`hardneg listen`, from recordings to what is mined, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.e2e.conftest import Open

import hardneg as hn
from hardneg.cli.main import main
from hardneg.testing._sounds import saved, tone

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")

SPOT = """
import numpy as np

def score(windows):
    found = np.abs(np.fft.rfft(windows * np.hanning(windows.shape[1]), axis=1))
    near = found[:, 200:260].sum(axis=1)  # 400 to 520 Hz in half a second
    return near / (found.sum(axis=1) + 1e-3)
"""


def _stream(pitches: list[int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parts = []
    for pitch in pitches:
        parts += [np.zeros(12_000), tone(pitch * rng.uniform(0.99, 1.01), 0.5)]
    whole = np.concatenate([*parts, np.zeros(12_000)])
    return whole + rng.normal(size=len(whole)) * 0.003


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spot.py").write_text(SPOT)
    (tmp_path / "radio").mkdir()
    known = [440, 480, 700, 440, 300, 440, 480, 440] * 8
    (tmp_path / "radio" / "known.wav").write_bytes(saved(_stream(known, 0)))
    (tmp_path / "radio" / "new.wav").write_bytes(saved(_stream([480, 440, 500, 700] * 5, 1)))
    names = {440: "a", 480: "b", 700: "high", 300: "low"}
    rows = [f"known.wav,{0.75 + 1.25 * n},{1.25 + 1.25 * n},{names[pitch]}" for n, pitch in enumerate(known)]
    (tmp_path / "known.csv").write_text("\n".join(["audio,start,end,label", *rows]))
    return tmp_path


OPTIONS = "--keyword a --window 0.5 --hop 0.125 --off 0.4 --context 0"


def test_from_recordings_to_false_alarms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(f"listen radio --detector spot.py:score --on 0.5 {OPTIONS} --truth known.csv -o heard".split())
    told = capsys.readouterr().err
    assert "2 recordings" in told
    assert "Mine:    hardneg mine heard/events.parquet --media-root radio" in told
    assert "hardneg listen radio --scores heard --keyword a --truth known.csv --on 0.9 -o ANOTHER" in told
    summary = json.loads((folder / "heard" / "summary.json").read_text())
    found = summary["keywords"]["a"]
    assert (found["occurrences"], found["hits"], found["false_accepts"]) == (32, 32, 16)
    assert found["unlabelled"] == 15
    events = pq.read_table(folder / "heard" / "events.parquet")
    labels = [one for one in events.column("label").to_pylist() if one]
    assert (labels.count("a"), labels.count("b")) == (32, 16)

    items = hn.Collection(events, folder / "radio")
    positives = hn.Positives.from_segments(items, anchors="classes")
    run = hn.mine(positives, sources="segments", filters=["known", "unlabelled(error=0.05)"], sampler="top(n=100)")
    mined = [items.table.column("id")[row].as_py() for row in items.positions(run.negatives.column("item"))]
    assert sum("known.wav" in one for one in mined) >= 15  # the false accepts that are labelled as something else
    assert not any(items.table.column("outcome")[row].as_py() == "hit" for row in items.positions(mined))
    truly = {f"new.wav#a@{start:.3f}" for start in (0.75 + 1.25 * n for n in range(20) if n % 4 == 1)}
    near = [
        one for one in mined if any(abs(float(one.split("@")[1]) - float(two.split("@")[1])) < 0.6 for two in truly)
    ]
    assert not [one for one in near if one.startswith("new.wav")]


def test_before_and_after_are_one_page(
    folder: Path, capsys: pytest.CaptureFixture[str], visit: Open, said_by_curve: Open
) -> None:
    worse = SPOT.replace("200:260", "195:265").replace("def score", "def worse")
    (folder / "old.py").write_text(worse.replace("1e-3)", "1e-3) + 0.1 * np.abs(windows).max(axis=1)"))
    for name, target in (("before", "old.py:worse"), ("after", "spot.py:score")):
        main(f"listen radio --detector {target} --on 0.5 {OPTIONS} --truth known.csv -o {name}".split())
    capsys.readouterr()
    main(["impact", "after", "--before", "before"])
    told = "".join(capsys.readouterr())
    assert "a: Cannot tell. False accepts" in told
    assert "an hour the new one can find" in told
    assert "shown in after/impact.html" in told
    for width in (1200, 380):
        page = visit(folder / "after" / "impact.html", width)
        assert "a: Cannot tell" in page.locator(".verdict").inner_text()
        assert page.locator(".plot .curve-line").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "occurrences found after" in said_by_curve(page)


def test_another_threshold_and_what_goes_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(f"listen radio --detector spot.py:score --on 0.5 {OPTIONS} -o heard".split())
    main(f"listen radio --scores heard --on 0.99 {OPTIONS} -o none".split())
    assert pq.read_table(folder / "none" / "events.parquet").num_rows == 0
    for arguments, message in (
        (f"listen radio --detector spot.py:score --on 0.5 {OPTIONS} -o heard", "'heard' exists already"),
        (f"listen radio --on 0.5 {OPTIONS} -o x", "Give either a function"),
        (f"listen radio --detector spot.py:nothing --on 0.5 {OPTIONS} -o x", "has no function 'nothing'"),
        (f"listen radio --detector spot.py:score --on 0.3 {OPTIONS} -o x", "'off' must be at most 'on'"),
        (f"listen spot.py --detector spot.py:score --on 0.5 {OPTIONS} -o x", "not_audio (1)"),
        (f"listen radio --detector spot.py:score --on 0.5 {OPTIONS} --truth spot.py -o x", "spot.py"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(arguments.split())
        assert stopped.value.code == 1
        assert message in capsys.readouterr().err
    assert not list(folder.glob("x*"))
