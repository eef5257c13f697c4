"""How a check speaks when it fails, and what all steps have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from hardneg.notation import Registry, Step
from hardneg.table import Array, Rows

__all__ = ["expect", "expect_round_trip", "expect_same", "frozen"]


def expect(holds: object, who: object, rule: str, found: object = None) -> None:
    """Raise AssertionError unless ``holds``.

    >>> expect(False, "margin(relative=0.05)", "judge every candidate", "3 of 4")
    Traceback (most recent call last):
    AssertionError: margin(relative=0.05) must judge every candidate. Got 3 of 4.
    """
    if not holds:
        raise AssertionError(f"{who} must {rule}." + ("" if found is None else f" Got {found}."))


def expect_same(left: Rows, right: Rows, who: object, rule: str) -> None:
    """Raise AssertionError unless both hold the same rows: the same columns, kinds and values."""
    expect(
        set(left.columns) == set(right.columns), who, rule, f"columns {sorted(left.columns)}, {sorted(right.columns)}"
    )
    pairs = {name: (left[name], right[name]) for name in left.columns}
    pairs |= {"anchor": (left.anchor, right.anchor), "item": (left.item, right.item)}
    for name, (one, other) in pairs.items():
        expect(one.dtype == other.dtype, who, rule, f"another kind of numbers in '{name}': {one.dtype}, {other.dtype}")
        same = np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        expect(same, who, rule, f"other values in '{name}'")


def expect_round_trip(registry: Registry[Any], step: Step) -> None:
    """Raise AssertionError unless the text of a step gives it back.

    Steps that hold what no text can say (a local class, a function, vectors that must be given) are passed over.
    """
    cls = type(step)
    untold = [f for f in fields(step) if f.metadata.get("data") and f.compare and getattr(step, f.name) != f.default]  # type: ignore[arg-type]
    if untold or "<locals>" in cls.__qualname__:
        return
    again = registry.make(str(step))
    expect(again == step, step, "equal the step that its text makes", f"'{again}'")


def frozen(array: Array) -> Array:
    """The array, protected from writing."""
    array.setflags(write=False)
    return array
