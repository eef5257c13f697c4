"""Names to look at: two that may be one person, one that may be two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardneg.errors import InputError
from hardneg.identities.examples import Examples
from hardneg.progress import Progress
from hardneg.ragged import IntArray
from hardneg.verify import MixedNames, SameNames, likely_persons, mixed_identities, same_identity

__all__ = ["Doubts", "doubts_of"]


@dataclass(frozen=True, eq=False)
class Doubts:
    """What is doubtful about names.

    Args:
        same: pairs of names, those that are likely one person first; None where it could not be looked for.
        mixed: names by how likely they are two persons; None likewise.
        persons: for each name, by code, the lowest code of those that may be the same person.
        notes: why something could not be looked for.
    """

    same: SameNames | None
    mixed: MixedNames | None
    persons: IntArray
    notes: tuple[str, ...] = ()

    def same_names(self) -> tuple[IntArray, IntArray]:
        """The pairs of names that are reported, as codes."""
        return _reported(self.same)

    def mixed_names(self) -> IntArray:
        """The names that are reported to hold two persons, as codes."""
        return np.zeros(0, np.int64) if self.mixed is None else self.mixed.codes[self.mixed.reported]

    def persons_of(self, codes: IntArray) -> IntArray:
        """The persons of examples, -1 for none."""
        return np.where(codes >= 0, self.persons[codes], -1)


def doubts_of(examples: Examples, *, false_reports: float, seed: int, progress: Progress) -> Doubts:
    """Look for names that may be wrong; what too few names or examples can say is noted, and no error."""
    same, mixed, notes = None, None, []
    names = len(np.unique(examples.codes[examples.codes >= 0]))
    try:
        with progress.stage("names that may be one", names, "identities") as report:
            same = same_identity(
                examples.vectors, examples.codes, false_reports=false_reports, sessions=examples.sessions, seed=seed
            )
            report(names, names)
    except InputError as error:
        notes.append(f"Names that may be one person were not looked for. {error}")
    try:
        with progress.stage("names that may be two", names, "identities") as report:
            mixed = mixed_identities(
                examples.vectors, examples.codes, false_reports=false_reports, seed=seed, report=report
            )
    except InputError as error:
        notes.append(f"Names that may be two persons were not looked for. {error}")
    persons = likely_persons(np.arange(len(examples.names)), *_reported(same))
    return Doubts(same, mixed, persons, tuple(notes))


def _reported(same: SameNames | None) -> tuple[IntArray, IntArray]:
    if same is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return same.left[same.reported], same.right[same.reported]
