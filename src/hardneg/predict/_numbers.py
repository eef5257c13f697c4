"""Which columns of a table hold a model's numbers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.errors import InputError

__all__ = ["Kind", "numbers_of"]

Kind = Literal["probabilities", "logits"]
_LISTS: dict[str, Kind] = {
    "probabilities": "probabilities", "probs": "probabilities", "prob": "probabilities",
    "logits": "logits", "logit": "logits",
}  # fmt: skip
_PREFIXES: dict[str, Kind] = {"": "probabilities", "p_": "probabilities", "prob_": "probabilities", "logit_": "logits"}


def numbers_of(table: pa.Table, classes: Sequence[str], column: str | None) -> tuple[NDArray[np.float64], Kind]:
    """The numbers of a table, float64 of shape ``(n, C)``, and what their columns' names say they are.

    They stand in a column for each class, or in one column of lists, named or by the names that are common.

    Raises InputError for columns or lists of other classes, and for what is no number.
    """
    names = dict.fromkeys(table.column_names)
    by_class = {prefix: [f"{prefix}{one}" for one in classes] for prefix in _PREFIXES}
    best = max(by_class, key=lambda prefix: sum(one in names for one in by_class[prefix]))
    lists = [column] if column is not None else [one for one in _LISTS if one in names]
    if column is None and all(one in names for one in by_class[best]):
        _refuse_others(names, best, set(by_class[best]))
        return np.stack([_numbers(table, one) for one in by_class[best]], axis=1), _PREFIXES[best]
    if lists:
        return _from_lists(table, lists[0], len(classes)), _LISTS.get(lists[0], "probabilities")
    missing = [one for one in by_class[best] if one not in names]
    raise InputError(
        f"{len(missing)} of the {len(classes)} classes have no column of predictions (first: '{missing[0]}'). The "
        f"table has: {', '.join(table.column_names[:20])}.",
        remedy="Name each column like its class, or p_, prob_ or logit_ and the class; or give one column of lists.",
    )


def _refuse_others(names: Iterable[str], prefix: str, wanted: Container[str]) -> None:
    """Numbers of a class that the data do not have would be missing from the sum."""
    others = [one for one in names if prefix and one.startswith(prefix) and one not in wanted]
    if others:
        raise InputError(
            f"{len(others)} columns are of classes that the labels do not have (first: '{others[0]}').",
            remedy="Leave them out and scale the rest to sum to 1, or give these classes too.",
        )


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(table.column(name).cast(pa.float64()).to_numpy(), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column '{name}' must hold numbers: {error}.") from None


def _from_lists(table: pa.Table, name: str, count: int) -> NDArray[np.float64]:
    if name not in table.column_names:
        raise InputError(f"The table of predictions has no column '{name}'. It has: {', '.join(table.column_names)}.")
    column = table.column(name).combine_chunks()
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(column.type) for is_kind in kinds):
        raise InputError(f"The column '{name}' must hold {count} numbers a row, one a class. Got {column.type}.")
    there = column.is_valid().to_numpy(zero_copy_only=False)
    lengths = pc.fill_null(pc.list_value_length(column), count).to_numpy(zero_copy_only=False)
    if len(wrong := np.flatnonzero(lengths != count)):
        raise InputError(
            f"The column '{name}' must hold {count} numbers a row, one a class. Got {lengths[wrong[0]]} numbers in "
            f"row {wrong[0]}."
        )
    out = np.full((len(column), count), np.nan)
    try:
        values = column.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column '{name}' must hold lists of numbers: {error}.") from None
    out[there] = values.reshape(-1, count)
    return out
