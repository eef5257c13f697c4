"""Planted missing labels: drawn pictures, and detections whose scores overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.detect import Detections, Truth, agreement, matched, mistakes, overlap
from hardneg.errors import InputError, OptionError
from hardneg.filters import FILTERS, MissingLabel
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.predict import conformal_p_values, told_apart
from hardneg.steps import usual_filters
from hardneg.table import Relation, Rows

pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')

IMAGES, SIDE, PLACES = 60, 160, (5, 55, 105)  # nine places of 40 pixels in each image
FRAMES = ((5, 5, 30, 30), (-5, -5, 50, 50), (8, -6, 42, 42), (0, 8, 40, 30))
DISC, RING, LOGO, NOTHING = range(4)  # the last two are backgrounds; a logo is what the detector is fooled by


@cache
def scene(seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """What is in each place ``(n,)``, its box, the score of its detection, and whether its label was left out."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, size=(IMAGES, 9), p=[0.25, 0.15, 0.3, 0.3]).ravel()
    box = np.array([[x, y, 40.0, 40.0] for _ in range(IMAGES) for x in PLACES for y in PLACES])
    middle = np.array([0.65, 0.65, 0.6, 0.2])[kind]
    score = np.clip(middle + rng.normal(0, 0.12, len(kind)), 0.02, 0.98)
    return kind, box, score, (kind <= RING) & (rng.random(len(kind)) < 0.25)


def positives_of(
    folder: Path | None, second: NDArray[np.float64] | None = None, frame: Sequence[float] = (0, 0, 40, 40)
) -> Positives:
    """The relations of the scene; each place was detected as what it is, a logo and nothing as a disc.

    The detector's box of each place is ``frame`` (left, top, width, height), seen from the corner of the label's.
    """
    kind, box, score, hidden = scene()
    image, category = np.repeat(np.arange(IMAGES), 9), np.where(kind == RING, RING, DISC)
    there = (kind <= RING) & ~hidden
    truth = Truth(image[there], category[there], box[there])
    corner = box * [1, 1, 0, 0]
    found = Detections(image, category, corner + frame, score)
    columns: dict[str, object] = {"id": np.arange(IMAGES)}
    if folder is not None:
        columns["path"] = [drawn(folder, kind.reshape(IMAGES, 9)[row], row) for row in range(IMAGES)]
    other = None if second is None else Detections(image, category, found.box, second)
    judged = mistakes(truth, found, matched(truth, found))
    images = Collection(pa.table(columns), folder)
    return Positives.from_boxes(truth, found, judged, images=images, categories=["disc", "ring"], second=other)


def drawn(folder: Path, kinds: NDArray[np.int64], row: int) -> str:
    noise = np.random.default_rng(row).integers(90, 130, (SIDE, SIDE, 3)).astype(np.uint8)
    picture = Image.fromarray(noise)
    pen = ImageDraw.Draw(picture)
    for kind, (x, y) in zip(kinds, ((x, y) for x in PLACES for y in PLACES), strict=True):
        corners = (x + 4, y + 4, x + 36, y + 36)
        if kind == DISC:
            pen.ellipse(corners, fill="red")
        elif kind == RING:
            pen.ellipse(corners, outline="blue", width=6)
        elif kind == LOGO:
            pen.rectangle(corners, fill="yellow")
    picture.save(folder / f"{row}.png")
    return f"{row}.png"


def judged(positives: Positives, step: str) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """The reason of each background that was mined, and whether it is a planted missing label."""
    run = mine(positives, sources="detections(k=10000)", filters=["known", step], encoder=vectors_of(positives))
    kind, _, _, _ = scene()
    table = run.candidates.table
    rows = positives.items.positions(table.column("item").combine_chunks().dictionary_decode())
    of_image = np.array(positives.items.table.column("image_id").to_pylist())
    boxes = np.array(positives.items.table.column("box").to_pylist())
    x, y = np.rint((boxes[:, :2] - PLACES[0]) / 50).astype(int).T
    place = x * 3 + y
    return np.array(table.column("reason").to_pylist(), str), (kind <= RING)[of_image * 9 + place][rows]


