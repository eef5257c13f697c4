from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Context, Vectors, anchors_of
from hardneg.errors import OptionError
from hardneg.positives import Positives
from hardneg.rounds import Round, Stop, mine_in_rounds, with_pseudo_labels

datasets = pytest.importorskip("sklearn.datasets", reason='needs: pip install "hardneg[labels]"')


def scene(share: float = 0.3, seed: int = 0) -> tuple[Positives, NDArray[np.float32], NDArray[np.int64]]:
    """Digits of which a share has labels, a tenth being a validation split."""
    found = datasets.load_digits()
    vectors = (found.data / 16 - (found.data / 16).mean(axis=0)).astype(np.float32)
    truth = found.target.astype(np.int64)
    rng = np.random.default_rng(seed)
    validation = rng.random(len(truth)) < 0.1
    known = validation | (rng.random(len(truth)) < share)
    labels = [str(one) if has else None for one, has in zip(truth, known, strict=True)]
    things = Collection(pa.table({"id": np.arange(len(truth)), "label": labels}))
    return Positives.from_labels(things, minable=~validation), vectors, truth


def test_pseudo_labels_are_right_and_what_was_given_stays() -> None:
    positives, vectors, truth = scene()
    context = Context(positives, Vectors(anchors_of(vectors, positives, "cosine"), vectors))
    more, number = with_pseudo_labels(positives, context.predictions("logistic", "a test"))
    assert more.classes is not None
    assert positives.classes is not None
    codes, before = more.classes.of_items("x"), positives.classes.of_items("x")
    fresh = (codes >= 0) & (before < 0)
    assert number == fresh.sum() > 300
    assert (codes[fresh] == truth[fresh]).mean() > 0.97
    assert (codes[before >= 0] == before[before >= 0]).all()
    assert not more.barred[fresh].any()
    assert more.items.table.column("given_label").to_pylist() == positives.items.table.column("label").to_pylist()


def test_it_stops_where_nothing_changes(tmp_path: Path) -> None:
    positives, vectors, _ = scene()
    found = mine_in_rounds(
        positives, vectors, lambda one: None, out=tmp_path / "runs", sources="neighbors(k=30)", sampler="top(n=4)"
    )
    assert [one.number for one in found.rounds] == [0, 1]
    assert found.rounds[1].renewed == 0
    assert found.stopped == "Only 0.0% of the negatives are new."
    assert (tmp_path / "runs" / "round-1" / "negatives.parquet").is_file()
    assert found.best.number == 0
    assert not found.best.weak


def test_training_gives_the_vectors_of_the_next_round() -> None:
    positives, vectors, _ = scene()
    seen: list[int] = []

    def train(one: Round) -> NDArray[np.float32]:
        seen.append(one.number)
        return vectors + np.random.default_rng(one.number).normal(0, 0.2, vectors.shape).astype(np.float32)

    found = mine_in_rounds(
        positives, vectors, train, stop=Stop(most=3, patience=9), sources="neighbors(k=20)", sampler="top(n=3)"
    )
    assert seen == [0, 1]
    assert found.stopped == "There were to be 3 rounds at most."
    assert all(one.renewed > 0.05 for one in found.rounds)


def test_it_stops_where_the_model_gets_no_better() -> None:
    positives, vectors, _ = scene()
    noise = np.random.default_rng(0)

    def worse(one: Round) -> NDArray[np.float32]:
        return vectors + noise.normal(0, 0.5 * (1 + one.number), vectors.shape).astype(np.float32)

    found = mine_in_rounds(positives, vectors, worse, sources="neighbors(k=20)", sampler="top(n=3)", pseudo_error=None)
    assert found.stopped.startswith("The model is no better")
    assert found.best.number == 0
    assert found.rounds[0].pseudo == 0


def test_what_training_has_learnt_by_heart_lets_no_member_of_the_class_through() -> None:
    positives, vectors, truth = scene()
    assert positives.classes is not None
    codes = positives.classes.of_items("a test")
    shown = np.where(positives.barred, -1, codes)

    def by_heart(one: Round) -> NDArray[np.float32]:
        """The labelled items of a class all alike, the others as they were."""
        learnt = np.zeros((len(codes), 10), np.float32)
        learnt[shown >= 0, shown[shown >= 0]] = 2
        return np.concatenate([vectors, learnt], axis=1)

    found = mine_in_rounds(
        positives, vectors, by_heart, stop=Stop(most=2, settled=0, patience=9), sources="neighbors(k=50)",
        filters=["known", "unlabelled"], sampler="top(n=50)", pseudo_error=None,
    )  # fmt: skip
    for one in found.rounds:
        table = one.run.candidates.table.to_pydict()
        item, anchor = np.array(table["item"]), np.array(table["anchor"])
        member = (codes[item] < 0) & (truth[item] == truth[anchor])
        assert member.sum() > 500
        assert (np.array(table["verdict"])[member] == "suspect").mean() > 0.97


def test_training_that_gives_no_vectors_is_named() -> None:
    positives, vectors, _ = scene()
    with pytest.raises(ValueError, match="1797"):
        mine_in_rounds(positives, vectors, lambda one: vectors[:5], sources="neighbors(k=5)")


def test_a_model_too_weak_mines_random_items(capsys: pytest.CaptureFixture[str]) -> None:
    positives, vectors, _ = scene()
    noise = np.random.default_rng(0).normal(size=vectors.shape).astype(np.float32)
    found = mine_in_rounds(positives, noise, lambda one: None, stop=Stop(most=1), sources="neighbors(k=20)")
    assert found.rounds[0].weak
    assert found.rounds[0].pseudo == 0
    assert found.rounds[0].run.manifest["steps"]["sources"] == ["uniform(k=100)"]


@pytest.mark.parametrize("options", [{"most": 0}, {"settled": 2.0}, {"patience": 0}])
def test_wrong_options(options: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        Stop(**options)  # type: ignore[arg-type]
