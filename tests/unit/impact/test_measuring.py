"""From arms to a verdict: worlds where mining helps, hurts and does nothing; leaks; resuming; examinations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics
from tests import taught

from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError
from hardneg.impact.arms import Arm, no_mining, shuffled_arm
from hardneg.impact.called import Called
from hardneg.impact.classified import Classified
from hardneg.impact.division import lots_of
from hardneg.impact.leakage import leaks_of
from hardneg.impact.lesson import Budget, Lesson, Scorer
from hardneg.impact.making import joined, task_of
from hardneg.impact.probe import Probe, frozen
from hardneg.impact.ranked import Ranked
from hardneg.impact.task import Task
from hardneg.impact.verified import Verified
from hardneg.impact.work import Plan, measure
from hardneg.measures import ndcg_at, ranks_of
from hardneg.positives import Positives
from hardneg.ragged import Ragged
from hardneg.verify import eer, error_rates

QUICK = Plan(seeds=3, budget=Budget(steps=60, batch=32, negatives=4), doses=())

FEW = replace(QUICK, budget=Budget(steps=100, batch=8, negatives=8))  # with few others in a batch, negatives matter


def run(task: Task, arms: Sequence[Arm], plan: Plan = QUICK, folder: Path | None = None) -> object:
    probe = Probe(rate=0.01)
    return measure(task, arms, probe, plan, frozen=frozen(task, probe.seen(task)), folder=folder)


def test_where_mining_helps_it_says_so() -> None:
    task = taught.retrieval()
    mined = taught.nearest(task)
    found = measure(task, [mined, taught.random_like(task, mined), no_mining(task)], Probe(rate=0.03), FEW)
    assert found.verdict == "helped"
    assert found.sentence.startswith("Mining helped: nDCG@10 0.")
    assert found.comparisons[0].decisive.low > 0
    assert found.comparisons[0].p_holm >= found.comparisons[0].decisive.p


def test_where_the_negatives_are_positives_it_says_so() -> None:
    task = taught.retrieval()
    false = taught.own_positives(task)
    found = measure(task, [false, taught.random_like(task, false)], Probe(rate=0.03), FEW)
    assert found.verdict == "hurt"
    assert "Mining hurt" in found.sentence


def test_of_two_of_the_same_it_cannot_tell() -> None:
    task = taught.retrieval()
    mined = taught.nearest(task)
    found = measure(task, [mined, replace(mined, name="random")], Probe(rate=0.01), QUICK)
    assert found.verdict == "cannot tell"
    assert found.comparisons[0].decisive.value == 0
    assert "answer alike" in found.sentence


def test_the_null_is_kept() -> None:
    """Negatives of other anchors against random ones: of 12 measurements at most 3 say anything (5% would be 0.6)."""
    said = []
    for seed in range(12):
        task = taught.retrieval(seed, queries=90, documents=200)
        shuffled = shuffled_arm(task, taught.nearest(task))
        plan = Plan(seeds=3, budget=Budget(steps=15, batch=16, negatives=4), doses=(), seed=seed)
        said.append(measure(task, [shuffled, taught.random_like(task, shuffled)], Probe(rate=0.01), plan).verdict)
    assert sum(one != "cannot tell" for one in said) <= 3


def test_a_whole_measurement_is_the_same_each_time_and_fits_json(tmp_path: Path) -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    arms = [mined, taught.random_like(task, mined), no_mining(task)]
    plan = replace(QUICK, seeds=2, budget=Budget(steps=20, batch=16), doses=(0.0, 0.5, 1.0), dose_seeds=2)
    one, other = (run(task, arms, plan, tmp_path / name) for name in ("a", "b"))
    texts = [json.dumps(each.about(), allow_nan=False) for each in (one, other)]  # type: ignore[attr-defined]
    assert texts[0] == texts[1]
    about = json.loads(texts[0])
    assert [point["share"] for point in about["dose"]["points"]] == [0.0, 0.5, 1.0]
    assert [arm["name"] for arm in about["arms"]] == ["run", "random", "none", "untrained"]
    assert about["held_out"]["test"] + about["held_out"]["train"] + about["held_out"]["validation"] == 120
    assert not list(tmp_path.iterdir())


class Stopping:
    """The probe, until it has trained so often."""

    key = "stopping"

    def __init__(self, after: int) -> None:
        self.left, self.probe = after, Probe(rate=0.01)

    def train(self, lesson: Lesson) -> Scorer:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return self.probe.train(lesson)


def test_a_stopped_measurement_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    arms = [mined, taught.random_like(task, mined)]
    plan = replace(QUICK, budget=Budget(steps=10, batch=16))
    whole = measure(task, arms, Stopping(100), plan)
    folder = tmp_path / "impact.partial"
    with pytest.raises(KeyboardInterrupt):
        measure(task, arms, Stopping(4), plan, folder=folder)
    assert len(list(folder.glob("*.npz"))) == 4
    (folder / "arm-0-0-0.npz").write_bytes(b"damaged")
    second = Stopping(3)
    resumed = measure(task, arms, second, plan, folder=folder)
    assert second.left == 0  # two that were not there, one that was damaged
    assert resumed.about() == whole.about()
    assert not folder.exists()


def test_other_work_is_not_gone_on_with(tmp_path: Path) -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    arms, plan = [mined, taught.random_like(task, mined)], replace(QUICK, budget=Budget(steps=5, batch=16))
    with pytest.raises(KeyboardInterrupt):
        measure(task, arms, Stopping(4), plan, folder=tmp_path / "partial")
    second = Stopping(6)
    measure(task, arms, second, plan, folder=tmp_path / "partial", identity=("other data",))
    assert second.left == 0


def test_a_run_that_was_mined_anew_is_not_gone_on_with(tmp_path: Path) -> None:
    task = taught.retrieval(queries=120, documents=300)
    mined = taught.nearest(task)
    plan = replace(QUICK, budget=Budget(steps=5, batch=16))
    with pytest.raises(KeyboardInterrupt):
        measure(task, [mined, no_mining(task)], Stopping(4), plan, folder=tmp_path / "partial")
    second, anew = Stopping(6), replace(mined, lists=taught.nearest(task, k=7).lists)
    measure(task, [anew, no_mining(task)], second, plan, folder=tmp_path / "partial")
    assert second.left == 0


def test_queries_that_share_a_positive_stay_together() -> None:
    lists = Ragged.from_lists([[0, 1], [1, 2], [3], [3], [4], []])
    assert lists.connected(5).tolist() == [0, 0, 1, 1, 2, 3]
    pairs = [(f"q{row}", f"d{row // 3}") for row in range(90)]
    task = task_of(Positives.from_pairs(*zip(*pairs, strict=True)), None)
    sides = [set((rows // 3).tolist()) for rows in (task.parts.train, task.parts.validation, task.parts.test)]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert not [one for one in leaks_of(task) if one.what == "shares a positive"]


@pytest.mark.parametrize("kind", ["classification", "verification"])
def test_groups_and_identities_are_on_one_side(kind: str) -> None:
    task = taught.labelled(0, kind, classes=12)  # type: ignore[arg-type]
    groups = np.arange(len(task.codes)) // 3 if kind == "classification" else task.codes
    parts = task.parts
    for left, right in ((parts.train, parts.test), (parts.train, parts.validation), (parts.validation, parts.test)):
        assert not np.intersect1d(groups[left], groups[right]).size


def test_planted_leaks_are_found() -> None:
    task = taught.retrieval()
    parts = task.parts
    texts = [f"query {row}" for row in range(240)]
    texts[int(parts.test[0])] = texts[int(parts.train[0])].upper()
    vectors = np.array(task.vectors.anchors[:])  # type: ignore[union-attr]
    vectors[parts.test[1]] = vectors[parts.train[1]] + 0.001
    relations = task.positives.positive
    lists = [relations[row] for row in range(240)]
    lists[int(parts.test[2])] = lists[int(parts.train[2])]
    planted = replace(
        task,
        positives=replace(
            task.positives, anchors=Collection.of(task.positives.anchors.ids, texts=texts),
            positive=Ragged.from_lists(lists),
        ),
        vectors=Vectors(vectors, task.vectors.items),  # type: ignore[union-attr]
        parts=replace(parts, test=np.append(parts.test, parts.train[3])),
    )  # fmt: skip
    found = {one.what: one.count for one in leaks_of(planted)}
    assert found == {"same row": 1, "same content": 2, "shares a positive": 2, "near-copy": 2}
    assert not leaks_of(task)


def test_a_ranking_is_marked_by_the_measures() -> None:
    task = taught.retrieval()
    exam = Ranked(task, task.parts.test, None)
    scores = np.random.default_rng(0).normal(size=(240, 600)).astype(np.float32)
    answers = exam.answers(lambda left, right: scores[left][:, right])
    relevant = task.positives.positive.take(task.parts.test)
    expected = ndcg_at(ranks_of(scores[task.parts.test], relevant), 10)
    assert answers["unit"].tolist() == expected.tolist()
    weights = np.arange(len(expected), dtype=float)
    assert exam.figures(answers, weights)[0] == pytest.approx(np.average(expected, weights=weights))
    assert answers["choice"].tolist() == scores[task.parts.test].argmax(axis=1).tolist()


def test_a_classifier_is_marked_as_scikit_learn_does() -> None:
    task = taught.labelled(0)
    exam = Classified(task, task.parts.test, None)
    scores = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
    answers = exam.answers(lambda left, right: scores[left][:, right])
    true, said = task.codes[task.parts.test], scores[task.parts.test].argmax(axis=1)
    weights = np.random.default_rng(1).integers(0, 3, len(true)).astype(float)
    found = dict(zip([one.name for one in exam.measures], exam.figures(answers, weights).tolist(), strict=True))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(true, said, sample_weight=weights))
    assert found["macro F1"] == pytest.approx(metrics.f1_score(true, said, average="macro", sample_weight=weights))
    share = np.exp(scores[task.parts.test])
    share /= share.sum(axis=1, keepdims=True)
    targets = (true[:, None] == np.arange(5)).ravel()
    expected = metrics.average_precision_score(targets, share.ravel(), sample_weight=np.repeat(weights, 5))
    assert found["AP"] == pytest.approx(expected, abs=1e-4)


def test_a_verifier_is_marked_as_its_trials_are() -> None:
    task = taught.labelled(0, "verification", classes=12)
    exam = Verified(task, task.parts.test, None)
    vectors = np.asarray(task.vectors.items[:])  # type: ignore[union-attr]
    answers = exam.answers(lambda left, right: vectors[left] @ vectors[right].T)
    rows = task.parts.test
    scores, same = vectors[rows] @ vectors[rows].T, task.codes[rows][:, None] == task.codes[rows]
    above = np.triu(np.ones_like(same), 1)
    curve = error_rates(scores[same & above], scores[~same & above])
    assert exam.figures(answers)[0] == pytest.approx(eer(curve))
    drawn = np.repeat(np.arange(len(rows)), 2)  # everybody twice: the same rates
    assert exam.figures(answers, np.full(len(rows), 2.0))[0] == pytest.approx(eer(curve))
    assert len(drawn) == 2 * len(rows)


def test_a_threshold_comes_from_validation_data() -> None:
    task = taught.labelled(0, "verification", classes=14)
    arms = [Arm("run", "none at all", no_mining(task).lists), no_mining(task)]
    found = run(task, arms, replace(QUICK, seeds=2, budget=Budget(steps=5, batch=16)))
    names = [one.name for one in found.measures]  # type: ignore[attr-defined]
    assert not np.isnan(found.arms[0].mean[[names.index("FPR"), names.index("TPR")]]).any()  # type: ignore[attr-defined]
    assert any("validation targets" in one for one in found.told.notes)  # type: ignore[attr-defined]


def test_two_splits_become_one_task() -> None:
    items = Collection.of(["a", "b", "c"])
    train = Positives.from_pairs(["p", "q", "r"], ["a", "b", "c"], items=items)
    test = Positives.from_pairs(["r", "s"], ["c", "a"], items=items)
    made, held_out, kept = joined(train, test)
    assert made.anchors.ids.to_pylist() == ["p", "q", "r", "s"]
    assert held_out.tolist() == [False, False, True, True]
    assert (kept.tolist(), made.positive.values.tolist()) == ([0, 1], [0, 1, 2, 0])
    with pytest.raises(InputError, match="other items"):
        joined(train, Positives.from_pairs(["s"], ["a"]))


def test_what_does_not_fit_is_refused() -> None:
    pairs = Positives.from_pairs(["q", "r"], ["a", "b"])
    with pytest.raises(OptionError, match="labels"):
        task_of(pairs, None, kind="verification")
    with pytest.raises(InputError, match=r"too little|hang together"):
        task_of(pairs, None)
    task = taught.retrieval()
    with pytest.raises(OptionError, match="two arms"):
        measure(task, [no_mining(task)], Probe())
    with pytest.raises(OptionError, match="two arms"):
        measure(task, [no_mining(task), no_mining(task)], Probe())


def test_held_out_labels_that_are_new_make_a_verification() -> None:
    table = pa.table({"id": range(40), "label": [f"l{row // 4}" for row in range(40)]})
    held_out = np.arange(40) >= 28
    made = Positives.from_labels(Collection(table), minable=~held_out)
    assert task_of(made, None, held_out=held_out).kind == "verification"
    with pytest.raises(InputError, match="none of the training labels"):
        task_of(made, None, kind="classification", held_out=held_out)


def test_training_of_the_users_own() -> None:
    task = taught.retrieval(queries=120, documents=300)
    seen: list[int] = []

    def train(lesson: Lesson, seed: int) -> object:
        triplets = list(lesson.triplets())
        assert len(triplets) == 3 * 16
        anchor, positive, negatives = triplets[0]
        assert (anchor[0], positive[0], len(negatives)) == ("q", "d", 4)
        seen.append(seed)
        rng = np.random.default_rng(seed)
        return lambda left, right: rng.normal(size=(len(left), len(right)))

    plan = replace(QUICK, seeds=2, budget=Budget(steps=3, batch=16))
    mined = taught.nearest(task)
    found = measure(task, [mined, taught.random_like(task, mined)], Called(call=train), plan)
    assert found.verdict == "cannot tell"
    assert seen == [0, 0, 1, 1]


def test_training_that_fails_says_whose_fault_it_is() -> None:
    task = taught.labelled(0)
    lesson = Lesson(task, Ragged.empty(150), Budget(steps=1), 0)
    ids, labels, weights = lesson.examples()
    assert len(ids) == len(labels) == len(weights) == len(task.parts.train)

    def broken(lesson: Lesson, seed: int) -> object:
        raise ValueError("no such layer")

    with pytest.raises(InputError, match=r"failed in training .ValueError: no such layer"):
        Called(call=broken).train(lesson)
    with pytest.raises(InputError, match="must return a function"):
        Called(call=lambda lesson, seed: 3).train(lesson)
    wrong = Called(call=lambda lesson, seed: lambda left, right: np.zeros(3)).train(lesson)
    with pytest.raises(InputError, match=r"shape .2, 5."):
        wrong(np.array([0, 1]), np.arange(5))


def identities(sizes: list[int]) -> tuple[Positives, Vectors]:
    labels = [f"p{one}" for one, size in enumerate(sizes) for _ in range(size)]
    made = Positives.from_labels(Collection(pa.table({"id": np.arange(len(labels)), "label": labels})))
    vectors = np.random.default_rng(0).normal(size=(len(labels), 8)).astype(np.float32)
    return made, Vectors.of_items(vectors, made)


def test_validation_data_without_two_of_one_identity_give_no_dose() -> None:
    task = task_of(*identities([6] * 8), kind="verification")
    lonely = np.unique(task.codes[task.parts.validation], return_index=True)[1]
    parts = replace(task.parts, validation=task.parts.validation[lonely])
    alone = replace(task, parts=parts)
    exam = Verified(alone, parts.validation, None)
    assert np.isnan(exam.figures(exam.answers(lambda rows, others: np.zeros((len(rows), len(others)), np.float32)))[0])
    mined = taught.nearest(alone)
    plan = replace(QUICK, seeds=2, budget=Budget(steps=5, batch=16), doses=(0.0, 0.5, 1.0))
    found = measure(alone, [mined, taught.random_like(alone, mined)], Probe(rate=0.01), plan)
    assert found.dose is None
    assert any(one.startswith("No dose curve") for one in found.told.notes)
    assert not np.isnan(found.arms[0].mean[0])


@pytest.mark.parametrize("sizes", [[1] * 40, [30, 1, 1]])
def test_a_verifier_is_held_to_trials_of_both_kinds(sizes: list[int]) -> None:
    positives, vectors = identities(sizes)
    held_out = np.arange(sum(sizes)) < 30
    with pytest.raises(InputError, match="no trial of two items of one identity, or none of two"):
        task_of(positives, vectors, kind="verification", held_out=held_out)


def test_texts_that_differ_in_writing_alone_stay_on_one_side() -> None:
    table = pa.table(
        {"id": [1, 2, 3, 4], "text": ["A fox!", "a hen", "a fox", "a  hen."], "label": ["x", "y", "x", "y"]}
    )
    lots, _ = lots_of("classification", Positives.from_labels(Collection(table)), np.array([0, 1, 0, 1]))
    assert lots.tolist() == [0, 1, 0, 1]
