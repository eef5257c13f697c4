from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.predict import MODELS, Estimator, Logistic, make_model
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.testing import check_model

pytest.importorskip("sklearn", reason='needs: pip install "hardneg[labels]"')
NAMES = ("a", "b", "c")


def means(vectors: FloatArray, codes: IntArray, asked: FloatArray) -> FloatArray:
    """A user's function: a softmax of the products with the classes' means."""
    found = np.stack([vectors[codes == one].mean(axis=0) for one in np.unique(codes)])
    raised = np.exp(5 * asked @ found.T)
    out = np.zeros((len(asked), int(codes.max()) + 1), np.float32)
    out[:, np.unique(codes)] = raised / raised.sum(axis=1, keepdims=True)
    return out


def says_nothing() -> Any:
    class Says:
        def fit(self, X: Any, y: Any) -> None: ...

    return Says()


CONTRACTS = [
    "logistic", "logistic(C=1, class_weight=balanced, folds=3)", "knn", "knn(k=5, temperature=0.05)", "propagation",
    "propagation(k=5, alpha=0.5, calibrate=false)", "estimator(sklearn.naive_bayes:GaussianNB)",
    "estimator(sklearn.svm:LinearSVC)", "estimator(sklearn.tree:DecisionTreeClassifier)",
    f'estimator("{__file__}:means")',
]  # fmt: skip


@pytest.mark.parametrize("text", CONTRACTS, ids=lambda text: text.rpartition("/")[2])
def test_every_model_keeps_its_promises(text: str) -> None:
    check_model(make_model(text))


def test_every_model_is_held_to_them() -> None:
    assert set(MODELS.steps) == {text.partition("(")[0] for text in CONTRACTS}


def blobs(sizes: list[int], gap: float = 4.0, seed: int = 0) -> tuple[FloatArray, IntArray]:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    vectors = rng.normal(size=(len(codes), 6)).astype(np.float32)
    vectors[np.arange(len(codes)), codes] += gap
    return vectors, codes


@pytest.mark.parametrize("model", ["logistic", "knn", "propagation"])
def test_the_number_of_threads_changes_nothing(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, codes = blobs([40, 30, 30], gap=1.0)
    found = []
    for count in ("1", "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        found.append(make_model(model).predict(vectors, codes, NAMES).probabilities)
    assert np.array_equal(found[0], found[1])


def test_a_class_smaller_than_the_folds_is_held_out_all_the_same() -> None:
    vectors, codes = blobs([30, 2, 3])
    found = Logistic(folds=5).predict(vectors, codes, NAMES)
    assert found.held_out.all()
    assert found.about["warnings"] == []


def test_an_item_alone_in_its_class_is_said_to_be_seen() -> None:
    vectors, codes = blobs([10, 10, 1])
    found = Logistic().predict(vectors, codes, NAMES)
    assert found.held_out.tolist() == [True] * 20 + [False]
    assert found.probabilities[20, 2] > 0
    assert any("1 labelled items could not be held out" in str(one) for one in found.about["warnings"])  # type: ignore[attr-defined]


def test_a_group_is_never_torn_apart() -> None:
    # Copies of one vector with labels by lot: only a model that saw the group could know.
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(60, 16)), 3, axis=0).astype(np.float32)
    vectors += rng.normal(size=vectors.shape).astype(np.float32) * 1e-3
    groups = np.repeat(np.arange(60), 3)
    codes = rng.integers(0, 2, 60)[groups]
    torn = make_model("knn(k=2)").predict(vectors, codes, ("no", "yes"))
    whole = make_model("knn(k=2)").predict(vectors, codes, ("no", "yes"), groups=groups)
    assert (torn.taken_for() == codes).mean() > 0.9
    assert (whole.taken_for() == codes).mean() < 0.7
    assert whole.about["too_weak"]


def test_a_class_that_is_one_group_cannot_be_held_out() -> None:
    vectors, codes = blobs([20, 20, 6])
    groups = [f"g{row % 4}" for row in range(40)] + ["film"] * 6
    found = Logistic(folds=3).predict(vectors, codes, NAMES, groups=groups)
    assert found.held_out.tolist() == [True] * 40 + [False] * 6
    assert found.predicted.all()


def test_items_without_a_group_stand_for_themselves() -> None:
    vectors = np.concatenate([np.eye(2, 6), np.eye(2, 6)] * 10).astype(np.float32)
    vectors += np.random.default_rng(0).normal(scale=0.1, size=vectors.shape).astype(np.float32)
    codes = np.tile([0, 1], 20)
    groups = [None if row >= 4 else "film" for row in range(40)]
    found = Logistic().predict(vectors, codes, ("a", "b"), groups)
    assert found.held_out.all()
    assert found.about["accuracy"] == 1
    turned = Logistic().predict(vectors[::-1], codes[::-1], ("a", "b"), groups[::-1])
    assert (turned.probabilities[::-1] == found.probabilities).all()
    only = Logistic().predict(vectors, np.where(np.arange(40) % 2, 1, np.where(np.arange(40) < 20, 0, -1)), ("a", "b"),
                              [None] * 40)  # fmt: skip
    assert only.held_out.all()


