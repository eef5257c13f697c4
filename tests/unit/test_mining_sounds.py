from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import hardneg as hn
from hardneg.collection import Collection
from hardneg.positives import Positives
from hardneg.sounds import Clip, digest
from hardneg.steps import usual_encoder
from hardneg.testing._sounds import saved, tone

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")


def _recording(folder: Path) -> Collection:
    """A file of eight tones of a quarter of a second, high and low by turns, one of the low ones nearly as high."""
    pitches = [220, 880, 230, 900, 225, 890, 700, 910]
    (folder / "a.wav").write_bytes(saved(np.concatenate([tone(pitch, 0.25) for pitch in pitches])))
    starts = [0.25 * row for row in range(len(pitches))]
    table = pa.table(
        {
            "id": range(len(pitches)), "audio": ["a.wav"] * len(pitches), "start": starts,
            "end": [start + 0.25 for start in starts],
            "label": ["low" if row % 2 == 0 else "high" for row in range(len(pitches))],
            "content": [digest(Clip(str(folder / "a.wav"), start, start + 0.25)).hex() for start in starts],
        }
    )  # fmt: skip
    return Collection(table, folder)


def test_parts_of_a_recording_are_mined_and_stay_playable(tmp_path: Path) -> None:
    positives = Positives.from_segments(_recording(tmp_path))
    assert usual_encoder(positives) == "logmel"
    run = hn.mine(positives, sampler="top(n=1)", filters=["known", "duplicates"], out=tmp_path / "run")
    hardest = dict(zip(*(run.negatives.column(name).to_pylist() for name in ("anchor", "item")), strict=True))
    assert {hardest[row] for row in (1, 3, 5, 7)} == {6}  # the low tone that is nearly high
    sounds = hn.Run.open(tmp_path / "run").items.sounds
    assert sounds is not None
    sixth = sounds[6]
    assert isinstance(sixth, Clip)
    assert Path(str(sixth.sound)).samefile(tmp_path / "a.wav")
    assert (sixth.start, sixth.end) == (1.5, 1.75)
