"""Positives shared between anchors are held back where that costs nothing, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.calibrate.sharing import barring, shared_or_not
from hardneg.calibrate.threshold import Pool, unknown_positives

ANCHORS, WANTED = 80, 4


def _world(seed: int, sides: bool) -> tuple[Pool, np.ndarray, np.ndarray]:
    """A pool, what is shared in it, and which candidates are positives.

    Of each anchor 40 plain candidates, 6 known positives, 3 unknown ones and, in a world with ``sides``, 6 hard
    negatives; all but the plain candidates are shared.
    """
    rng = np.random.default_rng(seed)
    sizes = [40, 6, 3, 6 if sides else 0]
    kind = np.tile(np.repeat(np.arange(4), sizes), ANCHORS)
    anchor = np.repeat(np.arange(ANCHORS), sum(sizes))
    positive = (kind == 1) | (kind == 2)
    figure = rng.normal(size=len(kind)) + np.where(positive, 5.0, 0.0)
    score = rng.normal(size=len(kind)) + np.where(positive, 2.0, 0.0) + np.where(kind == 3, 3.0, 0.0)
    pool = Pool(anchor, score.astype(np.float32), figure, kind == 1, np.zeros(len(kind), np.int64))
    return pool, kind > 0, kind == 2


@pytest.mark.parametrize("seed", range(3))
def test_they_are_held_back_where_all_are_positives(seed: int) -> None:
    pool, shared, unknown = _world(seed, sides=False)
    curve, barred = shared_or_not(pool, shared, WANTED, lambda g: unknown_positives(pool, g), 0.05)
    assert barred
    passes = curve.rate(barring(pool.figure, shared), promised=True) <= 0.05
    assert not passes[shared].any()
    assert passes[~shared & ~pool.hidden].mean() > 0.9
    assert unknown.any()


@pytest.mark.parametrize("seed", range(3))
def test_they_stay_where_things_have_several_sides(seed: int) -> None:
    pool, shared, unknown = _world(seed, sides=True)
    curve, barred = shared_or_not(pool, shared, WANTED, lambda g: unknown_positives(pool, g), 0.05)
    assert not barred
    passes = curve.rate(pool.figure, promised=True) <= 0.05
    assert passes[shared & ~pool.hidden & ~unknown].mean() > 0.9
    assert passes[unknown].mean() < 0.2


def test_without_any_shared_there_is_nothing_to_decide() -> None:
    pool, shared, _ = _world(0, sides=False)
    assert not shared_or_not(pool, np.zeros(len(shared), bool), WANTED, lambda g: unknown_positives(pool, g), 0.05)[1]
