"""Limits by any column, and as many negatives as a category has boxes, against plain loops over what was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.samplers.test_labelled_limits import mined as labelled

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.detect import Detections, Truth, matched, mistakes
from hardneg.errors import InputError, OptionError
from hardneg.mining import mine, refilter
from hardneg.positives import Positives
from hardneg.run import Run

NAMES = ["cat", "dog", "hen"]


def boxes(seed: int = 0, images: int = 40) -> Positives:
    """Things and false alarms in images of four films, without pictures; cats are many, hens are few."""
    rng = np.random.default_rng(seed)
    there = np.repeat(np.arange(images), 3)
    category = rng.choice(3, len(there), p=[0.7, 0.25, 0.05])
    box = np.array([[60.0 * (row % 3), 0, 40, 40] for row in range(len(there))])
    truth = Truth(there, category, box)
    image = np.repeat(np.arange(images), 9)
    place = np.tile(np.arange(9), images)
    found = Detections(
        image,
        np.where(place < 3, (category.repeat(3).reshape(images, 9)[image, place] + place) % 3, place % 3),
        np.stack([60.0 * (place % 3), 60.0 * (place // 3), *np.full((2, len(place)), 40.0)], axis=1),
        rng.random(len(image)).round(3),
    )
    judged = mistakes(truth, found, matched(truth, found))
    films = [None if one < 4 else f"film{one % 4}" for one in range(images)]
    table = {"id": np.arange(images), "sequence": films, "frame": np.arange(images)}
    return Positives.from_boxes(truth, found, judged, images=Collection(pa.table(table)), categories=NAMES)


def mined(positives: Positives, *sampler: str) -> Run:
    score = np.asarray(positives.items.table.column("detector_score").fill_null(1.0).to_numpy())
    vectors = np.stack([score, np.sqrt(1 - score**2)], axis=1).astype(np.float32)
    return mine(
        positives, encoder=Vectors.of_items(vectors, positives), filters=["known"], sampler=list(sampler) or None
    )


def rows_of(run: Run, kept: bool = False) -> list[dict[str, Any]]:
    """The negatives, or all that was kept, with the columns of their items; the hardest first."""
    table = run.candidates.table if kept else run.negatives
    rows = [one for one in table.to_pylist() if not kept or one["verdict"] == "keep"]
    items = dict(zip(run.items.ids.to_pylist(), run.items.table.to_pylist(), strict=True))
    place = {key: row for row, key in enumerate(items)}
    rows.sort(key=lambda one: (-one["score"], NAMES.index(one["anchor"]), place[one["item"]]))
    return [one | items[one["item"]] for one in rows]


def greedy(rows: Sequence[dict[str, Any]], n: int, caps: dict[str, int]) -> set[tuple[str, str]]:
    """The hardest first, each where there is still room for it."""
    used: Counter[tuple[str, Any]] = Counter()
    out = set()
    for one in rows:
        claims = [(name, one[name]) for name in caps if one[name] is not None]
        if used["anchor", one["anchor"]] < n and all(used[claim] < caps[claim[0]] for claim in claims):
            out.add((one["anchor"], one["item"]))
            used.update([("anchor", one["anchor"]), *claims])
    return out


def pairs(run: Run) -> set[tuple[str, str]]:
    return {(one["anchor"], one["item"]) for one in rows_of(run)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("caps", [{"image_id": 2}, {"sequence": 9}, {"image_id": 3, "sequence": 12, "mistake": 30}])
def test_caps_on_columns_give_the_hardest_that_there_is_room_for(seed: int, caps: dict[str, int]) -> None:
    run = mined(boxes(seed), "top(n=30)", *(f"caps(per_group={most}, group={name})" for name, most in caps.items()))
    assert pairs(run) == greedy(rows_of(run, kept=True), 30, caps)
    for name, most in caps.items():
        counts = Counter(one[name] for one in rows_of(run) if one[name] is not None)
        assert max(counts.values()) == most  # the cap is reached, so that it is tested


def test_what_has_no_value_is_not_held_back() -> None:
    run = mined(boxes(), "top(n=100)", "caps(per_group=1, group=sequence)")
    counts = Counter(one["sequence"] for one in rows_of(run))
    assert counts.pop(None) > 4
    assert set(counts.values()) == {1}


def test_quotas_are_for_each_category() -> None:
    limits = [
        "quotas(per_group=1, group=image_id)",
        "quotas(per_group=5, group=mistake)",
        "quotas(per_group=3, group=label)",
    ]
    run = mined(boxes(), "top(n=40)", *limits)
    for name, most in (("image_id", 1), ("mistake", 5), ("label", 3)):
        counts = Counter((one["anchor"], one[name]) for one in rows_of(run) if one[name] is not None)
        assert max(counts.values()) == most
    assert refilter(mined(boxes(), "top(n=1)"), sampler=["top(n=40)", *limits]).negatives.equals(run.negatives)


@pytest.mark.parametrize("share", [0.5, 1.0, 2.5])
def test_as_many_as_a_category_has_boxes(share: float) -> None:
    positives = boxes()
    table = positives.items.table.filter(
        pa.array([one is None for one in positives.items.table["predicted"].to_pylist()])
    )
    there = Counter(table.column("label").to_pylist())
    run = mined(positives, f"top(n=60, per_positive={share})")
    kept = Counter(one["anchor"] for one in rows_of(run, kept=True))
    got = Counter(one["anchor"] for one in rows_of(run))
    assert got == {name: min(60, ceil(share * there[name]), kept[name]) for name in NAMES}
    lacking = sum(min(60, ceil(share * there[name])) - got[name] for name in NAMES)
    assert run.manifest["shortage"]["missing"] == lacking
    again = refilter(mined(boxes(), "top(n=1)"), sampler=f"top(n=60, per_positive={share})")
    assert again.negatives.equals(run.negatives)


def test_that_is_what_boxes_get_by_default() -> None:
    assert mined(boxes()).manifest["steps"]["sampler"] == ["top(n=1000, per_positive=1)"]
    assert not mined(boxes()).manifest["balance"]["recall"]["crowded"]


def test_a_mix_of_grades_is_of_what_each_category_wants() -> None:
    run = mined(boxes(), "top(n=60, per_positive=0.5)", "quotas(hard=0, semi_hard=0.5, easy=0.5)")
    counts = Counter((one["anchor"], one["grade"]) for one in rows_of(run))
    wanted = {name: ceil(0.5 * count) for name, count in zip(NAMES, _boxes_of(run), strict=True)}
    for name in NAMES:
        assert counts[name, "hard"] == 0
        assert counts[name, "easy"] <= ceil(wanted[name] / 2)
        assert counts[name, "semi_hard"] <= ceil(wanted[name] / 2)
    assert counts["cat", "easy"] > 15  # more than half of what others want in all


def _boxes_of(run: Run) -> list[int]:
    return run.anchors.table.column("positives").to_pylist()  # type: ignore[no-any-return]


def test_only_classes_have_a_number_of_positives() -> None:
    with pytest.raises(OptionError, match="needs anchors that are classes: per_positive counts their members"):
        labelled("top(n=8, per_positive=1)")
    run = labelled("top(n=80, per_positive=0.25)", anchors="classes")
    got = Counter(run.negatives.column("anchor").to_pylist())
    assert all(got[name] <= ceil(0.25 * most) for name, most in zip("abcd", _boxes_of(run), strict=True))


@pytest.mark.parametrize(("name", "words"), [("film", "have no column 'film'"), ("box", "no single value")])
def test_a_column_that_cannot_be_counted_by(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mined(boxes(), "top(n=3)", f"caps(per_group=2, group={name})")
