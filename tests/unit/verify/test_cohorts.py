"""Score normalisation against plain loops, block sizes, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError, OptionError
from hardneg.similarity import Similarity, pair_scores
from hardneg.verify import cohorts
from hardneg.verify.cohorts import as_norm, cohort_spread, s_norm, t_norm, z_norm
from hardneg.verify.errors_at import eer
from hardneg.verify.rates import rates_of
from hardneg.verify.trials import all_trials


def _vectors(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("top", [None, 2, 7, 1000])
def test_the_spread_is_that_of_a_loop(similarity: Similarity, top: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, cohort = _vectors(11, 0), _vectors(23, 1)
    codes = np.arange(11) % 4, np.arange(23) % 5 - 1
    whole = cohort_spread(vectors, cohort, similarity=similarity, top=top, codes=codes)
    monkeypatch.setattr(cohorts, "_ROWS", 3)
    monkeypatch.setattr(cohorts, "_COHORT", 4)
    blocked = cohort_spread(vectors, cohort, similarity=similarity, top=top, codes=codes)
    for row in range(11):
        strangers = np.flatnonzero((codes[1] != codes[0][row]) | (codes[1] < 0))
        scores = pair_scores(vectors, cohort, np.full(len(strangers), row), strangers, similarity)
        best = np.sort(scores.astype(np.float64))[::-1][:top]
        for found in (whole, blocked):
            assert found.mean[row] == pytest.approx(best.mean(), abs=1e-6)
            assert found.deviation[row] == pytest.approx(best.std(), abs=1e-6)


def test_the_norms_are_their_formulas() -> None:
    vectors, cohort = _vectors(5, 2), _vectors(40, 3)
    trials = all_trials(np.arange(5))
    scores = pair_scores(vectors, vectors, trials.left, trials.right, "cosine")
    spread = cohort_spread(vectors, cohort, top=10)
    enrolled, test = spread.take(trials.left), spread.take(trials.right)
    np.testing.assert_allclose(z_norm(scores, enrolled), (scores - enrolled.mean) / enrolled.deviation)
    np.testing.assert_allclose(2 * s_norm(scores, enrolled, test), z_norm(scores, enrolled) + t_norm(scores, test))
    np.testing.assert_allclose(s_norm(scores, enrolled, test), s_norm(scores, test, enrolled))
    np.testing.assert_array_equal(
        as_norm(scores, vectors, trials.left, trials.right, cohort, top=10), s_norm(scores, enrolled, test)
    )


def test_it_makes_conditions_comparable() -> None:
    """Half of the recordings come through another channel, which shifts all their vectors."""
    draw = np.random.default_rng(4)
    people = draw.normal(size=(90, 16))
    who, channel = np.repeat(np.arange(90), 6), np.tile([0, 0, 0, 1, 1, 1], 90)
    shift = np.outer(channel, draw.normal(size=16) * 1.2)
    vectors = (people[who] + shift + draw.normal(size=(540, 16)) * 0.8).astype(np.float32)
    cohort, rest = vectors[who >= 50], vectors[who < 50]
    trials = all_trials(who[who < 50])
    scores = pair_scores(rest, rest, trials.left, trials.right, "cosine")
    normalised = as_norm(scores, rest, trials.left, trials.right, cohort, top=60)
    assert eer(rates_of(normalised, trials.target)) < 0.9 * eer(rates_of(scores, trials.target))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(OptionError, match="'top' must be at least 2"):
        cohort_spread(_vectors(2, 0), _vectors(5, 1), top=1)
    with pytest.raises(InputError, match="have 6 numbers each, those of the cohort 3"):
        cohort_spread(_vectors(2, 0), _vectors(5, 1)[:, :3])
    with pytest.raises(InputError, match="1 of the 2 vectors have fewer than 2 strangers"):
        cohort_spread(_vectors(2, 0), _vectors(5, 1), codes=(np.array([0, 1]), np.array([1, 1, 1, 1, 0])))
    with pytest.raises(InputError, match="alike"):
        cohort_spread(_vectors(2, 0), np.ones((5, 6), np.float32))
