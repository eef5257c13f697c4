from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.labelled import NAMES, labelled

import hardneg
from hardneg.errors import InputError
from hardneg.labels import are_classes, classes_of, label_column
from hardneg.run import Run
from hardneg.weights import item_weights, sample_weight, suspects


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return labelled(tmp_path_factory.mktemp("weights"), "none")


def by_hand(run: Run) -> dict[object, float]:
    """The formula in plain Python."""
    scores = run.negatives.column("score").to_pylist()
    hardness: dict[object, float] = defaultdict(float)
    for item, score in zip(run.negatives.column("item").to_pylist(), scores, strict=True):
        hardness[item] += sum(one <= score for one in scores) / len(scores)
    for item in run.candidates.suspects().column("item").to_pylist():
        hardness[item] = 0.0
    raw = {item: 1 + math.log2(1 + hardness[item]) for item in run.items.ids.to_pylist()}
    mean = sum(raw.values()) / len(raw)
    return {item: one / mean for item, one in raw.items()}


def test_weights_are_what_the_formula_says(run: Run) -> None:
    expected = by_hand(run)
    assert dict(zip(run.items.ids.to_pylist(), item_weights(run), strict=True)) == pytest.approx(expected)
    assert max(expected.values()) > 1.5


def test_nothing_suspect_gains(run: Run) -> None:
    weights, doubtful = item_weights(run), suspects(run)
    assert doubtful.any()
    assert weights[doubtful] == pytest.approx(weights.min())


def test_weights_in_the_users_own_order(run: Run) -> None:
    ids = ["i7", "nobody", "i3"]
    found = hardneg.sample_weight(run, ids)
    every = dict(zip(run.items.ids.to_pylist(), sample_weight(run), strict=True))
    assert found.tolist() == [every["i7"], 1.0, every["i3"]]
    assert sample_weight(run).mean() == pytest.approx(1)


def test_balanced_classes_weigh_the_same(run: Run) -> None:
    classes = classes_of(run)
    assert classes is not None
    assert isinstance(classes.items, np.ndarray)
    weights = sample_weight(run, balanced=True)
    totals = [weights[classes.items == code].sum() for code in range(len(NAMES))]
    assert totals == pytest.approx([totals[0]] * 4)
    assert weights.mean() == pytest.approx(1)


def test_several_labels_take_the_mean(tmp_path: Path) -> None:
    run = labelled(tmp_path, "none", several=True)
    plain, even = sample_weight(run), sample_weight(run, balanced=True)
    factor = dict(zip(run.items.ids.to_pylist(), even / plain, strict=True))
    assert factor["i0"] == pytest.approx((factor["i4"] + factor["i1"]) / 2)


def test_a_run_without_labels_has_weights_but_none_to_balance(tmp_path: Path) -> None:
    run = labelled(tmp_path, "none")
    run = replace(run, manifest={name: value for name, value in run.manifest.items() if name != "labels"})
    assert classes_of(run) is None
    assert len(sample_weight(run)) == len(run.items)
    with pytest.raises(InputError, match="Weights can only be balanced by class where the items have labels"):
        sample_weight(run, balanced=True)


def test_classes_as_anchors_are_recognised(tmp_path: Path, run: Run) -> None:
    classes = labelled(tmp_path, "none", anchors="classes")
    assert (label_column(classes), label_column(run)) == ("label", "label")
    assert (are_classes(classes), are_classes(run)) == (True, False)
    found = classes_of(classes)
    assert found is not None
    assert (found.names, found.kind) == (tuple(sorted(NAMES)), "classes")


def test_a_classifier_takes_them() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    points = rng.normal(size=(48, 3))
    linear.LogisticRegression().fit(points, np.arange(48) % 2, sample_weight=np.linspace(0.5, 2, 48))
