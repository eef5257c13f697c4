"""A run: the directory with everything that a mining produced.

    negatives.parquet        what was sampled
    candidates/*.parquet     every candidate, with verdict, reason and evidence
    positives.parquet        every known relation, with its similarity
    hidden.parquet           known positives as a filter judged them that hid them to learn; where there is one
    anchors.parquet          the anchors with their texts
    items.parquet            the items that the other tables name
    plane.parquet            where anchors and items lie on a plane, in the order of these tables; not in a large run
    manifest.json            steps, versions, seed, hashes, the ledger: the same for the same mining
    timings.json             seconds and memory: different each time

How one is made is told in :mod:`hardneg.writing`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg import schema
from hardneg.collection import Collection, one_dictionary
from hardneg.errors import RunError
from hardneg.notation import parse
from hardneg.positives import Positives
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.samplers import SAMPLERS, Chooser
from hardneg.similarity import FloatArray
from hardneg.storage import read_table, refuse_taken
from hardneg.table import (
    Array,
    Candidates,
    Grade,
    Relation,
    Rows,
    Verdict,
    names_of,
    source_bits,
)

__all__ = ["HIDDEN", "PLANE", "RELATIONS", "Run", "media_of", "refuse_existing", "relation_of", "rows_of"]

PLANE = "plane.parquet"
HIDDEN = "hidden.parquet"
RELATIONS = ("positive", "negative", "ignored")


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run on disk. Tables are read when first asked for.

    >>> Run.open("runs/none")
    Traceback (most recent call last):
    hardneg.errors.RunError: 'runs/none' is not a run: it has no manifest.json. Make one with: hardneg mine
    """

    path: Path
    manifest: Mapping[str, Any]
    _keep: object = None  # holds a temporary directory alive

    @classmethod
    def open(cls, path: str | Path, keep: object = None) -> Run:
        """Open a run directory; RunError for anything else."""
        path = Path(path)
        file = path / "manifest.json"
        if not file.is_file():
            if path.with_name(path.name + ".partial").is_dir():
                raise RunError(f"The run '{path}' is not finished. Run the same 'hardneg mine' again to go on with it.")
            raise RunError(f"'{path}' is not a run: it has no manifest.json. Make one with: hardneg mine")
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(f"The manifest of '{path}' is damaged ({error}). Mine again.") from error
        schema.check_version(manifest.get("schema_version"))
        return cls(path, manifest, keep)

    @property
    def ledger(self) -> Mapping[str, Any]:
        """Counts by reason; candidates = dropped + suspect + kept_not_sampled + sampled."""
        ledger: Mapping[str, Any] = self.manifest["ledger"]
        return ledger

    @property
    def negatives(self) -> pa.Table:
        """What was sampled: a table of :func:`hardneg.schema.negative_schema`."""
        return self._read("negatives.parquet")

    @property
    def candidates(self) -> Candidates:
        """Every candidate. All parts in memory; :meth:`parts` gives them one by one."""
        return Candidates(pa.concat_tables(list(self.parts()), promote_options="default").unify_dictionaries())

    def parts(self) -> Iterator[pa.Table]:
        """The candidates, part by part."""
        for part in self.manifest["parts"]:
            yield self._read(part["file"])

    def part(self, name: str) -> pa.Table:
        """One part of the candidates, by its name among :meth:`part_names`."""
        return self._read(self.manifest["parts"][self.part_names().index(name)]["file"])

    def _read(self, name: str) -> pa.Table:
        """A table of pairs. Parquet gives dictionaries of text back, those of numbers it does not."""
        table = read_table(self.path / name)
        for index, side in enumerate(("anchor", "item")):
            if not pa.types.is_dictionary(table.column(side).type):
                table = table.set_column(index, side, table.column(side).dictionary_encode())
        return table

    @cached_property
    def anchors(self) -> Collection:
        """The anchors with their texts."""
        return Collection(read_table(self.path / "anchors.parquet"), self.media)

    @cached_property
    def items(self) -> Collection:
        """The items that candidates or relations name, with their texts."""
        return Collection(read_table(self.path / "items.parquet"), self.media)

    @property
    def plane(self) -> pa.Table | None:
        """Where anchors and items lie on a plane (:func:`hardneg.plane.places_of`); None where the run has none."""
        return read_table(self.path / PLANE) if (self.path / PLANE).is_file() else None

    @property
    def hidden(self) -> pa.Table | None:
        """Known positives that a filter hid to learn from, with its evidence; None where the run has none.

        A table of :func:`hardneg.schema.hidden_schema`.
        """
        return self._read(HIDDEN) if (self.path / HIDDEN).is_file() else None

    @property
    def media(self) -> Path | None:
        """The folder that the paths of pictures or sounds are relative to; None where there are none."""
        relative = self.manifest.get("media")
        return None if relative is None else Path(os.path.normpath(self.path.resolve() / relative))

    @cached_property
    def relations(self) -> pa.Table:
        """Every known relation: a table of :func:`hardneg.schema.positive_schema`."""
        return self._read("positives.parquet")

    @cached_property
    def positives(self) -> Positives:
        """The relations between this run's anchors and items."""
        table = self.relations
        anchor = self.anchors.positions(table.column("anchor"))
        item = self.items.positions(table.column("item"))
        relation = table.column("relation")
        positive, negative, ignored = (
            Ragged.from_pairs(anchor[mask], item[mask], len(self.anchors))
            for mask in (_equal(relation, name) for name in RELATIONS)
        )
        own, barred = np.full(len(self.anchors), -1, np.int64), np.zeros(len(self.items), bool)
        return Positives(self.anchors, self.items, positive, negative, ignored, own, barred)

    @cached_property
    def positive_scores(self) -> FloatArray:
        """The similarity of each pair in ``positives.positive``, in its order."""
        return self.relation_scores("positive")

    def relation_scores(self, relation: str) -> FloatArray:
        """The similarity of each pair of ``positives.lists()[relation]``, in its order."""
        table = self.relations.filter(pa.array(_equal(self.relations.column("relation"), relation)))
        anchor = self.anchors.positions(table.column("anchor"))
        order = np.lexsort((self.items.positions(table.column("item")), anchor))
        return np.asarray(table.column("score").to_numpy()[order], np.float32)

    def part_names(self) -> list[str]:
        """The names of the parts, in order."""
        return [Path(part["file"]).stem for part in self.manifest["parts"]]

    @cached_property
    def wanted(self) -> IntArray:
        """How many negatives each anchor should have, shape ``(len(self.anchors),)``."""
        for text in self.manifest["steps"]["sampler"]:
            if "per_positive" in dict(parse(text).named) and isinstance(step := SAMPLERS.make(text), Chooser):
                return step.wanted(self.anchors)
        return np.full(len(self.anchors), int(self.manifest["wanted"]), np.int64)

    def short(self) -> pa.Table:
        """The anchors with a positive and fewer negatives than wanted.

        Columns: ``anchor, sampled, wanted, candidates, suspect, dropped``.
        """
        n, wanted = len(self.anchors), self.wanted
        sampled = np.bincount(self.anchors.positions(self.negatives.column("anchor")), minlength=n)
        counts = np.zeros((3, n), np.int64)
        for part in self.parts():
            anchor = self.anchors.positions(part.column("anchor"))
            counts[0] += np.bincount(anchor, minlength=n)
            for row, name in ((1, "suspect"), (2, "drop")):
                counts[row] += np.bincount(anchor[_equal(part.column("verdict"), name)], minlength=n)
        rows = np.flatnonzero((sampled < wanted) & (self.positives.positive.lengths() > 0))
        candidates, suspect, dropped = counts[:, rows]
        return pa.table(
            {
                "anchor": self.anchors.ids.take(pa.array(rows)),
                "sampled": sampled[rows],
                "wanted": wanted[rows],
                "candidates": candidates,
                "suspect": suspect,
                "dropped": dropped,
            }
        )


