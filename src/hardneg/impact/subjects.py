"""Which held-out queries or items got better and which worse, and what came first for them before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.impact.exam import Marking
from hardneg.impact.examined import Examined
from hardneg.impact.task import Task
from hardneg.ragged import IntArray

__all__ = ["Change", "Changes", "changed", "changes_of"]

_SHOWN, _TEXT = 12, 300


@dataclass(frozen=True)
class Change:
    """One query or item: its mean mark over seeds with either arm, what came first, what would be right."""

    id: str
    text: str
    before: float
    after: float
    first_before: str
    first_after: str
    right: str


@dataclass(frozen=True)
class Changes:
    """How many changed, and those that changed most. ``against`` is the arm before, ``mark`` what is compared."""

    against: str
    mark: str
    better: int
    worse: int
    same: int
    most_better: tuple[Change, ...]
    most_worse: tuple[Change, ...]

    def about(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)


def changes_of(task: Task, exam: Marking, mine: str, against: str, found: Mapping[str, list[Examined]]) -> Changes:
    """Compare the marks of each unit of the examination under two arms."""
    after, before = (np.stack([one.test["unit"] for one in found[name]]) for name in (mine, against))
    earlier, later = (found[name][0].test["choice"] for name in (against, mine))
    mark = {"retrieval": "nDCG@10", "classification": "right label", "verification": "nearest is of its identity"}
    return changed(
        after, before, against, mark[task.kind],
        lambda at, old, new: _change(task, exam, at, old, new, earlier, later),
    )  # fmt: skip


def changed(
    after: NDArray[np.float64], before: NDArray[np.float64], against: str, mark: str,
    told: Callable[[int, float, float], Change],
) -> Changes:  # fmt: skip
    """Compare the marks of each unit, shape ``(seeds, units)``; ``told`` says more of a unit, given both mean marks."""
    new, old = after.mean(axis=0), before.mean(axis=0)
    gain = np.nan_to_num(new - old)
    order = np.argsort(-gain, kind="stable")
    up, down = order[gain[order] > 0], order[::-1][gain[order[::-1]] < 0]

    def some(rows: IntArray) -> tuple[Change, ...]:
        return tuple(told(int(row), float(old[row]), float(new[row])) for row in rows[:_SHOWN])

    return Changes(against, mark, len(up), len(down), len(gain) - len(up) - len(down), some(up), some(down))


def _change(
    task: Task, exam: Marking, at: int, before: float, after: float, first_before: IntArray, first_after: IntArray
) -> Change:
    row = int(exam.rows[at])
    positives = task.positives
    things = positives.anchors if task.kind == "retrieval" else positives.items
    earlier, later = (_first(task, int(one[at])) for one in (first_before, first_after))
    if task.kind == "retrieval":
        mine = positives.positive[row]
        right = _named(positives.items, int(mine[0])) if len(mine) else ""
    else:
        right = task.names[int(task.codes[row])]
    return Change(str(things.ids[row].as_py()), _text(things, row), before, after, earlier, later, right)


def _first(task: Task, choice: int) -> str:
    return task.names[choice] if task.kind == "classification" else _named(task.positives.items, choice)


def _named(things: Any, row: int) -> str:
    text = _text(things, row)
    return f"{things.ids[row].as_py()}: {text}" if text else str(things.ids[row].as_py())


def _text(things: Any, row: int) -> str:
    names = things.table.column_names
    name = next((one for one in ("text", "path", "audio") if one in names), None)
    value = None if name is None else things.table.column(name)[row].as_py()
    return value[:_TEXT] if isinstance(value, str) else ""
