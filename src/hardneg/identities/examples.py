"""Examples of identities: what labelled data say of who is who, and the vectors of a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hardneg.classes import coded, column_of, values_of
from hardneg.errors import InputError
from hardneg.matrix import Matrix
from hardneg.positives import Positives
from hardneg.ragged import IntArray
from hardneg.similarity import check_vectors
from hardneg.verify import leaks

__all__ = ["Examples"]


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples, row by row.

    Args:
        vectors: shape ``(n, d)``, compared by cosine.
        ids: of the items.
        codes: the identity of each as a place in ``names``, -1 for none, shape ``(n,)``.
        names: of the identities.
        sessions: where each was recorded, -1 where it is not known, shape ``(n,)``; None where nobody says.
        leaks: who or what of these is among the examples set apart as well, such as a test split, in words.
    """

    vectors: Matrix
    ids: pa.Array
    codes: IntArray
    names: tuple[str, ...]
    sessions: IntArray | None = None
    leaks: tuple[str, ...] = ()

    @classmethod
    def of(cls, positives: Positives, vectors: Matrix, *, session: str | None = None) -> Examples:
        """The labelled items that may be mined, with the vectors of all items and the column of their sessions.

        What is barred (another split, a list of ids) is nobody's example; whether its identities and sessions are kept
        apart from these is looked at.

        Raises InputError for data without labels, with several labels an item, or without that column.

        >>> items = {"id": ["a", "b", "c"], "label": ["ann", "bob", None]}
        >>> from hardneg.collection import Collection
        >>> found = Examples.of(Positives.from_labels(Collection(pa.table(items))), np.eye(3, dtype=np.float32))
        >>> found.codes.tolist(), found.names
        ([0, 1, -1], ('ann', 'bob'))
        """
        if positives.classes is None:
            raise InputError(
                "Identities are looked at in labelled data, and these are anchors with positives.",
                remedy="Give a table or folders that say of each item who or what it is.",
            )
        all_codes, items = positives.classes.of_items("identities"), positives.items
        sessions = None
        if session is not None:
            column = column_of(items, session, "items")
            found = coded(column, values_of(column))
            if not isinstance(found, np.ndarray):
                raise InputError(f"Some items have several values in '{session}'.", remedy="Give each one session.")
            sessions = found
        inside = ~positives.barred
        return cls(
            check_vectors(vectors, "item", rows=len(items)), items.ids, np.where(inside, all_codes, -1),
            positives.classes.names, sessions, _leaked(positives, all_codes, session),
        )  # fmt: skip


def _leaked(positives: Positives, codes: IntArray, session: str | None) -> tuple[str, ...]:
    """Identities and sessions on both sides of a split, in words."""
    if positives.classes is None or not positives.barred.any():
        return ()
    names = np.array([*positives.classes.names, ""], dtype=object)
    groups = {"identity": names[codes]}
    if session is not None:
        groups["session"] = np.array(positives.items.table.column(session).to_pylist(), dtype=object)
    apart = positives.barred & (codes >= 0)
    found = leaks(~positives.barred & (codes >= 0), apart, groups)
    told = []
    for group in groups:
        both = [one.value for one in found if one.group == group]
        if both:
            told.append(
                f"{len(both):,} of the {'identities' if group == 'identity' else 'sessions'} looked at are also among "
                f"the examples set apart ({', '.join(both[:3])}{' …' if len(both) > 3 else ''})"
            )
    return tuple(told)
