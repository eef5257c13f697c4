"""The filters of a mining, applied in the training step to what a miner may choose."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hardneg.errors import InputError
from hardneg.filters import FILTERS, Duplicates, Filter, Known, judge_all
from hardneg.notation import require
from hardneg.online._chunks import chunks
from hardneg.online._columns import BlockColumns, Sides
from hardneg.online._distances import check_finite, ready
from hardneg.online._stored import Stored, StoredPairs
from hardneg.online.miners import Indices, Miner, make_miner
from hardneg.online.miners._base import matched
from hardneg.online.relations import Relations, relations_of
from hardneg.online.thermostat import Thermostat
from hardneg.run import RELATIONS, Run
from hardneg.table import Relation, Verdict

__all__ = ["About", "Guard", "Guarded", "Judged", "class_means"]

Reviewed = Iterable[tuple[object, object, str]]


@dataclass(frozen=True, eq=False)
class About:
    """What is known of a batch, or of its references, beside vectors and labels; one for each row.

    Args:
        ids: what reviewed pairs name.
        guide: the guide's vectors, shape ``(n, any)``.
        contents: what each holds, as a text or a number such as a hash; None for unknown.
    """

    ids: Sequence[object] | Tensor | None = None
    guide: Tensor | None = None
    contents: Sequence[object] | Tensor | None = None


def class_means(embeddings: Tensor, labels: Any) -> Tensor:
    """For each row the mean of it and its positives in the batch, of vectors of length 1, without gradient, ``(B, D)``.

    As the guide of the anchors, beside the vectors themselves as that of the references, it asks how like an item is to
    a whole class rather than to one member: what is of the class under another label stands out, where members alone
    are too unlike one another to tell::

        guard = Guard(guide=0.35)
        guard.judge(x, labels, about=About(guide=class_means(x, labels)), ref_about=About(guide=x))

    >>> class_means(torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0, 1])).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]]
    """
    unit, relation = ready(embeddings, unit=True), relations_of(labels)
    out = torch.empty_like(unit)
    for rows in chunks(*relation.shape, 32):
        member = relation.masks(rows).positive.to(unit.dtype)
        with torch.autocast(unit.device.type, enabled=False):
            out[rows] = (member @ unit + unit[rows]) / (member.sum(1, keepdim=True) + 1)
    return out


class Guard:
    """Says which negatives of a batch are none to train on, by the same predicates as a mining's filters.

    A filter reads columns of shape ``(b, M)``: ``score`` (cosine), ``rank``, ``relation``, ``positive_min``, ``_max``
    and ``_mean``, ``positive_similarity`` among the batch's own positives, and evidence. The batch takes the place of
    the collection: a rank is a rank among these references. The guide's vectors serve ``agreement(encoder=...)``,
    contents serve ``duplicates``. Evidence of other filters can be passed to :meth:`judge`. Predicates run on the
    processor; from a graphics card the columns that they read are copied there.

    Args:
        filters: steps or their text, in order. ``known`` and ``duplicates`` come first even where not named.
        guide: the margin of the guide: suspect what the guide ranks above the positive less this share of it, as in
            GISTEmbed (Solatorio 2024, arXiv 2402.16829). The same as the filter ``agreement(encoder=guide,
            margin=...)``. None for no guide.
        reviewed: pairs that somebody has judged, by id: ``(anchor, item, relation)``, where the relation is positive,
            negative or ignored. Where a batch is compared with itself they hold both ways. A reviewed negative is
            never suspect.
        run: a finished run, or its folder: what its own evidence tells of pairs by id, as ``calibrated`` has learnt it,
            holds here whatever the vectors become. Filters judge it anew, so another rate may be asked. Of pairs that
            the run has no candidate for they say nothing. Where a batch is compared with itself it holds both ways.
        chunk_mib: memory for the columns, in MiB. It changes nothing else.

    >>> guard = Guard(["margin(relative=0.05)"])
    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.79, 0.61], [0.0, 1.0]])
    >>> judged = guard.judge(x, torch.tensor([0, 0, 1, 2]))
    >>> judged.relation.masks().negative[0].tolist(), judged.counts["margin.relative"]
    ([False, False, False, True], 2)
    """

    def __init__(
        self, filters: str | Filter | Iterable[str | Filter] = (), *, guide: float | None = None,
        reviewed: Reviewed = (), run: Run | str | Path | None = None, chunk_mib: int = 64,
    ) -> None:  # fmt: skip
        require(chunk_mib >= 1, "chunk_mib", "at least 1", chunk_mib)
        named = [filters] if isinstance(filters, (str, Filter)) else list(filters)
        named += [] if guide is None else [f"agreement(encoder=guide, margin={guide})"]
        judges = [FILTERS.make(one) for one in named]
        missing = [one for one in (Known(), Duplicates()) if not any(type(one) is type(other) for other in judges)]
        self.filters: tuple[Filter, ...] = (*missing, *judges)
        self.chunk_mib = chunk_mib
        self._reviewed = _by_anchor(reviewed)
        opened = Run.open(run) if isinstance(run, (str, Path)) else run
        self._stored = None if opened is None else Stored(opened, judges)

    def judge(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None, *,
        about: About | None = None, ref_about: About | None = None, evidence: Mapping[str, Any] | None = None,
    ) -> Judged:  # fmt: skip
        """Make the verdicts on a batch ready; they are worked out for the rows that are asked for.

        Args:
            embeddings: as of a miner.
            labels: as of a miner.
            ref_emb: as of a miner.
            ref_labels: as of a miner.
            about: of the batch.
            ref_about: of the references; that of the batch where it is compared with itself.
            evidence: columns that filters of other needs read, each of a shape that fits ``(B, M)``.

        Raises:
            InputError: NaN, infinity, or shapes that do not fit.
        """
        relation, refs, own = matched(embeddings, labels, ref_emb, ref_labels)
        left, right = (ready(one, unit=True) for one in (embeddings, refs))
        about = about or About()
        ref_about = (about if own else About()) if ref_about is None else ref_about
        sides = Sides(
            left, right, relation, _guides(about, ref_about, relation), _contents(about, ref_about, relation),
            self._pairs(about.ids, ref_about.ids, own=own), evidence or {},
            self._of_run(about.ids, ref_about.ids, own=own),
        )  # fmt: skip
        idle = sides.contents is None  # without contents plain 'duplicates' has nothing to compare
        return Judged(sides, tuple(one for one in self.filters if not (idle and one == Duplicates())), self.chunk_mib)

    def _of_run(self, ids: Any, ref_ids: Any, *, own: bool) -> StoredPairs | None:
        if self._stored is None:
            return None
        if ids is None or ref_ids is None:
            raise InputError("A run names pairs by id, and the batch has none.", remedy="Pass About(ids=...).")
        return self._stored.among(_plain(ids), _plain(ref_ids), both=own)

    def _pairs(self, ids: Any, ref_ids: Any, *, own: bool) -> Any:
        """Rows, columns and relations of the reviewed pairs that are here."""
        if not self._reviewed:
            return None
        if ids is None or ref_ids is None:
            raise InputError("Reviewed pairs are named by id, and the batch has none.", remedy="Pass About(ids=...).")
        places = defaultdict(list)
        for column, one in enumerate(_plain(ref_ids)):
            places[one].append(column)
        found = [
            (row, column, relation)
            for row, one in enumerate(_plain(ids))
            for item, relation in self._reviewed.get(one, {}).items()
            for column in places.get(item, ())
        ]
        both = [*found, *((column, row, relation) for row, column, relation in found if own)]
        rows, columns, relations = zip(*both, strict=True) if both else ((), (), ())
        return np.array(rows, np.int64), np.array(columns, np.int64), np.array(relations, np.uint8)


@dataclass(frozen=True, eq=False)
class Judged:
    """A batch with the verdicts of a guard."""

    sides: Sides
    filters: tuple[Filter, ...]
    chunk_mib: int
    _counted: dict[int, Counter[str]] = field(default_factory=dict)

    @property
    def relation(self) -> Relations:
        """The relations without what is dropped or suspect: what a miner may choose from."""
        return self.sides.relation.without(self.refused)

    def verdicts(self, rows: slice) -> tuple[NDArray[np.uint8], NDArray[np.int16], list[str]]:
        """Verdicts and reasons of some anchors, shape ``(b, M)``, and the names of the reasons, ``filter.rule``."""
        columns, reasons = judge_all(self.filters, BlockColumns(self.sides, rows))
        return columns["verdict"], columns["reason"], reasons

    def refused(self, rows: slice) -> Tensor:
        """Which pairs of some anchors are dropped or suspect, shape ``(b, M)``."""
        start, stop, _ = rows.indices(self.sides.relation.shape[0])
        out = torch.empty(stop - start, self.sides.relation.shape[1], dtype=torch.bool)
        for part in chunks(stop - start, out.shape[1], self.chunk_mib):
            some = slice(start + part.start, start + part.stop)
            verdict, reason, names = self.verdicts(some)
            candidates = self.sides.relation.masks(some).negative.cpu().numpy()
            many = np.bincount(reason[candidates], minlength=len(names)).tolist()
            self._counted[some.start] = Counter(
                {name or "kept": count for name, count in zip(names, many, strict=True)}
            )
            out[part] = torch.from_numpy(verdict != Verdict.KEEP)
        return out.to(self.sides.left.device)

    @property
    def counts(self) -> dict[str, int]:
        """How many candidate negatives each reason held back, and how many were kept, of all anchors."""
        for rows in chunks(*self.sides.relation.shape, self.chunk_mib):
            if rows.start not in self._counted:
                self.refused(rows)
        return dict(sum(self._counted.values(), Counter()))


class Guarded:
    """A miner that may not choose what a guard holds back.

    The guard acts before the choice, so that a hard miner takes the next in line. A miner of another package chooses
    first; what is held back is then taken out of what it chose, and nothing comes in its place.

    Args:
        miner: of this package, as a value or as text, a :class:`~hardneg.online.Thermostat` too; or any callable with
            the same convention.
        filters, guide, reviewed, run, chunk_mib: see :class:`Guard`.

    >>> x = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.79, 0.61], [0.0, 1.0]])
    >>> guarded = Guarded("batch_hard", filters=["margin(relative=0.05)"])
    >>> a, p, n = guarded(x, torch.tensor([0, 0, 1, 2]))
    >>> list(zip(a.tolist(), p.tolist(), n.tolist()))
    [(0, 1, 3), (1, 0, 3)]
    >>> guarded.counts
    {'kept': ..., 'margin.relative': ...}
    """

    def __init__(self, miner: Any, filters: str | Filter | Iterable[str | Filter] = (), **options: Any) -> None:
        self.miner = make_miner(miner) if isinstance(miner, str) else miner
        self.guard = Guard(filters, **options)
        self._latest: Judged | None = None

    def __call__(
        self, embeddings: Tensor, labels: Any, ref_emb: Tensor | None = None, ref_labels: Any = None, **known: Any
    ) -> Indices:
        """Mine a batch as :class:`Miner` does; ``about``, ``ref_about`` and ``evidence`` go to :meth:`Guard.judge`."""
        judged = self._judged(embeddings, labels, ref_emb, ref_labels, **known)
        if isinstance(self.miner, (Miner, Thermostat)):
            return self.miner(embeddings, judged.relation, ref_emb)
        return _kept(self.miner(embeddings, labels, ref_emb, ref_labels), judged)

    def sample(self, features: Tensor, labels: Any, **known: Any) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`Miner.sample`."""
        return self.miner.sample(features, self._judged(features, labels, None, None, **known).relation)

    @property
    def counts(self) -> dict[str, int]:
        """What became of the candidate negatives of the latest batch, by reason; empty before the first."""
        return {} if self._latest is None else self._latest.counts

    def _judged(self, *sides: Any, **known: Any) -> Judged:
        self._latest = None  # so that two batches are never held at once
        self._latest = self.guard.judge(*sides, **known)
        return self._latest


