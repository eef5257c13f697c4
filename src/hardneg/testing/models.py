"""What a model of classes must do."""

from __future__ import annotations

import numpy as np

from hardneg.classes import Codes
from hardneg.predict import MODELS, Model, Predictions
from hardneg.ragged import IntArray, Ragged
from hardneg.similarity import FloatArray
from hardneg.testing._expect import expect, expect_round_trip

__all__ = ["check_model"]

CLASSES = ("ant", "bee", "cow", "dog")
ROWS, WIDTH = 90, 8
NOISE_ROWS, NOISE_WIDTH = 200, 64


def check_model(model: Model, *, tolerance: float = 1e-4) -> None:
    """Raise AssertionError unless a model keeps its promises.

    It predicts every row, labelled or not, with float32 probabilities that sum to 1; the same ones again, and, within
    ``tolerance``, whatever the order of the rows. A row said to be held out is predicted without its label: where
    labels are drawn by lot, no model can be right much more often than by chance. The only item of a class is not held
    out. Several labels an item are answered class by class. It leaves its inputs as they are. Its text makes it again.

    Args:
        model: the model to check.
        tolerance: how far a probability may move with the order of the rows.
    """
    expect_round_trip(MODELS, model)
    vectors, codes = _world()
    kept = vectors.copy(), codes.copy()
    found = _checked(model, vectors, codes)
    expect(np.array_equal(vectors, kept[0]) and np.array_equal(codes, kept[1]), model, "leave its inputs as they are")
    again = _checked(model, vectors, codes)
    expect(np.array_equal(found.probabilities, again.probabilities), model, "predict the same again")
    order = np.random.default_rng(5).permutation(len(vectors))
    moved = _checked(model, vectors[order], codes[order])
    gap = float(np.abs(moved.probabilities - found.probabilities[order]).max())
    expect(gap <= tolerance, model, f"not depend on the order of the rows (within {tolerance:g})", f"{gap:.2g}")
    expect(np.array_equal(moved.held_out, found.held_out[order]), model, "hold out the same rows in any order")
    _check_held_out(model, found, codes)
    _check_several(model, vectors, codes)


def _world() -> tuple[FloatArray, IntArray]:
    """Three classes that can be told apart, a class of one item, and every sixth item without a label."""
    rng = np.random.default_rng(3)
    codes = np.arange(ROWS) % 3
    vectors = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    vectors[np.arange(ROWS), codes] += 4
    codes[::6] = -1
    codes[7] = 3
    return vectors, codes


def _checked(model: Model, vectors: FloatArray, codes: Codes) -> Predictions:
    found = model.predict(vectors, codes, CLASSES)
    shape = found.probabilities.shape
    expect(shape == (len(vectors), len(CLASSES)), model, "give a row for each item, a column for each class", shape)
    expect(found.probabilities.dtype == np.float32, model, "give float32", found.probabilities.dtype)
    expect(found.predicted.all(), model, "predict every row, labelled or not", int((~found.predicted).sum()))
    inside = (found.probabilities >= 0) & (found.probabilities <= 1)
    expect(inside.all(), model, "give numbers from 0 to 1", int((~inside).sum()))
    if not found.independent:
        worst = float(np.abs(found.probabilities.sum(axis=1) - 1).max())
        expect(worst < 1e-3, model, "give rows that sum to 1", f"a sum off by {worst:.2g}")
    expect(found.classes == CLASSES, model, "keep the classes' names", found.classes)
    return found


def _check_held_out(model: Model, found: Predictions, codes: IntArray) -> None:
    expect(found.held_out[codes < 0].all(), model, "count unlabelled rows as held out")
    expect(not found.held_out[7], model, "not say that the only item of a class was held out")
    plenty = (codes >= 0) & (codes < 3)
    expect(found.held_out[plenty].all(), model, "hold out every labelled row of a class with many")
    right = float((found.taken_for() == codes)[plenty].mean())
    expect(right > 0.8, model, "tell classes apart that lie apart", f"{right:.2f} of the rows right")
    rng = np.random.default_rng(11)
    drawn = rng.integers(0, 2, NOISE_ROWS)
    guess = model.predict(rng.normal(size=(NOISE_ROWS, NOISE_WIDTH)).astype(np.float32), drawn, CLASSES)
    held = guess.held_out
    right = float((guess.taken_for() == drawn)[held].mean())
    expect(right < 0.7, model, "not have seen the labels of held-out rows", f"{right:.2f} right where lots were drawn")
    expect(guess.about.get("too_weak"), model, "say that it is too weak where labels are drawn by lot")


def _check_several(model: Model, vectors: FloatArray, codes: IntArray) -> None:
    lists = [[] if one < 0 else [int(one)] if row % 5 else sorted({int(one), 1}) for row, one in enumerate(codes)]
    found = _checked(model, vectors, Ragged.from_lists(lists))
    expect(found.independent, model, "say that several labels an item are answered class by class")