def vectors_of(positives: Positives) -> str | Vectors:
    if positives.items.pictures is not None:
        return "descriptor"
    return Vectors.of_items(np.ones((len(positives.items), 2), np.float32), positives)


def shares(positives: Positives, step: str = "missing_label(error=0.1)") -> tuple[float, float]:
    """The shares held back of the planted missing labels and of the true negatives."""
    reason, missing = judged(positives, step)
    held = np.char.startswith(reason, "missing_label")
    return float(held[missing].mean()), float(held[~missing].mean())


def test_missing_labels_in_pictures_are_held_back_and_logos_are_not(tmp_path: Path) -> None:
    caught, lost = shares(positives_of(tmp_path))
    assert caught > 0.85  # at least 1 - error, but for the spread of some fifty
    assert lost < 0.05
    reason, missing = judged(positives_of(tmp_path), "missing_label(error=0.1)")
    likely = reason == "missing_label.likely"
    assert missing[likely].mean() > 0.9
    assert likely[missing].mean() > 0.5


@pytest.mark.parametrize("frame", FRAMES)
def test_a_detector_that_frames_things_otherwise_than_the_annotators_hides_no_missing_label(
    tmp_path: Path, frame: tuple[float, float, float, float]
) -> None:
    caught, lost = shares(positives_of(tmp_path, frame=frame))
    assert caught > 0.85
    assert lost < 0.05


def test_scores_alone_keep_the_promise_and_lose_more() -> None:
    caught, lost = shares(positives_of(None))
    assert caught > 0.8
    assert 0.2 < lost < 0.8  # the logos cannot be told from discs


def test_a_second_detector_that_sees_through_the_logos_tells_them_apart() -> None:
    kind, _, score, _ = scene()
    second = np.where(kind <= RING, score, 0.05)
    caught, lost = shares(positives_of(None, second))
    assert caught > 0.8
    assert lost < 0.05


@pytest.mark.parametrize("error", [0.05, 0.2, 0.4])
def test_more_error_lets_more_pass(tmp_path: Path, error: float) -> None:
    caught, _ = shares(positives_of(None), f"missing_label(error={error})")
    assert abs(1 - caught - error) < 0.15


def test_only_what_a_detector_said_of_this_category_is_judged_by_it() -> None:
    positives = positives_of(None)
    gather = MissingLabel().gather(Context(positives, vectors_of(positives)))  # type: ignore[arg-type]
    items = positives.items.table
    rows = np.flatnonzero([one == "background" for one in items.column("mistake").to_pylist()])
    disc = np.array([items.column("predicted")[int(row)].as_py() == "disc" for row in rows])
    columns = gather(Rows(np.zeros(len(rows), np.int64), rows))
    assert positives.anchors.ids[0].as_py() == "disc"
    assert np.array_equal(np.isnan(columns["missing"]), ~disc)
    assert np.isnan(columns["agreed"]).all()
    assert np.isnan(columns["missing_by_look"]).all()
    unknown = np.full(len(rows), Relation.UNKNOWN)
    found = MissingLabel().judge({**columns, "relation": unknown})
    assert (found.rule[~disc] == 2).all()  # nobody knows


def test_p_values_of_scores_are_those_of_counting() -> None:
    positives = positives_of(None)
    table = positives.items.table
    hidden = [one for one in table.column("hidden_score").to_pylist() if one is not None]
    rows = np.array([row for row, one in enumerate(table.column("predicted").to_pylist()) if one == "disc"])
    columns = MissingLabel().gather(Context(positives, vectors_of(positives)))(  # type: ignore[arg-type]
        Rows(np.zeros(len(rows), np.int64), rows)
    )
    for row, told in zip(rows, columns["missing_by_score"], strict=True):
        score = table.column("detector_score")[int(row)].as_py()
        assert told == pytest.approx((1 + sum(one <= score for one in hidden)) / (1 + len(hidden)), rel=1e-6)


