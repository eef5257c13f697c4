"""The sounds that a manifest lists: anchors, listed positives and sampled negatives, none of them suspect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hardneg.io.writers._export import Export
from hardneg.io.writers._sounds import found
from hardneg.io.writers._tally import role_names, roles, tally
from hardneg.labels import label_column

__all__ = ["MinedSound", "mined_sounds", "said_of"]


@dataclass(frozen=True)
class MinedSound:
    """A sound in a file: ``path`` as the items have it, ``first`` to before ``stop`` of its samples.

    ``said`` has its speaker and its label, as far as the items have such columns.
    """

    id: str
    path: str
    rate: int
    first: int
    stop: int
    said: dict[str, str]
    role: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return round((self.stop - self.first) / self.rate, 6)


def said_of(export: Export) -> dict[str, str]:
    """The columns of the items that hold the speaker and the label, as far as there are such."""
    names = export.run.items.table.column_names
    known = {"speaker": "speaker", "label": "label" if "label" in names else label_column(export.run) or ""}
    return {what: column for what, column in known.items() if column in names}


def mined_sounds(export: Export) -> Iterator[MinedSound]:
    """The sounds in the order of the items.

    What is suspect for anyone is left out and counted, and so is what is missing, broken, or in no file.
    """
    items, about = export.run.items, tally(export.run)
    has = roles(export.run, about)
    named = role_names(has).to_pylist()
    said = {what: items.table.column(column).to_pylist() for what, column in said_of(export).items()}
    for row in np.flatnonzero(has.any(axis=0)).tolist():
        name = str(items.ids[row].as_py())
        if about.suspect_for[row]:
            export.skips.add("suspect", name)
            continue
        with found(export, items, row) as one:
            if one is None:
                continue
            if isinstance(one.source, bytes):
                export.skips.add("bytes_without_a_file", name)
                continue
            words = {what: _as_text(column[row]) for what, column in said.items()}
            path = items.table.column("audio")[row].as_py()
            yield MinedSound(name, path, one.file.samplerate, one.first, one.stop, words, named[row])


def _as_text(value: object) -> str:
    """A label, or several, as one text; nothing for none."""
    return "+".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
