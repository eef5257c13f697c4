"""The additive model: it is where it should be, rises where it must, and does without what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from hardneg.calibrate.model import _RIDGE, Additive


def _world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    figures = rng.normal(size=(600, 3))
    one = rng.random(600) < 1 / (1 + np.exp(-(2 * figures[:, 0] - figures[:, 1])))
    figures[rng.random(600) < 0.2, 2] = np.nan
    return figures, one


def test_no_other_coefficients_are_better() -> None:
    """The penalised likelihood is convex, so what no small step makes better is best."""
    figures, one = _world(0)
    weights = np.random.default_rng(1).random(600) + 0.5
    model = Additive.fit(figures, one, weights, (1, -1, 0))

    def cost(pieces: list[list[float]], missing: list[float], constant: float) -> float:
        moved = Additive(model.knots, tuple(map(tuple, pieces)), tuple(missing), constant)
        odds = moved.log_odds(figures)
        ridge = sum(piece**2 for one in pieces for piece in one) + sum(one**2 for one in missing)
        return float((weights * (np.logaddexp(0, odds) - one * odds)).sum() + _RIDGE / 2 * ridge)

    pieces, missing = [list(one) for one in model.pieces], list(model.missing)
    best = cost(pieces, missing, model.constant)
    for j, sign in enumerate((1, -1, 0)):
        for k in range(len(pieces[j])):
            for step in (-0.05, 0.05):
                moved = [list(one) for one in pieces]
                moved[j][k] += step
                if moved[j][k] * sign >= 0:
                    assert cost(moved, missing, model.constant) > best - 1e-2
    for step in (-0.05, 0.05):
        assert cost(pieces, missing, model.constant + step) > best - 1e-2


@pytest.mark.parametrize("seed", range(3))
def test_rises_where_it_must(seed: int) -> None:
    figures, one = _world(seed)
    model = Additive.fit(figures, ~one, np.ones(600), (1, -1, 0))  # against what the data say
    line = np.tile(np.linspace(-4, 4, 50)[:, None], 3)
    parts = model.parts(line)
    assert (np.diff(parts[:, 0]) >= 0).all()
    assert (np.diff(parts[:, 1]) <= 0).all()


def test_tells_as_well_as_a_logistic_regression() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    metrics = pytest.importorskip("sklearn.metrics")
    figures, one = _world(3)
    figures = np.nan_to_num(figures)
    model = Additive.fit(figures[:400], one[:400], np.ones(400), (1, -1, 0))
    other = linear.LogisticRegression().fit(figures[:400], one[:400])
    mine = metrics.roc_auc_score(one[400:], model.log_odds(figures[400:]))
    assert mine > metrics.roc_auc_score(one[400:], other.decision_function(figures[400:])) - 0.02


def test_what_does_not_vary_says_nothing() -> None:
    figures = np.stack([np.full(40, 2.0), np.full(40, np.nan), np.arange(40.0)], axis=1)
    model = Additive.fit(figures, np.arange(40) >= 20, np.ones(40), (1, 1, 1))
    assert model.knots[0] == () == model.knots[1]
    assert (np.diff(model.log_odds(figures)) >= 0).all()
    assert np.isfinite(model.log_odds(figures)).all()
