from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg import lookup
from hardneg.lookup import Lookup

TEXTS = st.lists(st.text(max_size=30), unique=True)


@given(TEXTS, st.lists(st.text(max_size=30)), st.integers(0, 5))
def test_texts_stand_where_a_dictionary_says(known: list[str], others: list[str], skip: int) -> None:
    wanted = [*others, *known[::-1], *known[:3]]
    row = {one: at for at, one in enumerate(known)}
    found = Lookup(pa.array(known, pa.string())).find(pa.array(["", *wanted], pa.string())[1 + skip :])
    assert found.tolist() == [row.get(one, -1) for one in wanted][skip:]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True), st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_stand_where_a_dictionary_says(known: list[int], others: list[int]) -> None:
    row = {one: at for at, one in enumerate(known)}
    wanted = [*others, *known]
    found = Lookup(pa.array(known, pa.int64())).find(pa.array(wanted, pa.int64()))
    assert found.tolist() == [row.get(one, -1) for one in wanted]


def test_ids_of_one_number_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_hashes", lambda ids: np.zeros(len(ids), np.uint64))
    ids = pa.array(["a", "b", "c"])
    assert Lookup(ids).find(pa.array(["c", "x", "a", "b"])).tolist() == [2, -1, 0, 1]


def test_many_ids_are_taken_in_chunks() -> None:
    ids = pa.array([f"document {row}" for row in range(70_000)])
    rows = np.arange(69_999, 0, -7)
    assert Lookup(ids).find(ids.take(pa.array(rows))).tolist() == rows.tolist()
