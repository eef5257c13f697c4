"""The balance of what was sampled, against plain loops, and the warnings where it is off."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.samplers.test_labelled_limits import classes_at, mined
from tests.worlds import neighbors, scene

from hardneg.balance import balance, balance_lines, gini, measured
from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.mining import mine, refilter
from hardneg.run import Run


def figures(items: list[int], grades: list[str], classes: Classes | None = None, suspect: int = 0) -> dict[str, Any]:
    """The balance of negatives of as many anchors, among 50 items."""
    table = pa.table({"anchor": list(range(len(items))), "item": items, "grade": grades})
    sides = Collection.of(range(len(items))), Collection.of(range(50))
    return measured(table, sides, classes, np.ones(50, bool), {"suspect": suspect, "candidates": 1000})


def test_shares_and_uses() -> None:
    found = figures([1, 1, 2, 3], ["hard", "easy", "easy", "semi_hard"], suspect=50)
    assert found["grades"] == {"easy": 0.5, "semi_hard": 0.25, "hard": 0.25}
    assert found["items"] == {"used": 3, "most": 2, "top_percent": 0.5, "gini": round(gini(np.array([2, 1, 1])), 4)}
    assert (found["suspects"], found["warnings"]) == (0.05, [])
    assert "classes" not in found


def test_nothing_was_sampled() -> None:
    found = figures([], [])
    assert found["items"] == {"used": 0, "most": 0, "top_percent": 0.0, "gini": 0.0}
    assert balance_lines(found) == []  # nothing is in no balance


@pytest.mark.parametrize("seed", range(5))
def test_gini_is_half_the_relative_mean_difference(seed: int) -> None:
    counts = np.random.default_rng(seed).integers(0, 9, 20)
    differences = np.abs(counts[:, None] - counts[None, :]).mean()
    assert gini(counts) == pytest.approx(differences / (2 * counts.mean()))


EVEN = [row % 50 for row in range(200)]
MIXED = ["hard", "semi_hard", "easy", "easy"] * 50


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grades": ["hard"] * 101 + ["easy"] * 99}, "hard, nearer to their anchor"),
        ({"grades": ["easy"] * 199 + ["hard"]}, "little to learn"),
        ({"items": [7] * 40 + EVEN[40:]}, "caps(per_item=...)"),
        ({"suspect": 201}, "20% of the candidates are suspect"),
    ],
)
def test_each_warning_comes_alone_and_only_where_something_is_off(change: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"items": EVEN, "grades": MIXED}
    assert figures(**usual)["warnings"] == []
    (warning,) = figures(**(usual | change))["warnings"]
    assert words in warning
    assert balance_lines(figures(**(usual | change)))[1].strip() == warning


def test_classes_far_from_those_of_random_negatives() -> None:
    of_items = np.arange(50) % 5
    classes = Classes(tuple("abcde"), np.zeros(200, np.int64), of_items)
    found = figures([one for one in range(50) if one % 5] * 5, MIXED, classes)
    assert (found["classes"]["skew"], found["warnings"]) == (0.0, [])
    found = figures([one for one in range(50) if one % 5 == 1] * 20, MIXED, classes)
    assert found["classes"] == {"skew": 0.75, "over": [{"class": "b", "share": 1.0, "expected": 0.25}]}
    assert "'b' makes up 100% instead of 25%" in found["warnings"][0]


@pytest.mark.parametrize(
    ("change", "of_labels", "of_pairs"),
    [
        ({"grades": ["hard"] * 101 + ["easy"] * 99}, "labelled wrongly", "unlabelled positives"),
        ({"grades": ["easy"] * 199 + ["hard"]}, "with the sampler top", "with a looser margin"),
        ({"suspect": 201}, "many labels may be wrong", "many positives may have no label"),
    ],
)
def test_the_advice_fits_the_data(change: dict[str, Any], of_labels: str, of_pairs: str) -> None:
    usual: dict[str, Any] = {"items": EVEN, "grades": MIXED} | change
    classes = Classes(("a", "b"), np.zeros(200, np.int64), np.ones(50, np.int64))
    assert of_labels in figures(**usual, classes=classes)["warnings"][0]
    assert of_pairs in figures(**usual)["warnings"][0]


def skew_by_hand(run: Run) -> float:
    """Every negative beside each item that shares no label with its anchor."""
    of = dict(zip(*(run.items.table.column(one).to_pylist() for one in ("id", "label")), strict=True))
    pool = Counter(str(one) for one in of.values())
    found, expected = Counter(theirs for *_, theirs in classes_at(run)), defaultdict[str, float](float)
    for _, mine_, _ in classes_at(run):
        fit = {one: number for one, number in pool.items() if not set(mine_) & set(one) & set("abcd") or one == "None"}
        for one, number in fit.items():
            expected[one] += number / sum(fit.values())
    total = sum(found.values())
    return sum(abs(found[one] - expected[one]) for one in pool) / total / 2


@pytest.mark.parametrize("several", [False, True])
def test_the_skew_of_a_run_is_that_of_a_plain_loop(several: bool) -> None:
    run = mined("top(n=6)", several=several)
    facts = balance(run)
    assert facts["classes"]["skew"] == pytest.approx(skew_by_hand(run), abs=1e-4)


def test_a_run_says_the_same_when_measured_anew_or_refiltered() -> None:
    for run in (mined("top(n=6)"), mined("top(n=6)", several=True), unlabelled()):
        bare = Run(run.path, {key: value for key, value in run.manifest.items() if key != "balance"})
        assert balance(bare) == balance(run) == run.manifest["balance"]
        assert refilter(run).manifest["balance"] == run.manifest["balance"]


def unlabelled() -> Run:
    positives, vectors = scene()
    return mine(positives, sources=neighbors(vectors), sampler="top(n=4)")
