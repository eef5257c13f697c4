from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hardneg.errors import InputError
from hardneg.predict import predictions_of

IDS, CLASSES = ["x", "y", "z"], ("cat", "dog")
GOOD: dict[str, Any] = {"id": ["z", "x", "y"], "cat": [0.9, 0.2, 0.5], "dog": [0.1, 0.8, 0.5]}
EXPECTED = [0.2, 0.5, 0.9]


def given(columns: dict[str, Any], **options: Any) -> Any:
    return predictions_of(pa.table(columns), IDS, CLASSES, **options)


@pytest.mark.parametrize(
    "columns",
    [
        GOOD,
        {"item_id": GOOD["id"], "p_dog": GOOD["dog"], "p_cat": GOOD["cat"], "note": ["", "", ""]},
        {"id": GOOD["id"], "prob_cat": GOOD["cat"], "prob_dog": GOOD["dog"]},
        {"id": GOOD["id"], "logit_cat": np.log(GOOD["cat"]), "logit_dog": np.log(GOOD["dog"])},
        {"id": GOOD["id"], "probs": [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]},
        {"id": GOOD["id"], "probs": pa.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], pa.list_(pa.float32(), 2))},
        {"id": GOOD["id"], "logits": np.log([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]).tolist()},
    ],
)
def test_every_form_of_a_table_gives_the_same(columns: dict[str, Any]) -> None:
    found = given(columns)
    assert found.probabilities[:, 0].tolist() == pytest.approx(EXPECTED, abs=1e-6)
    assert found.about["warnings"] == []
    assert not found.held_out.any()
    assert given(columns, held_out=True).held_out.all()


def test_named_columns_and_kinds() -> None:
    columns = {"key": GOOD["id"], "scores": [[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]]}
    found = given(columns, id_column="key", column="scores", kind="logits")
    assert found.probabilities[1].tolist() == [0.5, 0.5]


def test_missing_unknown_and_empty_rows_are_counted() -> None:
    found = given(
        {"id": ["x", "w", "y"], "cat": [0.2, 0.5, None], "dog": [0.8, 0.5, None], "label": ["cat", "cow", None]}
    )
    counts = {name: found.about[name] for name in ("unknown_ids", "missing_ids", "empty_rows", "unseen_labels")}
    assert counts == {"unknown_ids": 1, "missing_ids": 1, "empty_rows": 1, "unseen_labels": 1}
    assert found.predicted.tolist() == [True, False, False]
    assert len(found.about["warnings"]) == 4


def test_a_missing_list_is_an_empty_row() -> None:
    found = given({"id": ["x", "y", "z"], "probs": [[0.2, 0.8], None, [0.9, 0.1]]})
    assert found.predicted.tolist() == [True, False, True]
    assert found.about["empty_rows"] == 1


def test_a_column_says_which_rows_were_held_out() -> None:
    assert given({**GOOD, "held_out": [True, False, None]}).held_out.tolist() == [False, False, True]
    with pytest.raises(InputError, match="must be true or false"):
        given({**GOOD, "held_out": ["yes", "no", "no"]})


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"id": pa.array([], pa.string()), "cat": pa.array([], pa.float32())}, "has no rows"),
        ({**GOOD, "id": ["x", "x", "y"]}, r"1 ids have more than one prediction \(first: x\)"),
        ({**GOOD, "id": ["x", None, "y"]}, "id is missing in 1 rows .*row 1"),
        ({**GOOD, "id": ["a", "b", "c"]}, "None of the 3 ids"),
        ({"name": ["x"], "cat": [1.0], "dog": [0.0]}, "no column of ids.*name, cat, dog"),
        ({"id": ["x"], "cat": [1.0]}, "1 of the 2 classes have no column .*'dog'"),
        ({"id": ["x"], "p_cat": [1.0]}, "'p_dog'"),
        ({"id": ["x"], "p_cat": [1.0], "p_dog": [0.0], "p_cow": [0.0]}, "the labels do not have .*'p_cow'"),
        ({"id": ["x"], "probs": [[1.0, 0.0, 0.0]]}, "must hold 2 numbers a row.*Got 3 numbers in row 0"),
        ({"id": ["x"], "probs": [["a", "b"]]}, "lists of numbers"),
        ({"id": ["x"], "cat": ["much"], "dog": ["little"]}, "'cat' must hold numbers"),
        ({"id": ["x", "y"], "cat": [0.5, 4.2], "dog": [0.5, -3.0]}, "row 1, -3 to 4.2.*kind=logits"),
        ({"id": ["x"], "cat": [0.5], "dog": [0.3]}, "do not sum to 1 .*independent=true"),
        ({"id": ["x"], "cat": [0.5], "dog": [None]}, "NaN"),
    ],
)
def test_what_is_wrong_is_said(columns: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        given(columns)
    with pytest.raises(InputError, match="no column 'nothing'"):
        given(GOOD, column="nothing")
