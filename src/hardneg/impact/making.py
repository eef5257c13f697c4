"""From data to a task: which kind it is, what is held out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hardneg.classes import together
from hardneg.collection import Collection
from hardneg.context import Vectors
from hardneg.errors import InputError, OptionError
from hardneg.impact.division import divided, in_turn
from hardneg.impact.task import KINDS, Kind, Task
from hardneg.matrix import Matrix
from hardneg.notation import require
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged

__all__ = ["joined", "kind_of", "stacked_vectors", "task_of", "tasks_of"]


def kind_of(positives: Positives, codes_held_out_are_new: bool = False) -> Kind:
    """Retrieval without classes; verification of groups, and where the held-out classes are new; else classification.

    >>> kind_of(Positives.from_pairs(["q"], ["a"]))
    'retrieval'
    """
    if positives.classes is None:
        return "retrieval"
    return "verification" if not positives.classes.closed or codes_held_out_are_new else "classification"


def task_of(
    positives: Positives,
    vectors: Vectors | None,
    *,
    kind: Kind | None = None,
    held_out: BoolArray | None = None,
    seed: int = 0,
) -> Task:
    """Make a task of relations and vectors.

    Args:
        positives: of everything, what is held out too.
        vectors: of all of them.
        kind: what is learnt; seen from the data if not given.
        held_out: which anchors (in retrieval) or items are held out by the data themselves; a part is drawn if not
            given.
        seed: draws that part and the validation part.

    Raises InputError where the data do not fit the kind, or too little is there to hold some out.
    """
    return tasks_of(positives, vectors, kind=kind, held_out=held_out, seed=seed)[0]


def tasks_of(
    positives: Positives, vectors: Vectors | None, *, kind: Kind | None = None, held_out: BoolArray | None = None,
    folds: int = 1, seed: int = 0, lots: IntArray | None = None,
) -> list[Task]:  # fmt: skip
    """The same as :func:`task_of` in several divisions, so that everything is held out in one of them.

    Args:
        positives: of everything, what is held out too.
        vectors: of all of them.
        kind: what is learnt; seen from the data if not given.
        held_out: what the data hold out themselves; then there is one division.
        seed: draws the folds and the validation parts.
        folds: how many; one where the data themselves hold some out. There may be fewer (see :func:`in_turn`).
        lots: what belongs together, a number for each anchor (retrieval) or item; seen from the data if not given.
    """
    require(kind is None or kind in KINDS, "task", f"one of {', '.join(KINDS)}", kind)
    require(folds >= 1, "folds", "at least 1", folds)
    require(folds == 1 or held_out is None, "folds", "1 where a part is held out by the data themselves", folds)
    kind, codes = _codes(positives, kind, held_out)
    judged = codes
    if kind != "retrieval":  # there anchors are held out, not items
        judged = np.where(~positives.barred if held_out is None else held_out | ~positives.barred, codes, -1)
    if folds > 1:
        parts = in_turn(kind, positives, judged, folds, seed, lots)
    else:
        parts = [divided(kind, positives, judged, held_out, seed)]
    names = () if positives.classes is None else positives.classes.names
    return [Task(kind, positives, vectors, one, codes, names) for one in parts]


def _codes(positives: Positives, kind: Kind | None, held_out: BoolArray | None) -> tuple[Kind, IntArray]:
    """The kind of the task, and the class of each item; none in retrieval."""
    classes = positives.classes
    if classes is None:
        if kind not in (None, "retrieval"):
            raise OptionError(f"A task of {kind} needs items with labels, and there are none. Leave --task out.")
        return "retrieval", np.zeros(0, np.int64)
    if kind == "retrieval":
        raise OptionError("Labelled items are no retrieval. Choose --task classification or verification.")
    codes = together(classes.items) if kind != "classification" else classes.of_items("impact")
    new = False
    if held_out is not None:
        mine, theirs = codes[~held_out & ~positives.barred], codes[held_out]
        new = not np.isin(theirs[theirs >= 0], mine).any()
    kind = kind or kind_of(positives, new)
    if kind == "classification" and new:
        raise InputError(
            "The held-out items have none of the training labels.", remedy="Choose --task verification for identities."
        )
    return kind, codes


def joined(train: Positives, test: Positives) -> tuple[Positives, BoolArray, IntArray]:
    """The queries of two splits over one corpus as one set of relations, and which of its anchors are the second's.

    A query that is in both is held out, so that nothing is trained on it. The anchors of ``train`` that stay come
    first, and their rows there are given as well.

    Raises InputError where the two have other items.
    """
    if not train.items.ids.equals(test.items.ids):
        raise InputError("The two splits have other items.", remedy="Leave --held-out-split out; a part is drawn then.")
    twice = test.anchors.positions(train.anchors.ids) >= 0
    keep = np.flatnonzero(~twice)
    columns = [one for one in train.anchors.table.column_names if one in test.anchors.table.column_names]
    table = pa.concat_tables(
        [train.anchors.table.select(columns).take(pa.array(keep)), test.anchors.table.select(columns)]
    )
    lists = {
        name: _stacked(getattr(train, name).take(keep), getattr(test, name))
        for name in ("positive", "negative", "ignored")
    }
    own = np.concatenate([train.own[keep], test.own])
    held_out = np.arange(len(own)) >= len(keep)
    anchors = Collection(table.combine_chunks(), train.anchors.root)
    made = Positives(anchors, train.items, lists["positive"], lists["negative"], lists["ignored"], own, train.barred)
    return made, held_out, keep


def stacked_vectors(train: Vectors, test: Matrix, kept: IntArray) -> Vectors:
    """The vectors of :func:`joined` relations."""
    anchors = np.concatenate([np.asarray(train.anchors[kept]), np.asarray(test[:])])
    return Vectors(anchors, train.items, train.similarity)


def _stacked(one: Ragged, other: Ragged) -> Ragged:
    return Ragged.from_lengths(
        np.concatenate([one.lengths(), other.lengths()]), np.concatenate([one.values, other.values])
    )
