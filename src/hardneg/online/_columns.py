"""The columns that filters read, for some anchors of a batch and all references; each is worked out when first read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hardneg.errors import OptionError
from hardneg.online._distances import products
from hardneg.online._stored import StoredPairs
from hardneg.online.miners._positives import listed
from hardneg.online.relations import Relations
from hardneg.table import Array, Relation

__all__ = ["BlockColumns", "Sides"]

_REFERENCES = ("min", "max", "mean")
_OPEN = (Relation.UNKNOWN, Relation.SHARED, Relation.OTHERWISE)  # candidates that nobody has judged as a pair


@dataclass(frozen=True, eq=False)
class Sides:
    """A batch and its references as filters see them.

    Args:
        left, right: vectors of length 1, shape ``(B, D)`` and ``(M, D)``.
        relation: who is positive for whom.
        guide: the same of the guide; None without one.
        contents: a number for what each anchor and each reference holds, -1 for unknown; None where nothing is known.
        reviewed: rows, columns and relations that somebody has judged.
        given: more columns, of a shape that fits ``(B, M)``.
        stored: what a run says of some pairs; NaN is the evidence of all others.
    """

    left: Tensor
    right: Tensor
    relation: Relations
    guide: tuple[Tensor, Tensor] | None = None
    contents: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    reviewed: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    stored: StoredPairs | None = None

    @cached_property
    def nearest_anchors(self) -> dict[int, Array]:
        """For some numbers, of each reference the anchors nearest to it, nearest first, shape ``(M, k)``."""
        return {}

    def anchors_near(self, k: int) -> Array:
        """The ``k`` anchors nearest to each reference; of equal ones the first."""
        if k not in self.nearest_anchors:
            best = self.left.new_full((len(self.right), 0), 0.0)
            columns = torch.zeros(best.shape, dtype=torch.int64, device=best.device)
            for start in range(0, len(self.left), 256):
                rows = slice(start, min(start + 256, len(self.left)))
                fresh = torch.arange(rows.start, rows.stop, device=best.device).expand(len(self.right), -1)
                best = torch.cat([best, products(self.left, self.right, rows).T], 1)
                best, order = best.sort(dim=1, descending=True, stable=True)
                columns = torch.cat([columns, fresh], 1).gather(1, order)[:, :k]
                best = best[:, :k]
            self.nearest_anchors[k] = columns.cpu().numpy()
        return self.nearest_anchors[k]


class BlockColumns(Mapping[str, Array]):
    """Columns by name, each of shape ``(b, M)``: those that every candidate has offline, and evidence.

    Raises OptionError for evidence that a training step does not have.
    """

    def __init__(self, sides: Sides, rows: slice) -> None:
        self._sides, self._rows = sides, rows
        self.shape = (rows.stop - rows.start, sides.relation.shape[1])
        self._known: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            if name in self._sides.given:
                value = _as_array(self._sides.given[name])
                whole = np.broadcast_to(value, self._sides.relation.shape)
                self._known[name] = whole[self._rows]
            else:
                found = np.asarray(self._made(name))
                self._known[name] = np.broadcast_to(found, self.shape)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._simple, *self._sides.given])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        return name in list(iter(self))

    @cached_property
    def _simple(self) -> dict[str, Callable[[], Array]]:
        return {
            "score": lambda: self._score.cpu().numpy(),
            "rank": self._rank,
            "relation": lambda: self._codes,
            "positive_similarity": self._nearest_positive,
            "copy_of": self._copies,
            **{f"positive_{one}": partial(self._reference, self._score, one) for one in _REFERENCES},
        }

    def _made(self, name: str) -> Array:
        if name in self._simple:
            return self._simple[name]()
        part, colon, rest = name.partition(":")
        if part == "reciprocal_rank":
            return self._reciprocal(int(rest))
        if colon and part.startswith("second") and self._sides.guide is not None:
            score = products(*self._sides.guide, self._rows)
            return score.cpu().numpy() if part == "second" else self._reference(score, part.removeprefix("second_"))
        if self._sides.stored is not None and name in self._sides.stored.values:
            return self._of_run(self._sides.stored, name)
        raise OptionError(
            f"A filter reads '{name}', which a training step does not have. Pass it as 'evidence', of a shape that "
            f"fits {self._sides.relation.shape}, or the guide's vectors for what a second encoder says, or the run "
            "that has it, as 'run' of the guard."
        )

    def _of_run(self, stored: StoredPairs, name: str) -> Array:
        out = np.full(self.shape, np.nan, np.float32)
        here = (stored.rows >= self._rows.start) & (stored.rows < self._rows.stop)
        out[stored.rows[here] - self._rows.start, stored.columns[here]] = stored.values[name][here]
        return out

    @cached_property
    def _score(self) -> Tensor:
        return products(self._sides.left, self._sides.right, self._rows)

    @cached_property
    def _positive(self) -> Tensor:
        return self._sides.relation.codes(self._rows) == int(Relation.POSITIVE)

    @cached_property
    def _codes(self) -> NDArray[np.uint8]:
        codes = self._sides.relation.codes(self._rows).cpu().numpy()
        if (stored := self._sides.stored) is not None:
            # A batch's labels often stand in for the pairs of a run; whether two are labelled otherwise the run knows.
            here = (stored.rows >= self._rows.start) & (stored.rows < self._rows.stop)
            at = stored.rows[here] - self._rows.start, stored.columns[here]
            codes[at] = np.where(np.isin(codes[at], _OPEN), stored.relation[here], codes[at])
        if self._sides.reviewed is not None:
            rows, columns, relations = self._sides.reviewed
            here = (rows >= self._rows.start) & (rows < self._rows.stop)
            at = rows[here] - self._rows.start, columns[here]
            codes[at] = np.where(codes[at] == Relation.SELF, codes[at], relations[here])
        return np.asarray(codes, np.uint8)

    def _reference(self, score: Tensor, which: str) -> Array:
        """The lowest, highest or mean score of each anchor's positives, NaN without one, shape ``(b, 1)``."""
        positive, many = self._positive, self._positive.sum(1)
        if which == "mean":
            found = torch.where(positive, score.double(), 0.0).sum(1) / many
        elif which == "min":
            found = torch.where(positive, score, torch.inf).amin(1)
        else:
            found = torch.where(positive, score, -torch.inf).amax(1)
        return np.asarray(torch.where(many > 0, found, torch.nan).float()[:, None].cpu().numpy())

    def _rank(self) -> Array:
        """Places by score, of equal ones the first reference; who shares a label or a group counts nowhere."""
        codes, score = self._sides.relation.codes(self._rows), self._score
        aside = codes == int(Relation.IGNORED)
        if self._sides.relation.negatives == Relation.OTHERWISE:
            aside |= (codes == int(Relation.POSITIVE)) | (codes == int(Relation.SELF))
        order = torch.sort(torch.where(aside, -torch.inf, score), dim=1, descending=True, stable=True).indices
        place = torch.arange(score.shape[1], dtype=torch.int32, device=score.device).expand(score.shape)
        return np.asarray(torch.empty_like(place.contiguous()).scatter_(1, order, place).cpu().numpy())

    def _nearest_positive(self) -> Array:
        """The highest similarity of each reference to a positive of the anchor, -inf without one."""
        columns, there = listed(self._positive)
        used, at = torch.unique(columns[there], return_inverse=True)
        out = torch.full(self._positive.shape, -torch.inf, dtype=self._score.dtype, device=self._score.device)
        place = torch.zeros_like(columns)
        place[there] = at
        alike = self._sides.right[used] @ self._sides.right.T
        for one in range(columns.shape[1]):
            some = there[:, one]
            out[some] = torch.maximum(out[some], alike[place[some, one]])
        return np.asarray(out.cpu().numpy())

    def _reciprocal(self, k: int) -> Array:
        """The place of the anchor among the ``k`` nearest anchors of each reference, -1 where it is not there."""
        near, out = self._sides.anchors_near(k), np.full(self.shape, -1, np.int32)
        columns, place = np.nonzero((near >= self._rows.start) & (near < self._rows.stop))
        out[near[columns, place] - self._rows.start, columns] = place
        return out

    def _copies(self) -> Array:
        """0 nothing, 1 a copy of the anchor, 2 of a positive, 3 of a harder candidate; as in ``duplicates``."""
        out = np.zeros(self.shape, np.uint8)
        if self._sides.contents is None:
            return out
        mine, theirs = self._sides.contents[0][self._rows], self._sides.contents[1]
        codes, counts = np.unique(theirs[theirs >= 0], return_counts=True)
        columns = np.flatnonzero(np.isin(theirs, codes[counts > 1]))
        candidates = self._sides.relation.masks(self._rows).negative.cpu().numpy()
        positive = self._positive.cpu().numpy()
        for row in range(len(out)):
            some = columns[candidates[row, columns]]
            hardest = some[np.argsort(-self["score"][row, some], kind="stable")]
            first = np.unique(theirs[hardest], return_index=True)[1]
            out[row, np.delete(hardest, first)] = 3
            said = theirs[positive[row]]
            out[row, np.isin(theirs, said[said >= 0])] = 2
        out[(mine[:, None] == theirs) & (mine[:, None] >= 0)] = 1
        return out


def _as_array(value: Any) -> Array:
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