def _kept(found: Indices, judged: Judged) -> Indices:
    """Triplets or pairs without the negatives that are held back."""
    anchors, negatives = found[-2] if len(found) == 4 else found[0], found[-1]
    refused = torch.zeros(len(anchors), dtype=torch.bool, device=anchors.device)
    for rows in chunks(*judged.sides.relation.shape, judged.chunk_mib):
        here = (anchors >= rows.start) & (anchors < rows.stop)
        refused[here] = judged.refused(rows)[anchors[here] - rows.start, negatives[here]]
    if len(found) == 4:
        return found[0], found[1], anchors[~refused], negatives[~refused]
    return tuple(one[~refused] for one in found)


def _by_anchor(reviewed: Reviewed) -> dict[object, dict[object, Relation]]:
    out: dict[object, dict[object, Relation]] = defaultdict(dict)
    for anchor, item, relation in reviewed:
        require(relation in RELATIONS, "reviewed", f"a list of pairs, each {' or '.join(RELATIONS)}", relation)
        out[anchor][item] = Relation[relation.upper()]
    return dict(out)


def _plain(values: Any) -> list[object]:
    return values.tolist() if isinstance(values, (Tensor, np.ndarray)) else list(values)


def _guides(about: About, ref_about: About, relation: Relations) -> tuple[Tensor, Tensor] | None:
    if about.guide is None or ref_about.guide is None:
        return None
    for vectors, rows in zip((about.guide, ref_about.guide), relation.shape, strict=True):
        if len(vectors) != rows:
            raise InputError(f"There must be one vector of the guide for each of {rows} rows. Got {len(vectors)}.")
        check_finite(vectors, "guide's vectors")
    return ready(about.guide, unit=True), ready(ref_about.guide, unit=True)


def _contents(
    about: About, ref_about: About, relation: Relations
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    if about.contents is None and ref_about.contents is None:
        return None
    numbers: dict[object, int] = {}
    sides = []
    for given, rows in zip((about.contents, ref_about.contents), relation.shape, strict=True):
        said = [None] * rows if given is None else _plain(given)
        if len(said) != rows:
            raise InputError(f"There must be one content for each of {rows} rows. Got {len(said)}.")
        sides.append(np.array([-1 if one is None else numbers.setdefault(one, len(numbers)) for one in said], np.int64))
    return sides[0], sides[1]
