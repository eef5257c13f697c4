"""What a model is: it learns from the labels it may see and says how likely other rows are of each class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardneg.classes import Codes
from hardneg.matrix import Matrix
from hardneg.notation import Step, require
from hardneg.predict._account import account
from hardneg.predict._extra import one_thread
from hardneg.predict._folds import Groups, canonical, each_its_own, group_numbers
from hardneg.predict._held_out import Learn, Outcome, one_class_each, several_each
from hardneg.predict.predictions import Predictions, check_codes
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray, check_vectors, prepared

__all__ = ["Learn", "Model"]


@dataclass(frozen=True, kw_only=True)
class Model(Step):
    """Says how likely each item is of each class, of a labelled item without having seen its label.

    A subclass gives ``ready``; the rest is the same for all.

    Args:
        folds: into how many parts the labelled rows are cut; each is predicted by a model of the others.
        calibrate: whether a temperature is fitted to the held-out rows, so that of the rows given 0.8 eight in
            ten bear that label.
    """

    name: ClassVar[str]
    folds: int = 5
    calibrate: bool = True

    def __post_init__(self) -> None:
        require(self.folds >= 2, "folds", "a whole number of at least 2", self.folds)

    @abstractmethod
    def ready(self, vectors: FloatArray, classes: int, seed: int) -> Learn:
        """Prepare, and return ``learn(codes, rows)``.

        ``learn`` learns from the rows that have a code (-1 is none) and returns the probabilities of ``rows``, of
        shape ``(len(rows), classes)``. It is called once for each fold, on several threads. Rows that it is asked
        about have no code, but for those that cannot be held out. A class without any row gets 0.

        Args:
            vectors: all rows, of unit length, float32, shape ``(n, d)``.
            classes: how many classes there are.
            seed: for what is drawn at random.
        """

    def predict(
        self, vectors: Matrix, codes: Codes, classes: Sequence[str], groups: Groups | None = None, seed: int = 0
    ) -> Predictions:
        """Predict every row.

        A labelled row is predicted by a model of the other folds. An unlabelled one is predicted by a model of all
        labelled rows, which has seen the most, and with the temperature of the held-out rows. The outcome depends
        neither on the order of the rows nor on the number of threads.

        Args:
            vectors: shape ``(n, d)``; all of them are held in memory.
            codes: class numbers, -1 for unlabelled; or a Ragged where items may have several classes: each class is
                then learnt by itself against the rest ("binary relevance"), and an item without any is unlabelled.
            classes: the names of the classes.
            groups: what must not be torn apart, such as frames of one film: a name for each item. An item without
                one (None) stands for itself.
            seed: of the folds and of the model.

        Raises:
            InputError: for vectors, codes or groups that are wrong, or fewer than two classes that have labels.
        """
        rows = np.asarray(check_vectors(vectors, "item")[:], np.float32)
        codes = check_codes(codes, len(rows), len(classes))
        numbers = group_numbers(groups, len(rows))
        order, shared = canonical(rows)
        with one_thread("blas"):  # so that sums run in one order
            outcome = self._in_order(
                prepared(rows[order], "cosine"),
                codes.take(order),
                len(classes),
                None if numbers is None else each_its_own(numbers[order]),
                seed,
            )
        back = np.argsort(order)
        outcome = Outcome(outcome.raw[back], outcome.probabilities[back], outcome.held_out[back], outcome.temperature)
        about = account(str(self), outcome, codes, classes, shared, seed)
        return Predictions(outcome.probabilities, outcome.held_out, tuple(classes), isinstance(codes, Ragged), about)

    def _in_order(self, vectors: FloatArray, codes: Codes, classes: int, groups: IntArray | None, seed: int) -> Outcome:
        if isinstance(codes, Ragged):
            return several_each(self.ready(vectors, 2, seed), codes, classes, groups, self, seed)
        return one_class_each(self.ready(vectors, classes, seed), codes, classes, groups, self, seed)