def test_fewer_items_than_folds() -> None:
    vectors, codes = blobs([2, 2])
    found = Logistic(folds=5).predict(vectors, codes, ("a", "b"))
    assert found.held_out.all()
    alone = Logistic().predict(vectors[1:3], codes[1:3], ("a", "b"))
    assert not alone.held_out.any()
    assert alone.about["too_weak"]
    assert json.dumps(alone.about, allow_nan=False)


def test_labels_of_one_class_teach_nothing() -> None:
    vectors, _ = blobs([5])
    with pytest.raises(InputError, match=r"at least two classes\. Got 1, on 5 items"):
        Logistic().predict(vectors, np.zeros(5, np.int64), NAMES)
    with pytest.raises(InputError, match="None of the items has one"):
        Logistic().predict(vectors, Ragged.empty(5), NAMES)


def test_a_class_without_items_is_named_and_gets_nothing() -> None:
    vectors, codes = blobs([10, 10])
    found = Logistic(calibrate=False).predict(vectors, codes, ("a", "b", "none"))
    assert (found.probabilities[:, 2] == 0).all()
    assert "none" in str(found.about["warnings"])
    several = Logistic().predict(vectors, Ragged.from_lists([[int(one)] for one in codes]), ("a", "b", "none"))
    assert (several.probabilities[:, 2] == 0).all()


def test_copies_are_told() -> None:
    vectors, codes = blobs([10, 10])
    vectors[1] = vectors[0]
    assert "1 item has the vector of another" in str(Logistic().predict(vectors, codes, ("a", "b")).about["warnings"])


def test_groups_must_be_as_many_as_items() -> None:
    vectors, codes = blobs([5, 5])
    with pytest.raises(InputError, match="10 items, 3 groups"):
        Logistic().predict(vectors, codes, ("a", "b"), groups=["x", "y", "z"])


def test_calibration_lowers_the_loss_and_keeps_the_order() -> None:
    vectors, codes = blobs([60, 60, 60], gap=1.5)
    cold = Logistic(C=0.01).predict(vectors, codes, NAMES)
    raw = Logistic(C=0.01, calibrate=False).predict(vectors, codes, NAMES)
    assert (cold.taken_for() == raw.taken_for()).all()
    assert cold.about["log_loss"] < cold.about["log_loss_before"]  # type: ignore[operator]
    assert cold.about["calibration_error"] < cold.about["calibration_error_before"] == raw.about["calibration_error"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("logistic(C=0)", "'C' must be above 0"),
        ("logistic(folds=1)", "'folds' must be"),
        ("knn(k=0)", "'k' must be"),
        ("propagation(alpha=1)", "'alpha' must be"),
        ("estimator", "'target' must be"),
        ("logistik", "Did you mean 'logistic'"),
    ],
)
def test_wrong_options_are_named(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        make_model(text)


class TestEstimator:
    """The user's own classifier."""

    def test_a_function_that_is_not_there(self, tmp_path: Path) -> None:
        vectors, codes = blobs([5, 5])
        with pytest.raises(OptionError, match="no function 'Nobody'"):
            Estimator("math:Nobody").predict(vectors, codes, ("a", "b"))
        with pytest.raises(OptionError, match="There is no file"):
            Estimator(f"{tmp_path}/none.py:make").predict(vectors, codes, ("a", "b"))

    def test_what_is_no_classifier(self) -> None:
        vectors, codes = blobs([5, 5])
        with pytest.raises(OptionError, match="must have 'predict_proba' or 'decision_function'"):
            Estimator(call=says_nothing).predict(vectors, codes, ("a", "b"))
        with pytest.raises(OptionError, match="a classifier with 'fit'"):
            Estimator(call=dict).predict(vectors, codes, ("a", "b"))

    def test_rows_that_are_too_few(self) -> None:
        vectors, codes = blobs([5, 5])
        with pytest.raises(InputError, match="must give 2 rows"):
            Estimator(call=lambda vectors, codes, asked: [[0.5, 0.5]]).predict(vectors, codes, ("a", "b"))

    def test_tensors_will_do(self) -> None:
        torch: Any = pytest.importorskip("torch")
        vectors, codes = blobs([9, 9])

        def train(vectors: FloatArray, codes: IntArray, asked: FloatArray) -> Any:
            return torch.from_numpy(means(vectors, codes, asked)).requires_grad_()

        assert (Estimator(call=train).predict(vectors, codes, ("a", "b")).taken_for() == codes).all()


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [one for one in sys.modules if one.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    vectors, codes = blobs([5, 5])
    with pytest.raises(MissingExtraError, match=r'scikit-learn.*pip install "hardneg\[labels\]"'):
        Logistic().predict(vectors, codes, ("a", "b"))
