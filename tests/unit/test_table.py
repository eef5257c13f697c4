from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.collection import Collection
from hardneg.table import Grade, Rows, dictionary, grades, id_column, provenance, source_bits


@pytest.mark.parametrize(
    ("score", "positive", "grade"),
    [
        (0.6, 0.5, Grade.HARD),
        (0.5, 0.5, Grade.HARD),
        (0.45, 0.5, Grade.SEMI_HARD),
        (0.3, 0.5, Grade.EASY),
        (-1.0, -1.0, Grade.HARD),
        (-1.1, -1.0, Grade.SEMI_HARD),
        (-1.3, -1.0, Grade.EASY),
        (0.0, 0.0, Grade.HARD),
        (-0.1, 0.0, Grade.EASY),
    ],
)
def test_grades_work_for_any_sign(score: float, positive: float, grade: Grade) -> None:
    assert grades(np.array([score], np.float32), np.array([positive], np.float32)).tolist() == [grade]


@given(st.lists(st.integers(1, 7)))
def test_provenance_and_its_bits_agree(bits: list[int]) -> None:
    names = ["neighbors", "lexical", "uniform"]
    codes, shown = provenance(np.array(bits, np.uint32), names)
    texts = [shown[code] for code in codes]
    assert texts == ["+".join(name for i, name in enumerate(names) if one & 1 << i) for one in bits]
    assert source_bits(texts, names).tolist() == bits


@pytest.mark.parametrize("ids", [["x", "y", "z"], [30, 10, 20]])
def test_ids_keep_their_kind_and_only_those_in_use_are_held(ids: list[object]) -> None:
    column = id_column(np.array([2, 0, 2]), Collection.of(ids))
    assert column.to_pylist() == [ids[2], ids[0], ids[2]]
    assert column.dictionary.to_pylist() == [ids[0], ids[2]]


def test_empty_columns() -> None:
    assert dictionary(np.array([], np.uint8), ["keep"]).to_pylist() == []
    assert id_column(np.array([], np.int64), Collection.of(["a"])).type == pa.dictionary(pa.int32(), pa.string())


def test_rows_are_taken_with_all_their_columns() -> None:
    rows = Rows(np.array([0, 0, 1]), np.array([5, 6, 7]), {"score": np.array([0.1, 0.2, 0.3])})
    some = rows.take(np.array([False, True, True])).having(rank=np.array([1, 0]))
    assert (some.item.tolist(), some["score"].tolist(), some["rank"].tolist()) == ([6, 7], [0.2, 0.3], [1, 0])
    assert Rows.concatenated([rows, rows.take(np.array([2]))]).item.tolist() == [5, 6, 7, 7]
    assert "rank" not in rows.columns
