"""What a filter that learns by hiding known positives had to say of these, as the run keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hardneg.filters import FILTERS, Filter
from hardneg.ragged import BoolArray
from hardneg.run import Run
from hardneg.schema import HIDDEN_FOR
from hardneg.steps import Steps
from hardneg.table import Array

__all__ = ["Learnt", "judges_alone", "steps_of"]

_KEYS = ("anchor", "item", "hidden_for")


@dataclass(frozen=True, eq=False)
class Learnt:
    """Evidence of the known positives of a run, in the order of its ``positives.positive``.

    Args:
        there: which of them the filter hid; all where no filter did, for any may be hidden then.
        named: its evidence of each, hidden from its own anchor alone; NaN where it has none.
        unseen: the same where no other anchor names it either.
    """

    there: BoolArray
    named: Mapping[str, Array]
    unseen: Mapping[str, Array]

    @classmethod
    def of(cls, run: Run, filters: tuple[Filter, ...]) -> Learnt:
        """What the run keeps, if one of these filters reads it."""
        positive, table = run.positives.positive, run.hidden
        names = [] if table is None else [name for name in table.column_names if name not in _KEYS]
        if table is None or not any(_reads(one, names) for one in filters):
            return cls(np.ones(len(positive.values), bool), {}, {})
        anchor, item = run.anchors.positions(table.column("anchor")), run.items.positions(table.column("item"))
        place = positive.find(anchor, item)
        still, at = place >= 0, positive.offsets[anchor] + place  # what a reviewer decided may have made it none
        for_all = np.array(table.column("hidden_for").cast("string").to_pylist(), object) == HIDDEN_FOR[1]
        there, named, unseen = np.zeros(len(positive.values), bool), {}, {}
        there[at[still]] = True
        for name in names:
            told = table.column(name).to_numpy()
            named[name] = np.full(len(positive.values), np.nan if told.dtype.kind == "f" else -1, told.dtype)
            named[name][at[still & ~for_all]] = told[still & ~for_all]
            unseen[name] = named[name].copy()  # of an item that nobody else names both are the same
            unseen[name][at[still & for_all]] = told[still & for_all]
        return cls(there, named, unseen)


def judges_alone(one: Filter, learnt: Learnt) -> bool:
    """Whether a filter can judge a hidden positive: by no vectors and no model, or by evidence that the run keeps."""
    return _reads(one, learnt.named) or (not one.needs_model and getattr(one, "among", None) is None)


def steps_of(run: Run) -> Steps:
    """The steps of a run; a filter that could not learn is the rule that took its place."""
    steps, about = Steps.of_run(run.manifest, None, None), run.manifest.get("calibrated", {})
    if "fallback" not in about:
        return steps
    rule = FILTERS.make(about["fallback"])
    return replace(steps, filters=tuple(rule if one.name == "calibrated" else one for one in steps.filters))


def _reads(one: Filter, names: Mapping[str, Array] | list[str]) -> bool:
    return bool(one.evidence) and one.needs_model and set(one.evidence) <= set(names)
