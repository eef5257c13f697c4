from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import OptionError
from hardneg.ragged import Ragged, expand

LISTS = st.lists(st.lists(st.integers(-5, 9), max_size=5), max_size=6)


def lists_of(ragged: Ragged) -> list[list[int]]:
    return [ragged[row].tolist() for row in range(len(ragged))]


@given(LISTS)
def test_lists_come_back(lists: list[list[int]]) -> None:
    ragged = Ragged.from_lists(lists)
    assert lists_of(ragged) == lists
    assert ragged.lengths().tolist() == [len(one) for one in lists]
    assert ragged.rows().tolist() == [row for row, one in enumerate(lists) for _ in one]


@given(LISTS, st.data())
def test_take_takes_any_rows_in_any_order(lists: list[list[int]], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, max(len(lists) - 1, 0)), max_size=8 if lists else 0))
    taken = Ragged.from_lists(lists).take(np.array(rows, np.int64))
    assert lists_of(taken) == [lists[row] for row in rows]


@given(LISTS, st.data())
def test_contains_equals_looking(lists: list[list[int]], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.tuples(st.integers(0, len(lists) - 1), st.integers(-9, 12)))) if lists else []
    rows, values = (np.array([pair[side] for pair in wanted], np.int64) for side in (0, 1))
    found = Ragged.from_lists(lists).contains(rows, values).tolist()
    assert found == [value in lists[row] for row, value in wanted]
    rising = [sorted(set(one)) for one in lists]
    places = Ragged.from_lists(rising).find(rows, values).tolist()
    assert places == [rising[row].index(value) if value in rising[row] else -1 for row, value in wanted]


@given(LISTS, LISTS)
def test_merged_is_the_union_row_by_row(left: list[list[int]], right: list[list[int]]) -> None:
    n = min(len(left), len(right))
    merged = Ragged.from_lists(left[:n]).merged(Ragged.from_lists(right[:n]))
    assert lists_of(merged) == [sorted({*one, *other}) for one, other in zip(left[:n], right[:n], strict=True)]


@given(st.lists(st.lists(st.integers(0, 6), max_size=5), max_size=6))
def test_inverted_turns_pairs_round(lists: list[list[int]]) -> None:
    inverted = Ragged.from_lists(lists).inverted(7)
    assert lists_of(inverted) == [[row for row, one in enumerate(lists) if value in one] for value in range(7)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
def test_expand_joins_ranges(ranges: list[tuple[int, int]]) -> None:
    starts, lengths = (np.array([one[side] for one in ranges], np.int64) for side in (0, 1))
    assert expand(starts, lengths).tolist() == [x for start, n in ranges for x in range(start, start + n)]


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 2, 1, 3], [0, 2]])
def test_unsound_offsets_are_refused(offsets: list[int]) -> None:
    with pytest.raises(OptionError, match="offsets"):
        Ragged(np.array(offsets, np.int64), np.arange(3))


def test_nothing_is_a_value_too() -> None:
    assert len(Ragged.empty(0)) == 0
    assert lists_of(Ragged.empty(2)) == [[], []]
    assert lists_of(Ragged.from_pairs(np.array([], int), np.array([], int), 2)) == [[], []]


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=5), max_size=6), st.integers(0, 4))
def test_the_lowest_of_each_row_are_kept_in_their_places(rows: list[list[tuple[int, int]]], most: int) -> None:
    lists = Ragged.from_lists([[value for value, _ in row] for row in rows])
    numbers = np.array([number for row in rows for _, number in row], np.float64)
    lowest = [sorted(sorted(range(len(row)), key=lambda at: row[at][1])[:most]) for row in rows]
    wanted = [[row[at][0] for at in some] for row, some in zip(rows, lowest, strict=True)]
    assert lists_of(lists.where(lists.ranks(numbers) < most)) == wanted


def test_values_beyond_all_others_are_in_no_row() -> None:
    lists = Ragged.from_lists([[5, 7], [6]])
    assert lists.contains(np.array([0, 0, 1, 1]), np.array([4, 8, 3, 9])).tolist() == [False] * 4
    assert lists.contains(np.array([1, 0]), np.array([6, 7])).tolist() == [True, True]  # asked again
