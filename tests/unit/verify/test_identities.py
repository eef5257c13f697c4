"""Identities as wholes: likeness, look-alikes by centroid and by best pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError
from hardneg.similarity import pair_scores
from hardneg.verify.identities import nearest_by_best_pair, nearest_identities, summed_up


def _faces(people: int, shots: int, seed: int, noise: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), shots)
    means = draw.normal(size=(people, 12))
    return (means[who] + noise * draw.normal(size=(len(who), 12))).astype(np.float32), who


def test_likeness_is_the_mean_cosine_by_that_within() -> None:
    vectors, who = _faces(4, 30, 0)
    people = summed_up(vectors, who)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = (unit @ unit.T).astype(np.float64)
    off = ~np.eye(30, dtype=bool)
    within = np.array([cosine[np.ix_(who == one, who == one)][off].mean() for one in range(4)])
    shrunk = (within * 435 + 3 * within.mean()) / 438
    np.testing.assert_allclose(people.within, shrunk, rtol=1e-5)
    expected = cosine[np.ix_(who == 1, who == 3)].mean() / np.sqrt(shrunk[1] * shrunk[3])
    assert people.likeness(np.array([1]), np.array([3]))[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shots", [2, 5, 20])
def test_one_identity_under_two_names_is_as_like_as_can_be(shots: int) -> None:
    """Whatever the number of examples; the cosine of centroids is 0.75 with two and 0.97 with twenty."""
    vectors, who = _faces(150, 2 * shots, 1)
    halves = summed_up(vectors, 2 * who + np.arange(len(who)) % 2)
    likeness = halves.likeness(np.arange(0, 300, 2), np.arange(1, 300, 2))
    assert likeness.mean() == pytest.approx(1, abs=0.05)


@given(
    seed=st.integers(0, 50), k=st.integers(1, 5),
    who=st.lists(st.integers(-1, 4), min_size=2, max_size=25).map(lambda codes: np.array(codes, np.int64)),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_nearest_by_best_pair_is_that_of_a_loop(seed: int, k: int, who: np.ndarray) -> None:
    vectors = np.random.default_rng(seed).normal(size=(len(who), 3)).astype(np.float32)
    names = np.unique(who[who >= 0])
    found = nearest_by_best_pair(vectors, who, k)
    assert len(found.identities) == len(names)
    for row, name in enumerate(names):
        pairs = []
        for other_row, other in enumerate(names):
            if other != name:
                left, right = np.nonzero(np.outer(who == name, who == other))
                pairs.append((-float(pair_scores(vectors, vectors, left, right, "cosine").max()), other_row))
        best = sorted(pairs)[:k]
        assert found.identities[row].tolist() == [other for _, other in best]
        start = found.identities.offsets[row]
        assert (-found.scores[start : start + len(best)]).tolist() == [score for score, _ in best]


def test_nearest_identities_are_the_likest() -> None:
    vectors, who = _faces(30, 4, 2)
    people = summed_up(vectors, who)
    found = nearest_identities(people, 5)
    likeness = people.vectors.astype(np.float64) @ people.vectors.T.astype(np.float64)
    np.fill_diagonal(likeness, -np.inf)
    for row in range(30):
        assert found.identities[row].tolist() == np.argsort(-likeness[row], kind="stable")[:5].tolist()
    left, right = found.pairs()
    assert (left < right).all()
    assert len({*zip(left.tolist(), right.tolist(), strict=True)}) == len(left)


def test_what_is_wrong_is_said() -> None:
    vectors, who = _faces(5, 1, 3)
    with pytest.raises(InputError, match="no more alike than strangers"):
        summed_up(vectors, who)
    with pytest.raises(OptionError, match="'k'"):
        nearest_by_best_pair(vectors, who, 0)
