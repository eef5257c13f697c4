"""Who is positive and who negative for whom in a batch, asked for some anchors at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hardneg.errors import InputError
from hardneg.table import Relation

__all__ = ["Masks", "Relations", "relations_of"]


class Masks(NamedTuple):
    """For some anchors, in rows, which references are positive and which negative; both bool, shape ``(b, M)``."""

    positive: Tensor
    negative: Tensor


Rule = Callable[[slice], Masks]
_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, eq=False)
class Relations:
    """Anchors in rows, references in columns. What is neither positive nor negative is unknown, and never mined.

    Make one with :func:`relations_of`, ``Relations.from_pairs`` or ``Relations.from_relevance``. Nothing of shape
    ``(B, M)`` is kept: :meth:`masks` works out the rows that are asked for.

    Args:
        shape: how many anchors and how many references there are, ``(B, M)``.
        device: where the masks are made.
        rule: the masks of some rows, before ``own`` and ``groups``.
        negatives: what a filter is told of a negative: it has another label (``OTHERWISE``), somebody has judged it
            (``NEGATIVE``), or nobody has (``UNKNOWN``).
        own: the place of each anchor among the references, -1 for none, shape ``(B,)``; None where no anchor is there.
        groups: the groups of anchors and of references; the same group is neither, a group below 0 is none.
        shared: which references, in some rows, are positive for an anchor that shares a positive with this one.
    """

    shape: tuple[int, int]
    device: Any
    rule: Rule
    negatives: Relation = Relation.OTHERWISE
    own: Tensor | None = None
    groups: tuple[Tensor, Tensor] | None = None
    shared: Callable[[slice], Tensor] | None = None

    @classmethod
    def from_pairs(cls, anchors: int, refs: int | None = None, *, start: int = 0, device: Any = "cpu") -> Relations:
        """Anchor ``i`` belongs to reference ``start + i``; all other references are taken for negatives.

        As for pairs of texts: more references than anchors are negatives mined before, or those of other processes.

        >>> Relations.from_pairs(2, 3).masks().positive.int().tolist()
        [[1, 0, 0], [0, 1, 0]]
        """
        refs = anchors if refs is None else refs
        if not 0 <= start <= start + anchors <= refs:
            raise InputError(f"{anchors} anchors from place {start} on need as many references. Got {refs}.")
        columns, rows = torch.arange(refs, device=device), torch.arange(start, start + anchors, device=device)

        def rule(which: slice) -> Masks:
            positive = rows[which, None] == columns
            return Masks(positive, ~positive)

        return cls((anchors, refs), torch.device(device), rule, Relation.UNKNOWN)

    @classmethod
    def from_relevance(cls, relevance: Tensor, *, own: Tensor | None = None) -> Relations:
        """A relation for every pair, shape ``(B, M)``: above 0 positive, below 0 negative, 0 and NaN unknown.

        A negative is one that somebody has judged: filters never suspect it. Of a bool matrix all that is False is
        taken for negative, though nobody has judged it. ``own`` is as in the class; without it nobody is left out as
        the anchor itself.

        >>> Relations.from_relevance(torch.tensor([[1, 0, -1]])).masks().negative.int().tolist()
        [[0, 0, 1]]
        """
        if relevance.ndim != 2:
            raise InputError(f"The relevance must have shape (B, M). Got {tuple(relevance.shape)}.")

        shape, device = tuple(relevance.shape), relevance.device
        if relevance.dtype != torch.bool:
            return cls(
                shape, device, lambda rows: Masks(relevance[rows] > 0, relevance[rows] < 0), Relation.NEGATIVE, own
            )

        def shared(rows: slice) -> Tensor:
            all_of = relevance.float()
            with torch.autocast(device.type, enabled=False):
                alike = (all_of[rows] @ all_of.T > 0).float()
                return alike @ all_of > 0

        return cls(
            shape, device, lambda rows: Masks(relevance[rows], ~relevance[rows]), Relation.UNKNOWN, own, shared=shared
        )

    def masks(self, rows: slice = slice(None)) -> Masks:
        """Who is positive and who negative for these anchors; the anchor itself is neither."""
        positive, negative = self.rule(rows)
        if self.own is not None:
            other = ~self._self(rows)
            positive, negative = positive & other, negative & other
        if self.groups is not None:
            apart = ~self._grouped(rows)
            positive, negative = positive & apart, negative & apart
        return Masks(positive, negative)

    def codes(self, rows: slice = slice(None)) -> Tensor:
        """The same as :class:`hardneg.table.Relation` codes, as filters read them; uint8, shape ``(b, M)``."""
        positive, negative = self.rule(rows)
        out = torch.full(positive.shape, int(Relation.UNKNOWN), dtype=torch.uint8, device=self.device)
        out[negative] = int(self.negatives)
        if self.shared is not None:
            out[self.shared(rows) & negative] = int(Relation.SHARED)
        if self.groups is not None:
            out[self._grouped(rows)] = int(Relation.IGNORED)
        out[positive if self.groups is None else positive & ~self._grouped(rows)] = int(Relation.POSITIVE)
        if self.own is not None:
            out[self._self(rows)] = int(Relation.SELF)
        return out

    def having(self, groups: Tensor, ref_groups: Tensor | None = None) -> Relations:
        """The same, but who shares a group is neither positive nor negative (frames of one film, say).

        >>> relations_of([0, 1, 1]).having(torch.tensor([5, 5, 6])).masks().negative.int().tolist()
        [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
        """
        both = (groups, groups if ref_groups is None else ref_groups)
        if (len(both[0]), len(both[1])) != self.shape:
            raise InputError(f"There must be a group for each of {self.shape}. Got {len(both[0])}, {len(both[1])}.")
        return replace(self, groups=both)

    def without(self, suspects: Callable[[slice], Tensor]) -> Relations:
        """The same, but these pairs are no negatives; ``suspects`` gives a mask of some rows, shape ``(b, M)``."""

        def rule(rows: slice) -> Masks:
            positive, negative = self.rule(rows)
            return Masks(positive, negative & ~suspects(rows))

        return replace(self, rule=rule)

    def in_order(self, order: Tensor) -> Relations:
        """The same with the references in another order: column ``i`` is what column ``order[i]`` was.

        >>> relations_of([0, 1, 0]).in_order(torch.tensor([2, 0, 1])).masks().positive.int().tolist()
        [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
        """

        def moved(function: Callable[[slice], Tensor]) -> Callable[[slice], Tensor]:
            return lambda rows: function(rows)[:, order]

        place, own = torch.empty_like(order), self.own
        place[order] = torch.arange(len(order), device=order.device)
        return replace(
            self, rule=lambda rows: Masks(*(one[:, order] for one in self.rule(rows))),
            own=None if own is None else torch.where(own < 0, -1, place[own]),
            groups=None if self.groups is None else (self.groups[0], self.groups[1][order]),
            shared=None if self.shared is None else moved(self.shared),
        )  # fmt: skip

    def to(self, device: Any) -> Relations:
        """The same on another device; labels given as lists are on the processor at first."""
        device = torch.device(device)
        if device == self.device:
            return self

        def moved(function: Callable[[slice], Tensor]) -> Callable[[slice], Tensor]:
            return lambda rows: function(rows).to(device)

        return replace(
            self, device=device, rule=lambda rows: Masks(*(one.to(device) for one in self.rule(rows))),
            own=None if self.own is None else self.own.to(device),
            groups=None if self.groups is None else (self.groups[0].to(device), self.groups[1].to(device)),
            shared=None if self.shared is None else moved(self.shared),
        )  # fmt: skip

    def _self(self, rows: slice) -> Tensor:
        return _column(self.own, rows) == torch.arange(self.shape[1], device=self.device)

    def _grouped(self, rows: slice) -> Tensor:
        mine, theirs = self.groups or (None, None)
        some = _column(mine, rows)
        return (some == theirs) & (some >= 0)


def relations_of(labels: Any, ref_labels: Any = None, *, own: Tensor | None = None) -> Relations:
    """Relations from labels: who shares one is positive, who shares none is negative, who has none is unknown.

    Args:
        labels: of the anchors: whole numbers of shape ``(B,)``, below 0 for none; a list of names, None for none;
            several each as ones and zeros of shape ``(B, C)``, or as a list of lists; or :class:`Relations`, which
            come back as they are.
        ref_labels: of the references, in the same form. Not given, the batch is compared with itself, and nobody
            with themselves.
        own: where each anchor stands among the references given, -1 for nowhere, shape ``(B,)``; as for a memory
            that the batch has joined already.

    Raises:
        InputError: labels of another form, or of two forms.

    >>> masks = relations_of(torch.tensor([0, 0, 1, -1])).masks()
    >>> masks.positive.int().tolist()[0], masks.negative.int().tolist()[0]
    ([0, 1, 0, 0], [0, 0, 1, 0])
    >>> relations_of([[0, 1], [1], [2]]).masks().positive.int().tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    if isinstance(labels, Relations):
        if ref_labels is not None:
            raise InputError("Relations hold both sides already.", remedy="Leave 'ref_labels' out.")
        return labels
    mine, theirs = _of_one_form(labels, ref_labels)
    if ref_labels is None:
        own = torch.arange(len(mine), device=mine.device)
    elif own is not None and own.shape != mine.shape[:1]:
        raise InputError(f"There must be a place in 'own' for each of {len(mine)} anchors. Got {tuple(own.shape)}.")
    rule = _shared(mine, theirs) if mine.ndim == 2 else _equal(mine, theirs)
    return Relations((len(mine), len(theirs)), mine.device, rule, Relation.OTHERWISE, own)


def _equal(mine: Tensor, theirs: Tensor) -> Rule:
    labelled = theirs >= 0

    def rule(rows: slice) -> Masks:
        some = _column(mine, rows)
        same, known = some == theirs, (some >= 0) & labelled
        return Masks(same & known, ~same & known)

    return rule


def _shared(mine: Tensor, theirs: Tensor) -> Rule:
    left, right = mine.float(), theirs.float().T
    labelled = theirs.any(1)

    def rule(rows: slice) -> Masks:
        with torch.autocast(left.device.type, enabled=False):
            share = left[rows] @ right > 0
        return Masks(share, ~share & left[rows].any(1)[:, None] & labelled)

    return rule


def _of_one_form(labels: Any, ref_labels: Any) -> tuple[Tensor, Tensor]:
    """Labels of both sides as tensors, of shape ``(n,)`` or as bool of shape ``(n, C)``."""
    if ref_labels is None:
        ref_labels = labels
    for kind, numbered in ((_LISTS, _multi_hot), (str, _numbers)):
        if _lists(kind, labels) or _lists(kind, ref_labels):
            if not (isinstance(labels, Sequence) and isinstance(ref_labels, Sequence)):
                raise InputError("The labels of both sides must be of one form.", remedy="Give lists of both.")
            return numbered(labels, ref_labels)
    mine, theirs = torch.as_tensor(labels), torch.as_tensor(ref_labels)
    if mine.ndim not in (1, 2) or mine.shape[1:] != theirs.shape[1:] or mine.is_floating_point() > (mine.ndim == 2):
        raise InputError(
            f"Labels must be whole numbers of shape (B,), or ones and zeros of shape (B, C), of both sides. Got "
            f"{mine.dtype} of shape {tuple(mine.shape)} and {theirs.dtype} of shape {tuple(theirs.shape)}.",
            remedy="Wrap a matrix of all pairs in Relations.from_relevance.",
        )
    return (mine, theirs.to(mine.device)) if mine.ndim == 1 else (mine != 0, theirs.to(mine.device) != 0)


def _lists(kind: Any, labels: Any) -> bool:
    return isinstance(labels, Sequence) and any(isinstance(one, kind) for one in labels)


def _numbers(*sides: Sequence[str | None]) -> tuple[Tensor, ...]:
    names = {
        name: at for at, name in enumerate(dict.fromkeys(one for some in sides for one in some if one is not None))
    }
    return tuple(torch.tensor([-1 if one is None else names[one] for one in some]) for some in sides)


def _multi_hot(*sides: Sequence[Sequence[object]]) -> tuple[Tensor, ...]:
    names = {name: at for at, name in enumerate(dict.fromkeys(one for some in sides for row in some for one in row))}
    out = tuple(torch.zeros(len(some), len(names), dtype=torch.bool) for some in sides)
    for hot, some in zip(out, sides, strict=True):
        for row, labels in enumerate(some):
            hot[row, [names[one] for one in labels]] = True
    return out


def _column(values: Tensor, rows: slice) -> Tensor:
    return values[rows].unsqueeze(1)
