"""Mine, train, mine again, over a pool of which a part has labels; and a rule that says when to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.context import Context, Vectors
from hardneg.matrix import Matrix
from hardneg.mining import Settings, mine
from hardneg.notation import require
from hardneg.positives import Positives
from hardneg.predict import Predictions, Strength, label_errors, member_p_values, strength
from hardneg.ragged import IntArray
from hardneg.run import Run
from hardneg.similarity import check_vectors

__all__ = ["Round", "Rounds", "Stop", "mine_in_rounds", "with_pseudo_labels"]

Train = Callable[["Round"], Matrix | None]

_RANDOM = "uniform(k=100)"  # what a round mines whose model is too weak to mine with


@dataclass(frozen=True)
class Stop:
    """When to stop mining anew.

    Args:
        most: never more rounds than this.
        settled: stop once at most this share of the negatives is new.
        patience: stop after so many rounds in a row whose model is no better than the best before.
    """

    most: int = 4
    settled: float = 0.05
    patience: int = 1

    def __post_init__(self) -> None:
        require(self.most >= 1, "most", "at least 1", self.most)
        require(0 <= self.settled <= 1, "settled", "in [0, 1]", self.settled)
        require(self.patience >= 1, "patience", "at least 1", self.patience)


@dataclass(frozen=True, eq=False)
class Round:
    """One round: what the model was worth, what was mined with it.

    ``strength`` is that of a model on the round's vectors, measured on labelled items that may not be mined (a
    validation split) where there are any, else on held-out labels, which flatters vectors trained with them.
    ``pseudo`` is how many unlabelled items were taken as labelled, ``renewed`` the share of the negatives that the
    round before did not have (1 in the first), ``weak`` whether the model was so weak that random items were mined.
    """

    number: int
    run: Run
    vectors: Matrix
    strength: Strength
    weak: bool
    pseudo: int
    renewed: float


@dataclass(frozen=True, eq=False)
class Rounds:
    """All rounds, and why there is no other one."""

    rounds: tuple[Round, ...]
    stopped: str

    @property
    def best(self) -> Round:
        """The round with the strongest model; the first of equals."""
        return max(self.rounds, key=lambda one: one.strength.balanced)


@dataclass
class _State:
    pairs: set[tuple[Any, Any]] = field(default_factory=set)
    best: float = -np.inf
    stale: int = 0
    guard: Predictions | None = None


def mine_in_rounds(
    positives: Positives,
    vectors: Matrix,
    train: Train,
    *,
    model: str | None = None,
    pseudo_error: float | None = 0.02,
    stop: Stop | None = None,
    out: str | Path | None = None,
    settings: Settings | None = None,
    **steps: Any,
) -> Rounds:
    """Mine hard negatives, train with them, and mine anew with what was learnt, until that brings nothing more.

    What filters and pseudo-labels go by are predictions from the true labels and the vectors as they came. Those of
    later rounds have been trained with the labels, so that a labelled item no longer shows how an unlabelled member of
    its class would look, and nothing is held out any more: with such predictions far more members of the class pass
    for negatives than the filters promise (docs/benchmarks.md has the figures). The later vectors find the neighbours.

    Where the model is too weak to mine with (the cold-start trap: its nearest "negatives" are
    as good as random, or of the class) random items are mined instead, and that is said.

    Args:
        positives: from :meth:`Positives.from_labels`, of one label each, with items that have none.
        vectors: of the items, shape ``(items, d)``.
        train: called with each round but the last; gives new vectors of the items, or None if they stay.
        model: what predicts, ``logistic`` if not given.
        pseudo_error: at most this share of a class's items may be ruled out as its members where pseudo-labels are
            given; None gives none.
        stop: when to stop.
        out: a directory for the runs, ``round-0``, ``round-1`` ...
        settings: as for :func:`mine`.
        steps: ``sources``, ``filters``, ``sampler`` and ``seed``, as for :func:`mine`; the filters are ``known``,
            ``mislabelled`` and ``unlabelled`` if not given.

    Raises:
        InputError: for items with several labels, or of one class only.
    """
    stop, state = stop or Stop(), _State()
    steps = {"filters": ["known", "mislabelled", "unlabelled"], "seed": 0, **steps}
    mining = _Mining(positives, model or "logistic", pseudo_error, out, settings or Settings(), steps)
    done: list[Round] = []
    while True:
        now = mining.round(len(done), vectors, state)
        done.append(now)
        if why := _enough(done, stop, state):
            return Rounds(tuple(done), why)
        fresh = train(now)
        vectors = vectors if fresh is None else check_vectors(fresh, "item", rows=len(positives.items))


@dataclass(frozen=True, eq=False)
class _Mining:
    """What stays the same from round to round."""

    positives: Positives
    model: str
    pseudo_error: float | None
    out: str | Path | None
    settings: Settings
    steps: dict[str, Any]

    def round(self, number: int, vectors: Matrix, state: _State) -> Round:
        """Predict, label what is sure, mine."""
        predicted = self._predicted(vectors)
        state.guard = state.guard or predicted  # of the vectors as they came
        found = _strength(predicted, self.positives)
        more, pseudo, steps = self.positives, 0, self.steps
        if self.pseudo_error is not None and not _strength(state.guard, self.positives).too_weak:
            more, pseudo = with_pseudo_labels(self.positives, state.guard, self.pseudo_error)
        if found.too_weak:
            self.settings.progress.say(f"Round {number}: the model is {found.why}. Random items are mined.")
            steps = {**steps, "sources": _RANDOM}
        where = None if self.out is None else Path(self.out) / f"round-{number}"
        sides = Vectors.of_items(vectors, more)
        run = mine(more.with_predictions(state.guard), encoder=sides, out=where, settings=self.settings, **steps)
        pairs = set(zip(*(run.negatives.column(name).to_pylist() for name in ("anchor", "item")), strict=True))
        renewed = len(pairs - state.pairs) / max(1, len(pairs)) if number else 1.0
        state.pairs = pairs
        return Round(number, run, vectors, found, found.too_weak, pseudo, renewed)

    def _predicted(self, vectors: Matrix) -> Predictions:
        sides = Vectors.of_items(vectors, self.positives)
        return Context(self.positives, sides, self.steps["seed"]).predictions(self.model, "rounds")


def _enough(done: list[Round], stop: Stop, state: _State) -> str:
    """Why to stop, empty for going on."""
    now = done[-1]
    if not now.run.negatives.num_rows:
        return "No negative was sampled. Look at the reasons in the run's ledger."
    state.stale = state.stale + 1 if now.strength.balanced <= state.best else 0
    state.best = max(state.best, now.strength.balanced)
    if len(done) >= stop.most:
        return f"There were to be {stop.most} rounds at most."
    if now.renewed <= stop.settled:
        return f"Only {now.renewed:.1%} of the negatives are new."
    if state.stale >= stop.patience:
        return f"The model is no better: balanced accuracy {now.strength.balanced:.3f}, the best was {state.best:.3f}."
    return ""


def _strength(predicted: Predictions, positives: Positives) -> Strength:
    assert positives.classes is not None, "asked with labels"  # noqa: S101 - predictions have seen to it
    classes, codes = positives.classes, positives.classes.of_items("rounds")
    validation = positives.barred & (codes >= 0)
    judged = validation if validation.any() else (codes >= 0) & predicted.held_out
    return strength(predicted.taken_for()[judged], codes[judged], len(classes.names))


def with_pseudo_labels(positives: Positives, predicted: Predictions, error: float = 0.02) -> tuple[Positives, int]:
    """The same items, with labels for those that are surely of one class; and how many these are.

    An unlabelled item gets a label where every other class is ruled out and this one is not: its conformal p-value
    is below ``error`` for all but one class (:func:`hardneg.predict.member_p_values`). ``given_<label>`` keeps
    the labels that were there before.

    Raises InputError for items with several labels.
    """
    require(0 < error < 0.5, "error", "above 0 and below 0.5", error)
    classes = positives.classes
    assert classes is not None, "asked with labels"  # noqa: S101 - with_predictions has seen to it
    codes = classes.of_items("pseudo-labels")
    usable = np.where(positives.barred, -1, codes)
    open_rows = np.flatnonzero((codes < 0) & ~positives.barred)
    values = member_p_values(predicted, usable, open_rows, label_errors(predicted, usable).true_class)
    possible = values >= error
    sure = possible.sum(axis=1) == 1
    rows, given = open_rows[sure], possible[sure].argmax(axis=1)
    if not len(rows):
        return positives, 0
    labelled = codes.copy()
    labelled[rows] = given
    things = _relabelled(positives.items, classes, labelled)
    listed = max(1, int(positives.positive.lengths().max(initial=1))) if classes.kind == "items" else 1
    minable = ~positives.barred
    more = Positives.from_labels(things, label=classes.column, anchors=classes.kind, minable=minable, listed=listed)
    return more, len(rows)


def _relabelled(items: Collection, classes: Classes, codes: IntArray) -> Collection:
    labels = pa.array([None if code < 0 else classes.names[code] for code in codes], pa.string())
    table, kept = items.table, f"given_{classes.column}"
    at = table.column_names.index(classes.column)
    if kept not in table.column_names:
        table = table.append_column(kept, table.column(at))
    return Collection(table.set_column(at, classes.column, labels), items.root)
