"""Trials: each pair once, drawn evenly; splits that keep people apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.errors import InputError, OptionError
from hardneg.verify.trials import all_trials, leaks, sampled_trials, split_apart

CODES = st.lists(st.integers(-1, 4), max_size=14).map(lambda codes: np.array(codes, np.int64))


@given(codes=CODES)
def test_all_trials_are_all_pairs(codes: np.ndarray) -> None:
    found = all_trials(codes)
    rows = [row for row in range(len(codes)) if codes[row] >= 0]
    assert list(zip(found.left, found.right, strict=True)) == list(combinations(rows, 2))
    assert (found.target == (codes[found.left] == codes[found.right])).all()


@given(codes=CODES, targets=st.integers(0, 12), impostors=st.integers(0, 12), seed=st.integers(0, 3))
def test_sampled_trials_are_some_of_them(codes: np.ndarray, targets: int, impostors: int, seed: int) -> None:
    every, found = all_trials(codes), sampled_trials(codes, targets=targets, impostors=impostors, seed=seed)
    known = {(a, b): t for a, b, t in zip(every.left, every.right, every.target, strict=True)}
    drawn = {(a, b): t for a, b, t in zip(found.left, found.right, found.target, strict=True)}
    assert len(drawn) == len(found)
    assert drawn.items() <= known.items()
    assert found.target.sum() == min(targets, every.target.sum())
    assert (~found.target).sum() == min(impostors, (~every.target).sum())


def test_every_trial_is_as_likely() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2])
    counts: dict[tuple[int, int], int] = {}
    for seed in range(600):
        drawn = sampled_trials(codes, targets=1, impostors=2, seed=seed)
        for pair in zip(drawn.left.tolist(), drawn.right.tolist(), strict=True):
            counts[pair] = counts.get(pair, 0) + 1
    targets = [counts[pair] for pair in ((0, 1), (0, 2), (1, 2), (3, 4))]
    impostors = [n for (a, b), n in counts.items() if codes[a] != codes[b]]
    assert len(impostors) == 11
    assert all(110 < n < 190 for n in targets)  # 150 each
    assert all(75 < n < 150 for n in impostors)  # 109 each


def test_trials_of_one_session_are_left_out() -> None:
    trials = all_trials(np.array([0, 0, 0, 1, 1])).across(np.array([5, 5, 6, 5, -1]))
    assert (0, 1) not in set(zip(trials.left.tolist(), trials.right.tolist(), strict=True))
    assert trials.target.sum() == 3
    assert len(trials) == 9  # impostors of one session stay: they are the hard ones


@given(
    rows=st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 9)), min_size=2, max_size=30),
    share=st.floats(0.1, 0.9),
    seed=st.integers(0, 5),
)
def test_a_split_never_leaks(rows: list[tuple[int, int]], share: float, seed: int) -> None:
    speaker, session = np.array(rows).T
    try:
        mask = split_apart([speaker, session], share=share, seed=seed)
    except InputError:
        return
    assert mask.any()
    assert not mask.all()
    assert leaks(mask, ~mask, {"speaker": speaker, "session": session}) == ()


def test_chains_stay_together() -> None:
    with pytest.raises(InputError, match="hang together"):
        split_apart([np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 2, 3])], share=0.5)


def test_a_split_comes_near_its_share() -> None:
    people = np.repeat(np.arange(100), 7)
    sides = [split_apart([people], share=0.3, seed=seed) for seed in range(5)]
    assert all(0.28 <= one.mean() <= 0.3 for one in sides)
    assert (sides[0] != sides[1]).any()


def test_leaks_are_named() -> None:
    speakers = np.array(["ann", "ann", "bob", None, "", "bob"], dtype=object)
    found = leaks(
        np.array([True, True, True, True, False, False]), np.array([4, 5]),
        {"speaker": speakers, "session": np.array([1, -1, 2, 3, 1, -1])},
    )  # fmt: skip
    assert [(one.group, one.value, one.left, one.right) for one in found] == [
        ("speaker", "bob", 1, 1),
        ("session", "1", 1, 1),
    ]


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(OptionError, match="'targets'"):
        sampled_trials(np.array([0, 0]), targets=-1, impostors=0)
    with pytest.raises(OptionError, match="'share'"):
        split_apart([np.array([0, 1])], share=1)
