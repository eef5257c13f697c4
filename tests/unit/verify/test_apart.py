"""AS-norm with the trials' own identities as the cohort, beside loops."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.errors import InputError, OptionError
from hardneg.verify import apart
from hardneg.verify.apart import Cohort, as_norm_apart
from hardneg.verify.trials import all_trials


def _world(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(14), 3)
    return (draw.normal(size=(14, 8))[who] + draw.normal(size=(42, 8))).astype(np.float32), who


def _by_loops(vectors: np.ndarray, persons: np.ndarray, cohort: Cohort, top: int) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    others = np.asarray(cohort.vectors[:]) / np.linalg.norm(cohort.vectors[:], axis=1, keepdims=True)
    out = []
    for left, right in zip(*np.triu_indices(len(vectors), k=1), strict=True):
        normed = []
        for row in (left, right):
            strangers = [
                float(unit[row] @ other)
                for other, person in zip(others, cohort.persons, strict=True)
                if person not in (persons[left], persons[right])
            ]
            best = sorted(strangers, reverse=True)[:top]
            normed.append((float(unit[left] @ unit[right]) - np.mean(best)) / np.std(best))
        out.append(np.mean(normed))
    return np.array(out)


@pytest.mark.parametrize("top", [4, 30])
def test_it_is_what_loops_give(top: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, who = _world()
    persons = np.where(who == 13, 0, who)  # a name that may be another's
    cohort = Cohort(vectors[::2], persons[::2])
    trials = all_trials(who)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = (unit[trials.left] * unit[trials.right]).sum(axis=1)
    told: list[tuple[int, int]] = []
    found = as_norm_apart(
        scores, vectors, persons, trials, cohort, top=top, report=lambda done, total: told.append((done, total))
    )
    np.testing.assert_allclose(found, _by_loops(vectors, persons, cohort, top), rtol=1e-4)
    assert told[-1] == (2 * len(trials), 2 * len(trials))
    monkeypatch.setattr(apart, "_TRIALS", 100)
    np.testing.assert_array_equal(as_norm_apart(scores, vectors, persons, trials, cohort, top=top), found)


def test_too_few_strangers_are_said() -> None:
    vectors, who = _world()
    few = who < 3
    trials = all_trials(np.where(few, who, -1))
    with pytest.raises(InputError, match="fewer than two strangers"):
        as_norm_apart(np.zeros(len(trials)), vectors, who, trials, Cohort(vectors[few][::3], who[few][::3]))
    with pytest.raises(OptionError, match="'top'"):
        as_norm_apart(np.zeros(len(trials)), vectors, who, trials, Cohort(vectors, who), top=1)
