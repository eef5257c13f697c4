"""A monotone additive logistic regression, small enough for plain numbers in a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.ragged import BoolArray, IntArray

__all__ = ["Additive", "Basis", "logit", "probability"]

Figures = NDArray[np.float64]
_LOWEST = 1e-9  # a share of 0 has no logarithm
_ROUNDS = 15
_RIDGE = 2.0
_LEAST = 0.04  # knots nearer than this part of a figure's range are one: a tenth and a ninth are not to be told apart


def logit(share: Figures) -> Figures:
    """The log odds of shares, which stay finite.

    >>> float(logit(np.array(0.5))), bool(np.isfinite(logit(np.array(1.0))))
    (0.0, True)
    """
    return np.asarray(np.log(np.maximum(share, _LOWEST) / np.maximum(1 - share, _LOWEST)))


def probability(log_odds: Figures) -> Figures:
    """The probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -50, 50))))


@dataclass(frozen=True, eq=False)
class Additive:
    """The log odds are a constant plus a piecewise linear function of each figure.

    Where a figure's function must rise (or fall), every piece of it does: the coefficients have that sign
    (a generalised additive model, Hastie & Tibshirani 1986, with hinges for its bases). What is missing adds a
    constant of its own. ``figures[j]`` uses ``knots[j]``, of which it has none if it does not vary.
    """

    knots: tuple[tuple[float, ...], ...]
    pieces: tuple[tuple[float, ...], ...]  # of each figure what each stretch between two knots adds
    missing: tuple[float, ...]
    constant: float

    @classmethod
    def fit(cls, figures: Figures, one: BoolArray, weights: Figures, signs: Sequence[int]) -> Additive:
        """Fit by Newton's method with a ridge; coefficients that would take the wrong sign stay 0.

        Args:
            figures: shape ``(n, d)``, NaN for missing.
            one: which rows are to be told from the others.
            weights: of each row.
            signs: for each figure 1 for rising, -1 for falling, 0 for free.

        >>> x = np.linspace(0, 1, 200)[:, None]
        >>> model = Additive.fit(x, x[:, 0] > 0.5, np.ones(200), [1])
        >>> bool((np.diff(model.log_odds(x)) >= 0).all() and model.log_odds(x)[-1] > 2)
        True
        """
        return Basis.of(figures, one, signs).fit(weights)

    def coefficients(self) -> Figures:
        """All its numbers but the knots, in one row."""
        of_each = ((*pieces, missing) for pieces, missing in zip(self.pieces, self.missing, strict=True))
        return np.array([*(one for some in of_each for one in some), self.constant])

    def parts(self, figures: Figures) -> Figures:
        """What each figure adds to the log odds, shape ``(n, d)``."""
        out = np.zeros(figures.shape)
        for j, (ticks, pieces) in enumerate(zip(self.knots, self.pieces, strict=True)):
            column = figures[:, j]
            if len(ticks) > 1:
                out[:, j] = np.interp(column, ticks, np.concatenate([[0.0], np.cumsum(pieces)]))
            out[np.isnan(column), j] = self.missing[j]
        return out

    def log_odds(self, figures: Figures) -> Figures:
        """The log odds of being one of those, shape ``(n,)``."""
        return np.asarray(self.parts(figures).sum(axis=1) + self.constant)

    def about(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Its numbers, for a manifest."""
        table = zip(names, self.knots, self.pieces, self.missing, strict=True)
        return {
            "constant": round(self.constant, 6),
            **{
                name: {"knots": [round(k, 6) for k in ticks], "adds": [round(p, 6) for p in pieces],
                       "missing": round(missing, 6)}
                for name, ticks, pieces, missing in table
            },
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Basis:
    """Rows made ready to be fitted to, under any weights.

    Args:
        one: which rows are to be told from the others.
        knots: of each figure.
        bases: what each coefficient is multiplied with, shape ``(coefficients, n)``: the pieces and the missing of each
            figure, one after the other, and the constant.
        sign: of each coefficient, 0 for free.
    """

    one: BoolArray
    knots: tuple[Figures, ...]
    bases: Figures
    sign: IntArray

    @classmethod
    def of(cls, figures: Figures, one: BoolArray, signs: Sequence[int]) -> Basis:
        """The bases of figures of shape ``(n, d)``, and which way each may go."""
        knots = tuple(_knots(column, one) for column in figures.T)
        bases, sign = [], []
        for column, ticks, direction in zip(figures.T, knots, signs, strict=True):
            missing = np.isnan(column)
            bases += [_hinges(column, ticks), (missing & ~missing.all())[None]]
            sign += [direction] * max(0, len(ticks) - 1) + [0]
        return cls(one, knots, np.concatenate([*bases, np.ones((1, len(figures)))]), np.array([*sign, 0]))

    def fit(self, weights: Figures, start: Additive | None = None) -> Additive:
        """The model of these rows under these weights; one under other weights may be given to begin with."""
        first = None if start is None else start.coefficients()
        found = _newton(self.bases, self.one.astype(np.float64), weights, self.sign, first)
        parts = np.split(found, np.cumsum([max(0, len(ticks) - 1) + 1 for ticks in self.knots]))
        return Additive(
            tuple(tuple(ticks.tolist()) for ticks in self.knots),
            tuple(tuple(part[:-1].tolist()) for part in parts[:-1]),
            tuple(float(part[-1]) for part in parts[:-1]),
            float(found[-1]),
        )


def _knots(column: Figures, one: BoolArray) -> Figures:
    """Quantiles of both kinds, and the upper tail of the many, where the decision falls."""
    there = ~np.isnan(column)
    if there.sum() < 2:
        return np.zeros(0)
    even = np.linspace(0, 1, 4)
    found = [np.quantile(column[there & kind], even) for kind in (one, ~one) if (there & kind).any()]
    if (there & ~one).any():
        found.append(np.quantile(column[there & ~one], [0.9, 0.97, 0.99]))
    ticks = np.unique(np.concatenate(found))
    reach = ticks[-1] - ticks[0]
    if not reach > 0:
        return np.zeros(0)
    kept = [ticks[0]]
    for tick in ticks[1:]:
        if tick - kept[-1] > _LEAST * reach:
            kept.append(tick)
    return np.array(kept) if len(kept) > 1 else np.zeros(0)


def _hinges(column: Figures, ticks: Figures) -> Figures:
    """For each stretch between two knots how much of it lies below the figure, from 0 to 1; 0 where it is missing."""
    if len(ticks) < 2:
        return np.zeros((0, len(column)))
    found = np.clip((column - ticks[:-1, None]) / np.diff(ticks)[:, None], 0, 1)
    return np.nan_to_num(found, nan=0.0)


def _newton(bases: Figures, one: Figures, weights: Figures, sign: IntArray, start: Figures | None) -> Figures:
    """Penalised logistic regression under signs: Newton steps over the free coefficients, halved if they overshoot.

    What stays at 0, and what no row has, is left out of a step: it is most of the work.
    """
    ridge = np.full(len(bases), _RIDGE)
    ridge[-1] = 1e-6
    if start is None:
        found, total, ones = np.zeros(len(bases)), weights.sum(), (weights * one).sum()
        found[-1] = np.log(max(ones, 1e-9) / max(total - ones, 1e-9))
    else:
        found = start.copy()

    def cost(at: Figures) -> tuple[float, Figures]:
        some = np.flatnonzero(at)
        odds = at[some] @ bases[some]
        return float((weights * (np.logaddexp(0, odds) - one * odds)).sum() + 0.5 * (ridge * at * at).sum()), odds

    current, odds = cost(found)
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        slope = bases @ (weights * (likely - one)) + ridge * found
        free = np.flatnonzero(((sign == 0) | (found * sign > 0) | (slope * sign <= 0)) & ((slope != 0) | (found != 0)))
        roots = bases[free] * np.sqrt(weights * likely * (1 - likely))
        step = np.zeros(len(found))
        step[free] = -np.linalg.solve(roots @ roots.T + np.diag(ridge[free]), slope[free])
        for _ in range(12):
            tried = found + step
            tried = np.where((sign != 0) & (tried * sign < 0), 0, tried)
            new, there = cost(tried)
            if new < current:
                break
            step /= 2
        else:
            return found
        done, found, current, odds = current - new < 1e-5 * abs(current), tried, new, there
        if done:
            break
    return found
