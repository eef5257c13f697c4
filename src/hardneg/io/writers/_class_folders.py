"""Folders by class: ``hard/<label>/`` to train on again, and ``suspects/<label>__may_be__<class>/`` to look at.

In ``hard`` is each item that was sampled as a negative, under its own label; what is suspect for anyone is in
``suspects`` alone, under the class that it was most often suspect for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from hardneg.errors import InputError
from hardneg.io.writers._export import Export
from hardneg.io.writers._flat import write_flat
from hardneg.io.writers._media import Place
from hardneg.io.writers._names import Names, safe
from hardneg.io.writers._tally import class_lists, tally
from hardneg.labels import classes_of, names_at

__all__ = ["write_folders"]

_Row = tuple[int, str, list[str], str]  # row of an item, the part of the folder, its labels, what it may be


@dataclass
class _Folders:
    """Folders within a folder, each name given once."""

    target: Path
    names: Names = field(default_factory=Names)
    made: dict[tuple[str, ...], str] = field(default_factory=dict)
    files: defaultdict[tuple[str, ...], Names] = field(default_factory=lambda: defaultdict(Names))

    def place(self, folder: tuple[str, ...], file: str) -> Path:
        """A free place for a file in the folder that stands for a label, or for a label and what it may be."""
        if folder not in self.made:
            self.made[folder] = self.names.free("__may_be__".join(map(safe, folder)))
            (self.target / self.made[folder]).mkdir(parents=True)
        return self.target / self.made[folder] / self.files[folder].free(file)


def write_folders(export: Export, put: Callable[[int, Place], Path | None], columns: tuple[str, ...] = ()) -> None:
    """Put every chosen item into the folder of its class, and write ``index.csv``.

    ``put`` takes a row of the items and a function that gives a free place for a name of a file. It returns where
    the file now is; or None, having counted why there is none. ``columns`` of the items stand in the index beside
    ``id`` and ``file``.

    Raises InputError for a run without labels.
    """
    if classes_of(export.run) is None:
        raise InputError(
            f"The format '{export.writer.name}' needs items with labels. The run has none.",
            remedy="Give the items a column 'label' in the mining.",
        )
    folders = {part: _Folders(export.target / part) for part in ("hard", "suspects")}
    rows, names = [], []
    for row, part, labels, may_be in _chosen(export):
        folder = (labels[0],) if part == "hard" else ("+".join(labels) or "unlabelled", may_be)
        into = folders[part]
        file = put(row, lambda name, into=into, folder=folder: into.place(folder, name))  # type: ignore[misc]
        if file is not None:
            export.counts[part] += 1
            rows.append(row)
            names.append(file.relative_to(export.target).as_posix())
    export.rows(export.counts["hard"])
    items, take = export.run.items, pa.array(rows, pa.int64())
    own = {name: items.table.column(name).take(take) for name in columns if name in items.table.column_names}
    index = pa.table({"id": items.ids.take(take), "file": pa.array(names, pa.string()), **own})
    write_flat(export.target / "index.csv", index)


def _chosen(export: Export) -> Iterator[_Row]:
    """The items to write, in order; the others are counted with the reason."""
    run, found = export.run, tally(export.run)
    classes = classes_of(run)
    assert classes is not None  # noqa: S101 - looked at before
    rows = np.arange(len(run.items))
    labels = names_at(classes.items, classes.names, rows)
    may_be = class_lists(classes, *found.suspect_pairs, rows).to_pylist()
    for row, one in enumerate(run.items.ids.to_pylist()):
        if found.suspect_for[row]:
            yield row, "suspects", labels[row], (may_be[row] or ["another"])[0]
        elif not found.times[row]:
            export.skips.add("not_sampled", str(one))
        elif len(labels[row]) != 1:
            export.skips.add("several_labels" if labels[row] else "no_label", str(one))
        else:
            yield row, "hard", labels[row], ""
