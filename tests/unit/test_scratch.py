from __future__ import annotations

import errno
import os
from typing import Any

import numpy as np
import pytest

from hardneg.errors import StorageError
from hardneg.scratch import Scratch


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
