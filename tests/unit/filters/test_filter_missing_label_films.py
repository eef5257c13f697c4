"""Missing labels in films: walkers that nobody marked in some frames, flickers, and a poster that recurs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.detect import Detections, Truth, matched, mistakes
from hardneg.mining import mine
from hardneg.positives import Positives

pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')

FILMS, FRAMES = 12, 20
WALKER, POSTER, FLICKER = range(3)


@cache
def film(seed: int = 0, whole: bool = False) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of each detection image, left, score; what it is; whether its label was left out (or that of its whole track)."""
    rng = np.random.default_rng(seed)
    rows: list[list[Any]] = []
    kinds: list[int] = []
    hidden: list[bool] = []
    for number in range(FILMS):
        for frame in range(FRAMES):
            image = number * FRAMES + frame
            for walker in range(4):
                rows.append([image, 100 * walker + 3 * frame, float(np.clip(rng.normal(0.6, 0.15), 0.05, 0.99))])
                kinds.append(WALKER)
                hidden.append((number + walker) % 4 == 0 if whole else rng.random() < 0.2)
            rows.append([image, 500, float(np.clip(rng.normal(0.6, 0.15), 0.05, 0.99))])
            kinds.append(POSTER)
            for _ in range(rng.poisson(2)):
                rows.append([image, 600 + 60 * rng.integers(0, 40), float(np.clip(rng.normal(0.6, 0.15), 0.05, 0.99))])
                kinds.append(FLICKER)
            hidden += [False] * (len(kinds) - len(hidden))
    return np.array(rows), np.array(kinds), np.array(hidden)


def run_of(step: str, *, frames: bool, whole: bool = False) -> Any:
    rows, kind, hidden = film(whole=whole)
    image = rows[:, 0].astype(int)
    box = np.column_stack([rows[:, 1], np.zeros(len(rows)), np.full((len(rows), 2), 40.0)])
    there = (kind == WALKER) & ~hidden
    truth = Truth(image[there], np.zeros(there.sum(), int), box[there])
    found = Detections(image, np.zeros(len(rows), int), box, rows[:, 2])
    columns: dict[str, Any] = {
        "id": np.arange(FILMS * FRAMES),
        "sequence": [f"f{n // FRAMES}" for n in range(FILMS * FRAMES)],
    }
    columns["frame"] = pa.array(np.arange(FILMS * FRAMES) % FRAMES, mask=np.full(FILMS * FRAMES, not frames))
    judged = mistakes(truth, found, matched(truth, found))
    positives = Positives.from_boxes(truth, found, judged, images=Collection(pa.table(columns)), categories=["walker"])
    score = positives.items.table.column("detector_score").fill_null(1.0).to_numpy()
    vectors = np.stack([score, np.sqrt(1 - score**2)], axis=1).astype(np.float32)
    given = Vectors(np.ones((1, 2), np.float32), vectors)
    run = mine(positives, sources="detections(k=10000)", filters=["known", step], encoder=given)
    table = run.candidates.table
    items = positives.items.positions(table.column("item").combine_chunks().dictionary_decode())
    keys = {(i, left): row for row, (i, left) in enumerate(zip(image.tolist(), rows[:, 1].tolist(), strict=True))}
    boxes = np.asarray(positives.items.table.column("box").combine_chunks().flatten()).reshape(-1, 4)
    images = positives.items.table.column("image_id").to_numpy()
    of = np.array([keys[int(images[item]), float(boxes[item, 0])] for item in items])
    return np.array(table.column("reason").cast(pa.string()).to_pylist(), object), kind[of], hidden[of], table


def passed(reason: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([not one for one in reason])


def test_what_the_frames_around_have_labelled_is_suspect() -> None:
    reason, kind, hidden, table = run_of("missing_label", frames=True)
    named = reason == "missing_label.frames"
    missing = (kind == WALKER) & hidden
    assert named[missing].mean() > 0.95  # a neighbour at least half of whose frames are labelled
    assert not named[~missing].any()
    figures = table.column("evidence").to_numpy()[named]
    assert ((figures >= 0.5) & (figures <= 1)).all()


def test_flickers_are_told_from_what_stays_and_without_order_nothing_is_said() -> None:
    step = "missing_label(error=0.1)"
    with_frames, kind, _, table = run_of(step, frames=True)
    without, _, _, plain = run_of(step, frames=False)
    flicker = kind == FLICKER
    kept = [passed(one)[flicker].mean() for one in (with_frames, without)]
    assert kept[0] > 0.9  # and with the score alone, which is the same for all, hardly any
    assert kept[1] < 0.3
    assert np.isnan(plain.column("seen").to_numpy()).all()
    seen = table.column("seen").to_numpy()
    assert np.nanmean(seen[flicker]) < 0.1 < 0.9 < np.nanmean(seen[kind != FLICKER])


def test_a_track_that_nobody_ever_labelled_is_not_taken_for_a_background() -> None:
    """No frame around has it labelled, which must say nothing; that it stays makes it a thing."""
    reason, kind, hidden, _ = run_of("missing_label(error=0.1)", frames=True, whole=True)
    missing = (kind == WALKER) & hidden
    assert not (reason == "missing_label.frames").any()
    assert passed(reason)[missing].mean() <= 0.15
    assert passed(reason)[kind == FLICKER].mean() > 0.8
