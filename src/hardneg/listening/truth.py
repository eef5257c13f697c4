"""Where the keywords truly are, in recordings whose every occurrence is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError

__all__ = ["Occurrence", "Truth"]


@dataclass(frozen=True)
class Occurrence:
    """A keyword, or another word, in a recording, from ``start`` to ``end`` in seconds."""

    keyword: str
    start: float
    end: float


@dataclass(frozen=True)
class Truth:
    """The occurrences in each recording that is known through and through; of the others nothing is known.

    >>> truth = Truth({"a.wav": [Occurrence("yes", 1.0, 1.5)], "b.wav": []})
    >>> truth.knows("b.wav"), truth.knows("c.wav"), truth.spans("a.wav", "yes").tolist()
    (True, False, [[1.0, 1.5]])
    """

    of: Mapping[str, Sequence[Occurrence]] = field(default_factory=dict)

    def knows(self, recording: str) -> bool:
        """Whether all that is in a recording is known."""
        return recording in self.of

    def spans(self, recording: str, keyword: str) -> NDArray[np.float64]:
        """The times of a keyword, shape ``(n, 2)``, in their order."""
        found = sorted((one.start, one.end) for one in self.of.get(recording, ()) if one.keyword == keyword)
        return np.array(found, np.float64).reshape(-1, 2)

    def said(self, recording: str) -> tuple[list[str], NDArray[np.float64]]:
        """All that is known to be in a recording, keywords and other words: labels, and times of shape ``(n, 2)``."""
        found = self.of.get(recording, ())
        times = np.array([(one.start, one.end) for one in found], np.float64).reshape(-1, 2)
        return [one.keyword for one in found], times

    def check(self, lengths: Mapping[str, float], keywords: Iterable[str]) -> None:
        """Raise InputError where nothing fits: no recording, no keyword, times that are not in the recording."""
        if self.of and not set(self.of) & set(lengths):
            raise InputError(
                f"The known occurrences are in other recordings (first: '{next(iter(self.of))}').",
                remedy=f"Name them as '{next(iter(lengths), '')}' is: relative to the folder of all media.",
            )
        labels = {one.keyword for found in self.of.values() for one in found}
        if labels and not labels & set(keywords):
            raise InputError(
                f"No known occurrence is one of: {', '.join(keywords)}. They are: {', '.join(sorted(labels)[:5])}.",
                remedy="Name the keyword as it is labelled: --keyword NAME.",
            )
        for name, found in self.of.items():
            for one in found if name in lengths else ():
                if not 0 <= one.start < min(one.end, lengths[name]):
                    raise InputError(
                        f"'{one.keyword}' from {one.start:g} to {one.end:g} s is not within '{name}', which has "
                        f"{lengths[name]:g} s.",
                        remedy="Times are in seconds, the end after the start.",
                    )
