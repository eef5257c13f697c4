from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.samplers.test_labelled_limits import classes_at, mined
from tests.unit.test_balance import unlabelled

from hardneg.class_weights import class_weights, negative_weights, weighted
from hardneg.errors import InputError, OptionError


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.floats(0, 0.9999))
def test_weights_average_one_and_rare_classes_weigh_more(counts: list[int], beta: float) -> None:
    sizes = np.array(counts)
    for found in (class_weights(sizes), class_weights(sizes, "effective", beta)):
        if sizes.any():
            assert found @ sizes / sizes.sum() == pytest.approx(1)
        assert (found[sizes == 0] == 0).all()
        order = np.argsort(sizes[sizes > 0])
        assert (np.diff(found[sizes > 0][order]) <= 1e-9).all()


def test_even_gives_each_class_the_same_sum_and_beta_leads_there_from_no_weights() -> None:
    sizes = np.array([300, 20, 1])
    assert class_weights(sizes) * sizes == pytest.approx([107, 107, 107])
    assert class_weights(sizes, "effective", 0.0) == pytest.approx([1, 1, 1])
    assert class_weights(sizes, "effective", 1 - 1e-9) == pytest.approx(class_weights(sizes), rel=1e-4)


def test_the_effective_number_as_in_the_paper() -> None:
    sizes, beta = np.array([100, 10]), 0.99
    effective = (1 - beta**sizes) / (1 - beta)
    found = class_weights(sizes, "effective", beta)
    assert found[1] / found[0] == pytest.approx(effective[0] / effective[1])


@pytest.mark.parametrize("side", ["item", "anchor"])
def test_negatives_of_each_class_weigh_the_same(side: str) -> None:
    run = mined("top(n=5)")
    found = weighted(run, side)  # type: ignore[arg-type]
    weights = found.column("weight").to_numpy()
    names = np.array([(mine_, theirs)[side == "item"] for _, mine_, theirs in classes_at(run)])
    sums = [weights[names == one].sum() for one in sorted(set(names) - {"None"})]
    assert sums == pytest.approx([sums[0]] * len(sums), rel=1e-5)
    assert (weights[names == "None"] == 1).all()
    assert weights.mean() == pytest.approx(1)
    assert found.drop_columns(["weight"]).equals(run.negatives)


def test_several_labels_take_the_mean() -> None:
    run = mined("top(n=5)", several=True)
    weights = negative_weights(run)
    of = dict(zip([theirs for *_, theirs in classes_at(run)], weights, strict=True))
    assert of["['b', 'a']"] == pytest.approx((of["['a']"] + of["['b']"]) / 2)


def test_what_cannot_be_weighed() -> None:
    with pytest.raises(InputError, match="no labels to weigh by"):
        negative_weights(unlabelled())
    for options in ({"scheme": "odd"}, {"beta": 1.0}):
        with pytest.raises(OptionError):
            class_weights(np.array([1]), **options)
