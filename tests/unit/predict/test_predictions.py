from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError
from hardneg.predict import Predictions, check_codes, check_probabilities
from hardneg.ragged import Ragged


def _predictions() -> Predictions:
    rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [np.nan] * 3], np.float32)
    return Predictions(rows, np.ones(3, bool), ("a", "b", "c"))


def test_a_row_without_a_prediction_is_taken_for_nothing() -> None:
    found = _predictions()
    assert found.taken_for().tolist() == [0, 2, -1]
    assert found.predicted.tolist() == [True, True, False]
    assert len(found) == 3


def test_the_margin_is_against_the_most_probable_of_several_labels() -> None:
    rows, classes = np.array([0, 1, 2]), np.array([1, 2, 0])
    plain = _predictions().margin(rows, classes, np.array([0, -1, 1]))
    assert plain[0] == pytest.approx(-0.5)
    assert np.isnan(plain[1:]).all()
    several = _predictions().margin(rows, classes, Ragged.from_lists([[0, 2], [0, 1], []]))
    assert several[:2].tolist() == pytest.approx([-0.5, 0.3])
    assert np.isnan(several[2])


def test_the_shape_must_agree() -> None:
    with pytest.raises(InputError, match="must have shape"):
        Predictions(np.zeros((2, 3), np.float32), np.ones(2, bool), ("a", "b"))


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (np.array([0, 1]), "3 items, 2 codes"),
        (np.array([0, 1, 5]), "Got 5 in row 2"),
        (np.array([0, -2, 1]), "Got -2 in row 1"),
        (np.array([0.0, 1.0, 1.0]), "whole numbers"),
        (Ragged.from_lists([[0], [], [1, 3]]), "Got 3 in row 2"),
        (Ragged.from_lists([[0], [-1], [1]]), "Got -1 in row 1"),
    ],
)
def test_wrong_codes_are_named(codes: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_codes(codes, 3, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0.5, 0.5, 0]], r"must have shape \(n, 2\)"),
        ([[0.5, 0.5], [np.nan, 0.5]], "1 of 2 rows hold NaN .*first: row 1"),
        ([[0.5, np.inf]], "NaN or infinity"),
        ([[0.5, 0.5], [-3, 4], [2, 1]], "2 of 3 rows hold numbers outside .*row 1, -3 to 4.*kind=logits"),
        ([[0.5, 0.5], [0.5, 0.4]], "1 of 2 rows do not sum to 1 .*row 1, 0.9"),
    ],
)
def test_wrong_probabilities_are_counted_and_the_first_is_named(rows: list[list[float]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_probabilities(np.array(rows), 2)


def test_good_probabilities_come_out_as_float32_that_sum_to_one() -> None:
    found = check_probabilities(np.array([[0.3, 0.695], [np.nan, np.nan]]), 2)
    assert found.dtype == np.float32
    assert found[0].sum() == pytest.approx(1)
    assert np.isnan(found[1]).all()
    assert check_probabilities(np.array([[0.9, 0.8]]), 2, independent=True)[0].tolist() == pytest.approx([0.9, 0.8])
    assert check_probabilities(np.zeros((0, 2)), 2).shape == (0, 2)


def test_logits_become_probabilities_without_overflow() -> None:
    found = check_probabilities(np.array([[1000.0, 0], [0, 0]]), 2, kind="logits")
    assert found.tolist() == [[1, 0], [0.5, 0.5]]
    alone = check_probabilities(np.array([[-1000.0, 0]]), 2, kind="logits", independent=True)
    assert alone.tolist() == [[0, 0.5]]
