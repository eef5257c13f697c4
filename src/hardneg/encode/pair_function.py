"""Any Python function as a judge of pairs, so also a language model behind an API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardneg.encode._callables import Called, as_array
from hardneg.encode._identity import fingerprint
from hardneg.encode._rescorer import Rescorer
from hardneg.encode.scores import Pair
from hardneg.errors import InputError
from hardneg.similarity import FloatArray

__all__ = ["PairFunction"]


@dataclass(frozen=True)
class PairFunction(Called, Rescorer):
    """Calls ``function(pairs)`` with a list of at most ``batch_size`` (anchor, item) texts; it returns their scores.

    Name it as ``module:function`` or ``file.py:function``, or give it as ``call``. Its scores are cached only under
    a ``version``, which you change whenever the function or the model behind it changes.

    >>> judge = PairFunction(call=lambda pairs: [float(anchor in item) for anchor, item in pairs])
    >>> judge.score([("fox", "a red fox"), ("fox", "a hen")]).tolist()
    [1.0, 0.0]
    """

    @property
    def identity(self) -> str:
        """A hash of the target and the version; empty without a version."""
        return fingerprint("pair function", self.target, self.version) if self.version else ""

    def score(self, pairs: Sequence[Pair]) -> FloatArray:
        """Scores of shape ``(len(pairs),)``, float32.

        Raises InputError where the function does not return one number for each pair.
        """
        batches = [list(pairs[at : at + self.batch_size]) for at in range(0, len(pairs), self.batch_size)]
        return np.concatenate([np.zeros(0, np.float32), *(self._batch(batch) for batch in batches)])

    def _batch(self, pairs: list[Pair]) -> FloatArray:
        who = f"The function '{self.target}'"
        scores = as_array(self._function(pairs), who).reshape(-1)
        if len(scores) != len(pairs):
            raise InputError(f"{who} must return {len(pairs)} numbers for {len(pairs)} pairs. Got {len(scores)}.")
        return np.asarray(scores, np.float32)
