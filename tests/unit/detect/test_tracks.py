"""Detections over frames, held against plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.collection import Collection
from hardneg.detect import (
    Detections,
    Truth,
    around,
    items_of,
    linked,
    matched,
    mistakes,
    neighbours,
    overlap,
)
from hardneg.detect.frames import held_together
from hardneg.errors import InputError

REACH = 2


def _near(sequence: np.ndarray, frame: np.ndarray, image: int) -> list[list[int]]:
    """The images next to one, on and back, by looking at all."""
    if sequence[image] < 0 or frame[image] < 0:
        return [[], []]
    mine = sorted(
        (frame[row], row) for row in range(len(sequence)) if sequence[row] == sequence[image] and frame[row] >= 0
    )
    numbers = [number for number, _ in mine]
    usual = np.median(np.diff(numbers)) if len(numbers) > 1 else 0
    at = numbers.index(frame[image])
    out = []
    for sign in (1, -1):
        side = [at + sign * far for far in range(1, REACH + 1)]
        out.append(
            [
                mine[place][1] if 0 <= place < len(mine) and abs(numbers[place] - numbers[at]) <= REACH * usual else -1
                for place in side
            ]
        )
    return out


def _scene(seed: int) -> tuple[np.ndarray, np.ndarray, Truth, Detections]:
    """Three films and some pictures by themselves; boxes that move a little, labels and detections that are missing."""
    rng = np.random.default_rng(seed)
    sequence = np.repeat([0, 1, 2, -1], [12, 7, 1, 4])
    frame = np.concatenate([rng.choice(40, 12, replace=False), np.arange(7) * 10, [3], [-1, 5, -1, -1]])
    frame[2] = -1
    there: list[list[float]] = []
    seen: list[list[Any]] = []
    for image in range(len(sequence)):
        for thing in range(5):
            left, top = 30 * thing + rng.normal(0, 4, 2)
            if rng.random() < 0.7:
                there.append([image, thing % 2, left, top, 20, 20])
            if rng.random() < 0.7:
                shift = rng.normal(0, 2, 2)
                seen.append(
                    [image, thing % 2, left + shift[0], top + shift[1], 20, 20, rng.choice([0.2, 0.5, 0.5, 0.9])]
                )
                seen.append([image, rng.integers(2), left + 5, top, 22, 18, rng.random()])
    truth, found = np.array(there), np.array(seen)
    crowd = rng.random(len(truth)) < 0.1
    boxes = Truth(truth[:, 0].astype(int), truth[:, 1].astype(int), truth[:, 2:], crowd)
    return (
        sequence,
        frame,
        boxes,
        Detections(found[:, 0].astype(int), found[:, 1].astype(int), found[:, 2:6], found[:, 6]),
    )


@pytest.mark.parametrize("seed", range(4))
def test_what_the_frames_around_say_is_what_loops_say(seed: int) -> None:
    sequence, frame, truth, found = _scene(seed)
    near = neighbours(sequence, frame, REACH)
    for image in range(len(sequence)):
        on, back = _near(sequence, frame, image)
        wanted = [*on, *[-1] * (REACH - len(on)), *back, *[-1] * (REACH - len(back))]
        assert near[:, image].tolist() == wanted
    said = around(found, found.score, truth, near, lambda boxes: linked(boxes, found))
    for row in range(len(found)):
        frames = seen = labelled = 0
        scores = []
        for side in _near(sequence, frame, int(found.image[row])):
            place = found.box[row]
            for image in side:
                if image < 0:
                    continue
                frames += 1
                best, score = 0.0, 0.0
                for other in range(len(found)):
                    if found.image[other] == image and found.category[other] == found.category[row]:
                        share = float(overlap(place[None], found.box[[other]])[0])
                        if share >= 0.3 and share > best:
                            best, score, goes_on = share, float(found.score[other]), found.box[other]
                if best:
                    place = goes_on
                scores.append(score)
                seen += score > 0 and score >= 0.5 * found.score[row]
                labelled += any(
                    truth.image[other] == image and truth.category[other] == found.category[row]
                    and not truth.crowd[other] and overlap(place[None], truth.box[[other]])[0] >= 0.5
                    for other in range(len(truth))
                )  # fmt: skip
        assert (said.frames[row], said.seen[row], said.labelled[row]) == (frames, seen, labelled)
        if frames:
            assert said.score[row] == pytest.approx(np.mean(scores))
        else:
            assert np.isnan(said.score[row])


def test_a_thing_that_moves_is_followed_and_a_flicker_is_none() -> None:
    """It goes 8 pixels a frame, so two frames on it no longer overlaps its old place by 0.3; the flicker is once."""
    left = np.arange(7) * 8.0
    box = np.array([[x, 0, 20, 20] for x in left] + [[90.0, 0, 20, 20]])
    found = Detections(np.append(np.arange(7), 3), np.zeros(8, int), box, np.full(8, 0.8))
    nothing = Truth(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)))
    near = neighbours(np.zeros(7, int), np.arange(7))
    said = around(found, found.score, nothing, near, lambda boxes: linked(boxes, found))
    assert said.frames.tolist() == [2, 3, 4, 4, 4, 3, 2, 4]
    assert said.seen.tolist() == [2, 3, 4, 4, 4, 3, 2, 0]
    assert said.score.round(2).tolist() == [0.8] * 7 + [0.0]
    none = Detections(nothing.image, nothing.category, nothing.box)
    alone = around(found, found.score, nothing, near, lambda boxes: linked(boxes, none))
    assert alone.seen.tolist() == [0] * 8


def test_frames_left_out_are_not_jumped_over() -> None:
    frame = np.array([0, 1, 2, 3, 50, 51])
    near = neighbours(np.zeros(6, int), frame)
    assert near[0].tolist() == [1, 2, 3, -1, 5, -1]
    every_tenth = neighbours(np.zeros(6, int), np.arange(6) * 10)
    assert every_tenth[0].tolist() == [1, 2, 3, 4, 5, -1]
    assert neighbours(np.zeros(0, int), np.zeros(0, int)).shape == (4, 0)


def test_items_have_the_columns_and_only_of_frames() -> None:
    sequence, frame, truth, found = _scene(0)
    judged = mistakes(truth, found, matched(truth, found))
    ids = pa.array(range(len(sequence)))
    films = pa.table(
        {
            "id": ids, "sequence": pa.array([f"film {one}" if one >= 0 else None for one in sequence]),
            "frame": pa.array(frame, mask=frame < 0),
        }
    )  # fmt: skip
    table = items_of(truth, found, judged, Collection(films), ["a", "b"]).table
    near = neighbours(sequence, frame)
    said = around(found, found.score, truth, near, lambda boxes: linked(boxes, found))
    key = {(int(i), *box): row for row, (i, box) in enumerate(zip(found.image, found.box.tolist(), strict=True))}
    checked = 0
    for one in table.to_pylist():
        if one["detector_score"] is None:
            assert (one["frames_near"] is None) == (
                one["hidden_score"] is None or not (near[:, one["image_id"]] >= 0).any()
            )
            continue
        row = key[one["image_id"], *one["box"]]
        wanted = said.frames[row], said.seen[row], said.labelled[row], said.score[row]
        if not said.frames[row]:
            wanted = (None, None, None, None)
        got = one["frames_near"], one["frames_seen"], one["frames_labelled"], one["score_near"]
        assert got == wanted
        checked += 1
    assert checked > 20
    plain = items_of(truth, found, judged, Collection(pa.table({"id": ids})), ["a", "b"]).table
    assert not {"frames_near", "sequence"} & set(plain.column_names)
    assert plain.column("group").to_pylist() == [str(one) for one in plain.column("image_id").to_pylist()]


@pytest.mark.parametrize("films", [1, 3, 9, 10, 40])
def test_films_are_held_out_together_or_in_stretches(films: int) -> None:
    rng = np.random.default_rng(films)
    sequence, frame = np.repeat(np.arange(films), 20), np.concatenate([rng.permutation(20) for _ in range(films)])
    table = pa.table({"id": np.arange(len(frame)), "sequence": [f"s{one}" for one in sequence], "frame": frame})
    groups = np.array(held_together(Collection(table)).to_pylist())
    assert len(set(groups)) >= min(10, 20 * films)
    for film in range(films):
        mine = groups[sequence == film][np.argsort(frame[sequence == film])]
        assert len(set(mine)) == 1 + int((mine[1:] != mine[:-1]).sum())  # each stretch in one piece
        assert not set(mine) & set(groups[sequence != film])
        assert (len(set(mine)) == 1) == (films >= 10)


def test_a_film_may_have_no_numbers_but_none_that_are_none() -> None:
    table = pa.table({"id": ["a", "b"], "sequence": [7, 7]})
    assert held_together(Collection(table)).to_pylist() == ["7, 1 of 2", "7, 2 of 2"]
    with pytest.raises(InputError, match=r"'frame' must be whole numbers\. Got string"):
        held_together(Collection(table.append_column("frame", pa.array(["x", "y"]))))