def media_of(items: Collection, out: Path) -> dict[str, str]:
    """What a manifest says of where pictures or sounds are: relative to the run, so that both can be moved together."""
    if items.root is None or not {"path", "audio"} & set(items.table.column_names):
        return {}
    return {"media": Path(os.path.relpath(items.root.resolve(), out.resolve())).as_posix()}


def _equal(column: pa.ChunkedArray, name: str) -> BoolArray:
    """Which rows of a column of names hold this one."""
    return np.asarray(pc.equal(column.cast(pa.string()), name).to_numpy())


def rows_of(
    part: pa.Table, anchors: Collection, items: Collection, source_names: Sequence[str]
) -> tuple[Rows, list[str]]:
    """A part of the candidates as rows again, and the reasons that its ``reason`` column numbers."""
    reasons = ["", *sorted(set(part.column("reason").cast(pa.string()).unique().to_pylist()) - {""})]
    decode = {
        "source": lambda names: source_bits(names, source_names),
        "verdict": lambda names: _codes(names, names_of(Verdict), np.uint8),
        "grade": lambda names: _codes(names, names_of(Grade), np.uint8),
        "reason": lambda names: _codes(names, reasons, np.int16),
    }
    columns = {
        name: _decoded(part.column(name), decode[name]) if name in decode else part.column(name).to_numpy()
        for name in part.column_names[2:]
    }
    return Rows(anchors.positions(part.column("anchor")), items.positions(part.column("item")), columns), reasons


def _decoded(column: pa.ChunkedArray, code: Callable[[list[str]], Array]) -> Array:
    encoded = one_dictionary(column)
    return np.asarray(code(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()])


def _codes(names: list[str], known: list[str], kind: type) -> Array:
    return np.array([known.index(name) for name in names], kind)


def refuse_existing(out: Path, overwrite: bool) -> None:
    """Raise RunError where there is something already that may not be replaced: only a run ever is."""
    refuse_taken(out, "manifest.json", "is no run", overwrite=overwrite)


def relation_of(positives: Positives, rows: Rows) -> NDArray[np.uint8]:
    """What is known of each row's anchor and item, as :class:`Relation` codes; of several the strongest."""
    some, at = np.unique(rows.anchor, return_inverse=True)
    classes = positives.classes

    def among(lists: Ragged) -> BoolArray:
        return lists.contains(at, rows.item)

    def shared() -> BoolArray:
        return among(positives.shared(some)) if classes is None else np.zeros(len(rows), bool)

    def positive() -> BoolArray:
        listed = among(positives.positive.take(some))
        return listed if classes is None else listed | classes.share(rows.anchor, rows.item)

    def otherwise() -> BoolArray:
        return np.zeros(len(rows), bool) if classes is None else classes.otherwise(rows.anchor, rows.item)

    out = np.full(len(rows), Relation.UNKNOWN, np.uint8)
    for relation, mask in (
        (Relation.OTHERWISE, otherwise()),
        (Relation.SHARED, shared()),
        (Relation.NEGATIVE, among(positives.negative.take(some))),
        (Relation.BARRED, positives.barred[rows.item]),
        (Relation.IGNORED, among(positives.ignored.take(some))),
        (Relation.POSITIVE, positive()),
        (Relation.SELF, positives.own[rows.anchor] == rows.item),
    ):
        out[mask] = relation
    return out
