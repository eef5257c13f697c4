from __future__ import annotations

import errno
import os
from typing import Any

import numpy as np
import pytest

from hardneg.errors import StorageError
from hardneg.scratch import Grouped, Scratch


@pytest.mark.parametrize("kind", ["<f4", "<f2", "|i1"])
def test_scratch_is_filled_in_any_order(kind: str) -> None:
    array: np.ndarray[Any, Any] = np.arange(300).reshape(100, 3).astype(kind)
    scratch = Scratch(100, 3, kind)
    for rows in np.array_split(np.random.default_rng(0).permutation(100)[:90], 7):
        scratch[rows] = array[rows]
    scratch[np.zeros(0, int)] = array[:0]
    rest = np.arange(100)
    scratch[rest] = array
    stored = scratch.stored()
    del scratch
    assert stored.dtype == kind
    np.testing.assert_array_equal(stored[:], array)


def test_scratch_says_where_there_is_no_space(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    scratch = Scratch(2, 2)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError, match=r"Cannot write '.*The disk is full"):
        scratch[np.arange(2)] = np.ones((2, 2))


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_read_back_in_the_order_they_came_in(seed: int) -> None:
    rng = np.random.default_rng(seed)
    group, rows = rng.integers(0, 9, 500), rng.random((500, 3))
    grouped = Grouped(3)
    for some in np.array_split(np.arange(500), [0, 1, 90, 400]):
        grouped.add(group[some], rows[some])
    assert grouped.groups() == np.unique(group).tolist()
    for one in range(10):
        np.testing.assert_array_equal(grouped[one], rows[group == one])
