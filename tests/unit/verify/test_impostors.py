"""The hardest impostors and the best pairs, beside loops over everything."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError, OptionError
from hardneg.verify.impostors import best_pairs, hardest_impostors, likely_persons


def _world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    codes = draw.integers(-1, 9, 60)
    vectors = draw.normal(size=(60, 6)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, codes, unit @ unit.T


def test_the_hardest_impostors_are_those_of_a_loop() -> None:
    vectors, codes, alike = _world()
    wanted = set()
    for row in np.flatnonzero(codes >= 0).tolist():
        others = [one for one in range(60) if codes[one] >= 0 and codes[one] != codes[row]]
        for other in sorted(others, key=lambda one: -alike[row, one])[:3]:
            wanted.add((min(row, other), max(row, other)))
    found = hardest_impostors(vectors, codes, 3)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == sorted(wanted)
    assert not found.target.any()
    with pytest.raises(OptionError, match="'n' must be at least 1"):
        hardest_impostors(vectors, codes, 0)


def test_the_best_pair_is_that_of_a_loop() -> None:
    vectors, codes, alike = _world(1)
    left, right = np.triu_indices(9, k=1)
    one, other = best_pairs(vectors, codes, left, right)
    for place, (a, b) in enumerate(zip(left, right, strict=True)):
        assert (codes[one[place]], codes[other[place]]) == (a, b)
        block = alike[np.ix_(codes == a, codes == b)]
        assert alike[one[place], other[place]] == pytest.approx(block.max(), abs=1e-6)
    with pytest.raises(InputError, match="1 identities have no example"):
        best_pairs(vectors, codes, np.array([0]), np.array([50]))


def test_of_many_examples_some_are_drawn() -> None:
    vectors, codes, _ = _world(2)
    pair = np.array([0]), np.array([1])
    few = best_pairs(vectors, codes, *pair, most=2, seed=3)
    assert few == best_pairs(vectors, codes, *pair, most=2, seed=3)
    assert best_pairs(vectors, codes, *pair, most=60) == best_pairs(vectors, codes, *pair)


def test_names_that_hang_together_are_one_person() -> None:
    draw = np.random.default_rng(0)
    codes = np.arange(200)
    left, right = draw.integers(0, 200, (2, 90))
    persons = likely_persons(codes, left, right)
    groups = {code: {code} for code in range(200)}
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        both = groups[one] | groups[other]
        groups.update(dict.fromkeys(both, both))
    assert persons.tolist() == [min(groups[code]) for code in range(200)]
    assert likely_persons(np.array([-1, 3, 1]), np.array([1]), np.array([3])).tolist() == [-1, 1, 1]