def test_a_box_is_planted_only_where_hiding_it_leaves_a_background() -> None:
    boxes = np.array([[0.0, 0, 40, 40], [100, 0, 40, 40], [130, 0, 40, 40]])
    truth = Truth(np.zeros(3, int), np.array([0, 1, 0]), boxes)
    found = Detections(np.zeros(2, int), np.array([0, 1]), boxes[:2], np.array([0.9, 0.8]))
    judged = mistakes(truth, found, matched(truth, found))
    images = Collection.of(["a"])
    items = Positives.from_boxes(truth, found, judged, images=images, categories=["x", "y"]).items.table
    assert items.column("hidden_score").to_pylist() == [0.9, None, None]
    left = Truth(truth.image[1:], truth.category[1:], boxes[1:])
    again = mistakes(left, found, matched(left, found))
    left = Truth(truth.image[[0, 2]], truth.category[[0, 2]], boxes[[0, 2]])
    crowded = mistakes(left, found, matched(left, found))
    assert (again.kind[0], crowded.kind[1]) == (5, 6)  # BACKGROUND, BOTH


def test_agreement_is_the_highest_score_on_the_same_box() -> None:
    rng = np.random.default_rng(0)

    def some(n: int) -> Detections:
        box = np.concatenate([rng.integers(0, 8, (n, 2)), rng.integers(4, 12, (n, 2))], axis=1).astype(float)
        return Detections(rng.integers(0, 3, n), rng.integers(0, 2, n), box, rng.random(n))

    one, two = some(40), some(60)
    told = agreement(one, two)
    for row in range(40):
        fits = [
            two.score[other]
            for other in range(60)
            if (one.image[row], one.category[row]) == (two.image[other], two.category[other])
            and overlap(one.box[[row]], two.box[[other]])[0] >= 0.5
        ]
        assert told[row] == max(fits, default=0)


def test_no_image_is_judged_by_what_was_learnt_of_it_and_order_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    features, groups = rng.normal(size=(300, 2)), np.arange(300) // 10
    one = features[:, 0] + 0.5 * rng.normal(size=300) > 0.7
    found = told_apart(features, one, groups)
    order = rng.permutation(300)
    assert np.array_equal(told_apart(features[order], one[order], groups[order]), found[order])
    marked = np.column_stack([rng.normal(size=300), np.eye(30)[groups]])  # only the image itself could say
    luck = rng.random(30) < 0.5
    found = told_apart(marked, luck[groups], groups)
    assert abs(found[luck[groups]].mean() - found[~luck[groups]].mean()) < 0.15


def test_without_any_planted_label_nothing_passes() -> None:
    assert conformal_p_values(np.array([0.1, 0.9]), np.zeros(0)).tolist() == [1, 1]
    assert told_apart(np.ones((3, 1)), np.zeros(3, bool), np.arange(3)).tolist() == [0, 0, 0]


def test_options_and_items_are_checked() -> None:
    with pytest.raises(OptionError, match="'error' must be above 0"):
        FILTERS.make("missing_label(error=0)")
    with pytest.raises(OptionError, match="'likely' must be above 0"):
        FILTERS.make("missing_label(likely=1)")
    positives = positives_of(None)
    less = replace(positives, items=Collection(positives.items.table.drop_columns("hidden_score")))
    with pytest.raises(InputError, match="needs items with the column 'hidden_score'"):
        MissingLabel().gather(Context(less, None))


def test_it_is_usual_for_boxes(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        assert "missing_label" in usual_filters(positives_of(folder))
        assert "unlabelled" not in usual_filters(positives_of(folder))
