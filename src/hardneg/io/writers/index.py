"""An index of the items: which were mined, how often and how hard, and which may be labelled wrongly.

A row for each item that is a sampled negative, a suspect, a listed positive or an anchor. The other items of the run
were candidates and nothing more; they are left out and counted. The columns:

- ``id``, then ``path``, ``audio`` (a file, not bytes), ``start``, ``end``, ``text``, ``label``, ``speaker``,
  ``session``, ``group`` and ``split`` as far as the items have them
- ``role``: which of anchor, positive, negative and suspect, as in ``anchor+negative``
- ``times``: for how many anchors it was sampled; ``highest_score`` and ``hardest_anchor``: the hardest of these pairs
- ``for_class``: the classes of the anchors it was sampled for, the most frequent first (where there are labels)
- ``weight``: see :mod:`hardneg.weights`; it is that of an item never sampled for one that is suspect
- ``verdict``: the gravest that it got as a candidate, of suspect, drop and keep; ``reason``: the most frequent for it,
  ``own_label`` where a filter doubts its label as that of an anchor
- ``may_be``: the classes of the anchors it is suspect for, the most frequent first: likely label errors

In CSV, lists are JSON.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import FLAT, write_flat
from hardneg.io.writers._media import are_bytes
from hardneg.io.writers._tally import ROLES, Tally, class_lists, role_names, roles, tally
from hardneg.labels import classes_of
from hardneg.ragged import BoolArray, IntArray
from hardneg.weights import item_weights

__all__ = ["INDEX"]

_OWN = ("path", "audio", "start", "end", "text", "label", "speaker", "session", "group", "split")


def _write(export: Export) -> None:
    run = export.run
    found = tally(run)
    has = roles(run, found)
    rows = np.flatnonzero(has.any(axis=0))
    for name, mask in zip(ROLES, has, strict=True):
        export.counts[name] = int(mask.sum())
    if left := np.setdiff1d(np.arange(len(run.items)), rows).tolist():
        export.skips.add("only_a_candidate", str(run.items.ids[left[0]].as_py()), len(left))
    export.rows(write_flat(export.target, _table(export, found, has, rows)))


def _table(export: Export, found: Tally, has: BoolArray, rows: IntArray) -> pa.Table:
    run, items = export.run, export.run.items.table
    take = pa.array(rows)
    shown = [name for name in _OWN if name in items.column_names and not are_bytes(run.items, name)]
    own = {name: items.column(name).take(take) for name in shown}
    columns = {"id": run.items.ids.take(take), **own, "role": role_names(has[:, rows])}
    columns["times"] = pa.array(found.times[rows], pa.int32())
    if (classes := classes_of(run)) is not None:
        columns["for_class"] = class_lists(classes, *found.sampled_pairs, rows)
    sampled = found.times[rows] > 0
    hardest = pa.array(np.where(sampled, found.hardest[rows], 0), mask=~sampled)
    columns["hardest_anchor"] = run.anchors.ids.take(hardest)
    columns["highest_score"] = pa.array(found.highest[rows], pa.float32())
    columns["weight"] = pa.array(item_weights(run, balanced=export.options.balanced)[rows])
    columns["verdict"], columns["reason"] = found.verdict.take(take), found.reason.take(take)
    if classes is not None:
        columns["may_be"] = class_lists(classes, *found.suspect_pairs, rows)
    return pa.table(columns)


INDEX = Writer(
    "index", "every item that was mined or listed, with its label, weight, and doubts about it",
    FLAT, "ids, paths, texts, labels, scores, weights, verdicts", _write, ("balanced",), texts=False,
)  # fmt: skip
