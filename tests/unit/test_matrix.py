from __future__ import annotations

import numpy as np
import pytest

from hardneg.matrix import Reordered, blocks, row_numbers

NUMBERS = np.arange(20, dtype=np.float32).reshape(10, 2)


def test_blocks_cover_all_rows_once() -> None:
    for size in (1, 8, 24, 10**6):
        found = list(blocks(NUMBERS, size))
        assert [start for start, _ in found] == np.cumsum([0, *(len(one) for _, one in found[:-1])]).tolist()
        np.testing.assert_array_equal(np.concatenate([one for _, one in found]), NUMBERS)
    assert list(blocks(NUMBERS[:0])) == []


def test_another_order() -> None:
    order = np.array([9, 0, 0, 4])
    view = Reordered(NUMBERS, order)
    assert (len(view), view.shape) == (4, (4, 2))
    assert view.dtype == np.float32
    np.testing.assert_array_equal(view[:], NUMBERS[order])
    np.testing.assert_array_equal(view[::-2], NUMBERS[order][::-2])
    np.testing.assert_array_equal(view[np.array([3, 0, 3])], NUMBERS[[4, 9, 4]])
    with pytest.raises(IndexError, match=r"There are 4 rows\. Got row numbers from 4 to 4"):
        view[np.array([4])]
    with pytest.raises(IndexError, match="There are 10 rows"):
        Reordered(NUMBERS, np.array([10]))
    with pytest.raises(TypeError, match="for all of them"):
        np.asarray(view)


@pytest.mark.parametrize("rows", [3, [0.5], [[1]], [True, False], ["a"]])
def test_other_ways_to_ask_are_refused(rows: object) -> None:
    with pytest.raises(TypeError, match="by a slice or an array of row numbers"):
        row_numbers(rows, 10)


def test_no_rows_at_all() -> None:
    assert row_numbers([], 0).dtype == np.int64
