"""Predictions that a model of the user's has made already, from a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.predict._numbers import Kind, numbers_of
from hardneg.predict.predictions import Predictions, check_probabilities
from hardneg.ragged import IntArray

__all__ = ["predictions_of"]

_IDS = ("id", "_id", "item", "item_id")


def predictions_of(
    table: pa.Table,
    ids: Collection | Sequence[object],
    classes: Sequence[str],
    *,
    id_column: str | None = None,
    column: str | None = None,
    kind: Kind | None = None,
    independent: bool = False,
    held_out: bool = False,
) -> Predictions:
    """The predictions of a table, in the order of ``ids``.

    Each row has an id and either a column for each class, named like the class or ``p_``, ``prob_`` or ``logit_``
    and the class, or one column with a list of numbers in the order of the classes. Ids that nobody asked for are
    counted and left out; ids without a row get NaN and are counted; ``about`` has the counts. A column ``label`` is
    only looked at for labels that are no class, which are counted too.

    Args:
        table: as it was read.
        ids: the items.
        classes: the names of the classes.
        id_column: the column of ids; otherwise one named id, _id, item or item_id.
        column: the column of lists; otherwise one named probabilities, probs, prob, logits or logit.
        kind: whether the numbers are probabilities or logits; otherwise told by the names of the columns.
        independent: whether an item may be of several classes.
        held_out: whether the model had not seen these items' labels. A column ``held_out`` of true and false says it
            row by row.

    Raises:
        InputError: for an empty table, a missing or repeated id, missing columns, columns or lists for other
            classes, text where numbers should be, and what ``check_probabilities`` refuses.
    """
    if not len(table):
        raise InputError("The table of predictions has no rows.", remedy="Write it again, or leave it out.")
    items = ids if isinstance(ids, Collection) else Collection.of(ids)
    own = _ids(table, id_column)
    places = items.positions(own)
    _refuse_repeats(own, places)
    values, found_kind = numbers_of(table, classes, column)
    checked = check_probabilities(values, len(classes), kind=kind or found_kind, independent=independent)
    out = np.full((len(items), len(classes)), np.nan, np.float32)
    known = places >= 0
    if not known.any():
        raise InputError(
            f"None of the {len(table)} ids of the predictions is an item's (first: {own[0]}).",
            remedy="Name the column of ids, or write the ids as they stand in the data.",
        )
    out[places[known]] = checked[known]
    seen = np.ones(len(items), bool)
    seen[places[known]] = _held_out(table, held_out)[known]
    about: dict[str, object] = {
        "model": "given",
        "rows": len(table),
        "unknown_ids": int((~known).sum()),
        "missing_ids": len(items) - int(known.sum()),
        "empty_rows": int(np.isnan(checked).all(axis=1).sum()),
        "unseen_labels": _unseen(table, classes),
    }
    return Predictions(out, seen, tuple(classes), independent, about | {"warnings": _warnings(about)})


def _ids(table: pa.Table, name: str | None) -> list[object]:
    names = [name] if name is not None else [one for one in _IDS if one in table.column_names]
    if not names or names[0] not in table.column_names:
        wanted = f"'{name}'" if name else "of ids"
        raise InputError(
            f"The table of predictions has no column {wanted}. It has: {', '.join(table.column_names)}.",
            remedy="Name the column of ids.",
        )
    found: list[object] = table.column(names[0]).to_pylist()
    if None in found:
        raise InputError(f"The id is missing in {found.count(None)} rows (first: row {found.index(None)}).")
    return found


def _refuse_repeats(ids: list[object], places: IntArray) -> None:
    known = places[places >= 0]
    counts = np.bincount(known) if len(known) else np.zeros(0, np.int64)
    repeated = np.flatnonzero(counts > 1)
    if len(repeated):
        first = ids[int(np.flatnonzero(places == repeated[0])[1])]
        raise InputError(
            f"{len(repeated)} ids have more than one prediction (first: {first}).",
            remedy="Keep one row for each id; to combine several models, give one table for each.",
        )


def _held_out(table: pa.Table, otherwise: bool) -> NDArray[np.bool_]:
    if "held_out" not in table.column_names:
        return np.full(len(table), otherwise)
    column = table.column("held_out")
    if not pa.types.is_boolean(column.type):
        raise InputError(f"The column 'held_out' must be true or false. Got {column.type}.")
    return np.asarray(column.fill_null(False).to_numpy(), bool)


def _unseen(table: pa.Table, classes: Sequence[str]) -> int:
    if "label" not in table.column_names:
        return 0
    known = set(classes)
    return sum(one is not None and str(one) not in known for one in table.column("label").to_pylist())


def _warnings(about: dict[str, object]) -> list[str]:
    words = {
        "unknown_ids": "predictions are of ids that are no items; they are left out.",
        "missing_ids": "items have no prediction.",
        "empty_rows": "rows of predictions are empty.",
        "unseen_labels": "rows have a label that is no class.",
    }
    return [f"{about[name]} {text}" for name, text in words.items() if about[name]]
