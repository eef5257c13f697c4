"""Names that may be one person kept from being mined against one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hardneg.errors import InputError
from hardneg.positives import Positives
from hardneg.ragged import Ragged

__all__ = ["same_names"]


def same_names(positives: Positives, pairs: Iterable[tuple[str, str]]) -> Positives:
    """The same relations, where the items of two names that may be one person are ignored for one another.

    So they are neither negatives nor positives. Each pair stands for itself: of names ``a, b`` and ``b, c`` the first
    and the last may still be mined against one another, unless they are a pair as well.

    Raises InputError for a name that is not there, or without labels.

    >>> import pyarrow as pa
    >>> from hardneg.collection import Collection
    >>> items = Collection(pa.table({"id": ["a", "b", "c"], "label": ["ann", "bob", "anna"]}))
    >>> same_names(Positives.from_labels(items), [("ann", "anna")]).ignored[0].tolist()
    [2]
    """
    classes = positives.classes
    if classes is None:
        raise InputError("There are no labels, so no two of them can be one.", remedy="Read labelled data.")
    place = {name: code for code, name in enumerate(classes.names)}
    joined = [(str(one), str(other)) for one, other in pairs]
    if unknown := sorted({name for pair in joined for name in pair} - place.keys()):
        raise InputError(
            f"{len(unknown)} of the names that may be one are not in the data (first: '{unknown[0]}').",
            remedy="Leave these pairs out.",
        )
    codes = np.array([(place[one], place[other]) for one, other in joined], np.int64).reshape(-1, 2)
    both = np.concatenate([codes, codes[:, ::-1]])
    partners = Ragged.from_pairs(both[:, 0], both[:, 1], len(classes.names))
    members = Ragged.from_codes(classes.items).inverted(len(classes.names))
    anchors = Ragged.from_codes(classes.anchors)
    theirs = _through(_through(anchors, partners), members)
    fresh = ~classes.share(theirs.rows(), theirs.values)
    ignored = Ragged.from_pairs(theirs.rows()[fresh], theirs.values[fresh], len(positives.anchors))
    return replace(positives, ignored=positives.ignored.merged(ignored))


def _through(first: Ragged, second: Ragged) -> Ragged:
    """For each row of the first all that its values have in the second."""
    found = second.take(first.values)
    return Ragged.from_pairs(np.repeat(first.rows(), found.lengths()), found.values, len(first))
