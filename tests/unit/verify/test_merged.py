"""Two names of one identity are found, strangers are not, and what cannot be told is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError
from hardneg.verify.false_discovery import conformal_p, q_values
from hardneg.verify.identities import summed_up
from hardneg.verify.merged import SameNames, halves_likeness, same_identity, strangers


def _world(seed: int, people: int = 60, twice: int = 6, families: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """People with 8 to 14 pictures; the first ``twice`` of them have half of theirs under another name."""
    draw = np.random.default_rng(seed)
    means = draw.normal(size=(people, 32))
    if families:
        means = 0.7 * means + 0.7 * draw.normal(size=(people, 32))[np.arange(people) // 3]
    who = np.repeat(np.arange(people), draw.integers(8, 15, people))
    vectors = (means[who] + 0.8 * draw.normal(size=(len(who), 32))).astype(np.float32)
    other = (who < twice) & (draw.random(len(who)) < 0.5)
    return vectors, np.where(other, people + who, who)


def _reports(found: SameNames) -> set[tuple[int, int]]:
    return set(zip(found.left[found.reported].tolist(), found.right[found.reported].tolist(), strict=True))


@pytest.mark.parametrize(("families", "least"), [(False, 0.9), (True, 0.85)])
def test_planted_names_are_found_and_false_reports_are_few(families: bool, least: float) -> None:
    true, found, false = {(one, 60 + one) for one in range(6)}, 0, 0
    for seed in range(12):
        reports = _reports(same_identity(*_world(seed, families=families), seed=seed))
        found += len(reports & true)
        false += len(reports - true)
    assert found >= least * 12 * 6
    assert false <= 0.05 * (found + false)


def test_nothing_is_reported_where_there_is_nothing() -> None:
    assert sum(bool(_reports(same_identity(*_world(seed, twice=0)))) for seed in range(20)) <= 2


@pytest.mark.parametrize("people", [12, 20, 30])
def test_few_names_are_no_reason_to_report(people: int) -> None:
    """Of few names the censored pairs once were all that was looked at, and the nearest strangers were reported."""
    false, found = 0, 0
    for seed in range(6):
        false += len(_reports(same_identity(*_world(seed, people=people, twice=0))))
        found += len(_reports(same_identity(*_world(seed, people=people, twice=2))) & {(0, people), (1, people + 1)})
    assert false <= 1
    assert found >= 10  # of 12


def test_a_weak_model_reports_next_to_nothing() -> None:
    draw = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 8)
    vectors = (0.3 * draw.normal(size=(40, 4))[who] + draw.normal(size=(320, 4))).astype(np.float32)
    assert len(_reports(same_identity(vectors, who))) <= 1


def test_pairs_stand_from_sure_to_unsure() -> None:
    vectors, names = _world(1)
    found = same_identity(vectors, names)
    assert (np.diff(found.p_strangers) >= 0).all()
    assert (np.diff(found.q) >= 0).all()
    assert (found.left < found.right).all()
    again = same_identity(vectors, names)
    np.testing.assert_array_equal(again.p_same, found.p_same)


def test_halves_are_of_whole_sessions() -> None:
    """Pictures of one session are alike, so halves within sessions say too much."""
    draw = np.random.default_rng(2)
    who, session = np.repeat(np.arange(30), 12), np.tile(np.repeat(np.arange(4), 3), 30)
    shift = draw.normal(size=(30, 4, 16))[who, session]
    vectors = (2 * draw.normal(size=(30, 16))[who] + shift + 0.3 * draw.normal(size=(360, 16))).astype(np.float32)
    mixed, whole = halves_likeness(vectors, who), halves_likeness(vectors, who, sessions=session)
    assert len(mixed) == len(whole) == 30
    assert whole.mean() < mixed.mean() - 0.02
    assert len(halves_likeness(vectors, who, sessions=np.zeros(360, np.int64))) == 0


def test_the_tail_is_that_of_strangers() -> None:
    """Of many pairs of strangers, those beyond a likeness are about as many as the tail says, or fewer."""
    vectors, names = _world(3, people=300, twice=0)
    people = summed_up(vectors, names)
    tail = strangers(people, 1.05)
    product = (people.vectors @ people.vectors.T)[np.triu_indices(300, 1)].astype(np.float64)
    for at in np.quantile(product, [0.96, 0.99, 0.999]):
        assert 0.5 < tail.p_values(np.array([at]))[0] / (product >= at).mean() < 3


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20).map(np.array), extra=st.integers(0, 10))
def test_q_values_are_those_of_the_step_up_rule(p: np.ndarray, extra: int) -> None:
    q, tests = q_values(p, tests=len(p) + extra), len(p) + extra
    for level in (0.05, 0.3, 0.7):
        ordered = np.sort(p)
        below = np.flatnonzero(ordered <= level * np.arange(1, len(p) + 1) / tests)
        limit = ordered[below[-1]] if len(below) else -1
        clear = np.abs(q - level) > 1e-9  # at the level itself rounding decides
        np.testing.assert_array_equal((q <= level)[clear], (p <= limit)[clear])


def test_conformal_p_values_keep_their_promise() -> None:
    draw = np.random.default_rng(4)
    p = np.concatenate([conformal_p(draw.normal(size=39), draw.normal(size=1)) for _ in range(4000)])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_what_is_wrong_is_said() -> None:
    vectors, names = _world(5, people=8, twice=0)
    with pytest.raises(InputError, match="takes 10 names with at least 4 examples"):
        same_identity(vectors, names)
    with pytest.raises(InputError, match="2 p-values of 1 tests"):
        q_values(np.array([0.1, 0.2]), tests=1)
