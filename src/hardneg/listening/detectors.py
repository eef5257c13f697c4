"""A detector of the user's: any Python function from windows of sound to scores, called with care."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._callables import Called, as_array
from hardneg.errors import HardnegError, InputError
from hardneg.notation import require
from hardneg.sounds import RATE, Wave
from hardneg.storage import digest

__all__ = ["Detector", "Scored"]

Scored = NDArray[np.float32]


@dataclass(frozen=True)
class Detector(Called):
    """Calls ``function(windows)`` with an array of shape ``(n, samples)``, float32, one channel of ``rate``.

    It returns a score for each window, shape ``(n,)``, or one for each of several keywords, shape ``(n, keywords)``:
    lists, an array or a tensor. Every window has the same length; where the sound ends before, silence follows. Each
    is scored by itself, so a model that remembers (a streaming one) must forget at the beginning of each window.

    Args:
        keywords: what the scores are of, in the order of the columns.
        rate: samples a second that the function gets, whatever the recordings have.
        version: changes whenever the function or its model does, so that no work goes on with other scores.

    >>> loudest = Detector(call=lambda windows: abs(windows).max(axis=1), keywords=("noise",))
    >>> loudest.scores(np.array([[0.0, 0.5], [0.0, 0.25]], np.float32)).tolist()
    [[0.5], [0.25]]
    """

    keywords: tuple[str, ...] = ("keyword",)
    rate: int = field(default=RATE, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.rate > 0, "rate", "samples a second, above 0", self.rate)
        require(
            len(set(self.keywords)) == len(self.keywords) > 0 and all(self.keywords),
            "keywords", "one name or several different ones", ", ".join(self.keywords) or "none",
        )  # fmt: skip

    def load(self) -> None:
        """Find the function now rather than after other work. Raises OptionError where there is none."""
        _ = self._function

    def facts(self) -> list[object]:
        """What decides a score, as far as it can be known from outside: of a function in a file the file's content."""
        file = Path(self.target.rpartition(":")[0])
        content = digest(file) if file.suffix == ".py" and file.is_file() else None
        return [self.target, content, self.version, self.rate]

    def scores(self, windows: Wave, where: str = "") -> Scored:
        """Scores of shape ``(n, keywords)``.

        Raises InputError, saying ``where``, for a function that fails or does not return one finite number for each
        window and keyword.
        """
        who = f"The detector '{self.target}'"
        try:
            answer: Any = self._function(windows)
        except HardnegError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise InputError(f"{who} failed{where} ({what}). It got an array of shape {windows.shape}.") from error
        found = as_array(answer, who)
        found = found[:, None] if found.ndim == 1 else found
        n, k = len(windows), len(self.keywords)
        if found.shape != (n, k):
            got = np.shape(answer)
            remedy = (
                "Name one keyword for each score: --keyword yes --keyword no."
                if found.ndim == 2 and len(found) == n
                else None
            )
            wanted = f"({n},)" if k == 1 else f"({n}, {k})"
            told = f"{who} must return scores of shape {wanted} for {n} windows and {_named(self.keywords)}. Got {got}."
            raise InputError(told, remedy=remedy)
        if not np.isfinite(found).all():
            row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise InputError(
                f"{who} returned a score that is no finite number{where}: {found[row].tolist()} for row {row}.",
                remedy="Often a window of silence was divided by its loudness.",
            )
        return np.ascontiguousarray(found, np.float32)


def _named(keywords: Sequence[str]) -> str:
    return f"the keyword '{keywords[0]}'" if len(keywords) == 1 else f"{len(keywords)} keywords"
