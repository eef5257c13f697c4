from __future__ import annotations

import numpy as np
import pytest

from hardneg import random


def test_numbers_lie_inside_the_open_interval() -> None:
    ends = random._fraction(np.array([0, 2**64 - 1], np.uint64))
    assert ends[0] > 0
    assert ends[1] < 1


def test_a_number_depends_on_its_counters_alone() -> None:
    whole = random.uniform(3, np.array(5), np.arange(100))
    assert random.uniform(3, np.array(5), np.arange(50, 60)).tolist() == whole[50:60].tolist()
    assert random.uniform(3, np.array([[4], [5]]), np.arange(100))[1].tolist() == whole.tolist()


@pytest.mark.parametrize("other", [(4, 5, 6), (3, 6, 5), (3, 5, 7), (-3, 5, 6), (3 + 2**63, 5, 6)])
def test_any_other_counter_gives_another_number(other: tuple[int, int, int]) -> None:
    seed, *counters = other
    assert random.uniform(seed, *map(np.array, counters)) != random.uniform(3, np.array(5), np.array(6))


def test_numbers_are_even_and_unrelated() -> None:
    numbers = random.uniform(0, np.arange(300)[:, None], np.arange(300))
    counts = np.histogram(numbers, 20, (0, 1))[0]
    expected = numbers.size / 20
    assert ((counts - expected) ** 2 / expected).sum() < 50  # chi-square with 19 degrees of freedom, p < 0.0002
    assert abs(np.corrcoef(numbers[:, :-1].ravel(), numbers[:, 1:].ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 0.015
    assert len(np.unique(numbers)) == numbers.size
