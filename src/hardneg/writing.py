"""Making a run in a directory called ``<name>.partial``, with a journal of the parts that are done.

A process killed at any moment leaves nothing that hinders the next one: a file is whole or not there, a part counts
once the journal names it and its checksum is right, and the directory gets its name last of all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hardneg import schema
from hardneg.decisions import FILE
from hardneg.errors import RunError
from hardneg.journal import Journal, Parts
from hardneg.positives import Positives
from hardneg.ragged import BoolArray
from hardneg.run import HIDDEN, PLANE, RELATIONS, Run, refuse_existing
from hardneg.similarity import FloatArray
from hardneg.storage import digest, place, read_table, swept, take_name, write_json, write_rows, write_table
from hardneg.table import Rows, dictionary, id_column

__all__ = ["RunWriter", "in_use"]


class RunWriter:
    """Makes a run in ``<out>.partial``, part by part, and gives it its name at the end."""

    def __init__(self, out: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.out, self._overwrite = out, overwrite
        self.partial = out.with_name(out.name + ".partial")
        self._journal = Journal(self.partial / "journal.jsonl")
        self._fingerprint = fingerprint
        refuse_existing(out, overwrite)
        self._done = self._found()
        self.resumed = len(self._done)
        swept(self.partial, "candidates")
        self._journal.begin(fingerprint)

    def _found(self) -> Parts:
        """The parts of this very run that are there already."""
        if not self.partial.exists():
            return {}
        fingerprints, parts = self._journal.read()
        if not fingerprints and (self.partial / "manifest.json").is_file():  # killed just before it got its name
            manifest = Run.open(self.partial).manifest
            fingerprints = {manifest.get("fingerprint", "")}
            parts = {Path(part["file"]).stem: part for part in manifest["parts"]}
        if not fingerprints and not self._barely_begun():
            raise RunError(f"'{self.partial}' exists and is no unfinished run. Move it away, or choose another output.")
        if fingerprints <= {self._fingerprint}:
            return parts
        if not self._overwrite:
            raise RunError(
                f"'{self.partial}' is an unfinished run of other data or other steps. "
                "Run what began it again to go on with it, or throw it away with --overwrite."
            )
        shutil.rmtree(self.partial)
        return {}

    def _barely_begun(self) -> bool:
        """Whether nothing is there but what comes before the first line of the journal."""
        names = {one.name for one in self.partial.iterdir()} if self.partial.is_dir() else {""}
        return names <= {"candidates", self._journal.path.name} and not any(self.partial.glob("candidates/*"))

    @contextmanager
    def clearing_up(self) -> Iterator[None]:
        """Where this fails before the first part is there, leave nothing in the way of a mended command."""
        try:
            yield
        except BaseException:
            if self._barely_begun():
                shutil.rmtree(self.partial, ignore_errors=True)
            raise

    def has(self, name: str) -> bool:
        """Whether a part is done and undamaged."""
        file = self._file(name)
        return name in self._done and file.is_file() and digest(file) == self._done[name]["sha256"]

    def add(self, name: str, table: pa.Table) -> None:
        """Write one part of the candidates and note that it is done."""
        file = self._file(name)
        write_table(table, file)
        part = {"file": f"candidates/{name}.parquet", "rows": table.num_rows, "sha256": digest(file)}
        self._journal.done(name, part)
        self._done[name] = part

    def forget(self, name: str) -> None:
        """Take a part out of the journal, so that it is made anew."""
        if self._done.pop(name, None) is not None:
            self._journal.forget(name)
            self._file(name).unlink(missing_ok=True)

    def read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One of the parts that are done, or some columns of it."""
        return read_table(self._file(name), columns)

    def columns(self, name: str) -> list[str]:
        """The columns of one of the parts that are done."""
        return list(pq.read_schema(self._file(name)).names)

    def _file(self, name: str) -> Path:
        return self.partial / "candidates" / f"{name}.parquet"

    def negatives(self, table: pa.Table) -> None:
        """Write what was sampled."""
        write_table(table, self.partial / "negatives.parquet")

    def plane(self, places: pa.Table | None) -> None:
        """Write where things lie on a plane, if they do."""
        if places is not None:
            write_table(places, self.partial / PLANE)

    def hidden(self, rows: Rows | None, positives: Positives) -> None:
        """Write the known positives that a filter hid, if one did."""
        if rows is None:
            return
        columns = {name: column for name, column in rows.columns.items() if name != "hidden_for"}
        kinds = {name: pa.from_numpy_dtype(column.dtype) for name, column in columns.items()}
        table = [
            id_column(rows.anchor, positives.anchors),
            id_column(rows.item, positives.items),
            dictionary(rows["hidden_for"], schema.HIDDEN_FOR),
            *(pa.array(column) for column in columns.values()),
        ]
        kind = schema.hidden_schema(positives.anchors.ids.type, positives.items.ids.type, kinds)
        write_table(pa.table(table, schema=kind), self.partial / HIDDEN)

    def copy_more(self, run: Run) -> None:
        """Take what else another run with the same anchors and items has: their places, the hidden positives."""
        self._copy(run, *(name for name in (PLANE, HIDDEN) if (run.path / name).is_file()))

    def copy_tables(self, run: Run) -> None:
        """Take the anchors, items and relations of another run as they are."""
        self._copy(run, "anchors.parquet", "items.parquet", "positives.parquet")

    def _copy(self, run: Run, *names: str) -> None:
        for name in names:
            with place(self.partial / name) as file, (run.path / name).open("rb") as source:
                shutil.copyfileobj(source, file)

    @property
    def names(self) -> list[str]:
        """The names of the parts that are done, in order."""
        return sorted(self._done)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What is known of the parts that are done, in order."""
        return [self._done[name] for name in self.names]

    def tables(self, positives: Positives, scores: Mapping[str, FloatArray], used: BoolArray) -> None:
        """Write the anchors, the relations and the items that are in use (a mask over all items)."""
        anchor, item, relation = [], [], []
        lists = (positives.positive, positives.negative, positives.ignored)
        for code, one in enumerate(lists):
            anchor.append(one.rows())
            item.append(one.values)
            relation.append(np.full(len(one.values), code))
        rows, columns = np.concatenate(anchor), np.concatenate(item)
        kind = schema.positive_schema(positives.anchors.ids.type, positives.items.ids.type)
        table = [
            id_column(rows, positives.anchors),
            id_column(columns, positives.items),
            dictionary(np.concatenate(relation), list(RELATIONS)),
            pa.array(np.concatenate([scores[name] for name in RELATIONS]), pa.float32()),
        ]
        write_table(pa.table(table, schema=kind), self.partial / "positives.parquet")
        write_table(positives.anchors.table, self.partial / "anchors.parquet")
        write_rows(positives.items.table, np.flatnonzero(in_use(positives, used)), self.partial / "items.parquet")

    def finish(self, manifest: Mapping[str, Any], timings: Mapping[str, Any]) -> Run:
        """Write the manifest and give the run its name."""
        write_json({**manifest, "fingerprint": self._fingerprint}, self.partial / "manifest.json")
        write_json(timings, self.partial / "timings.json")
        if (self.out / FILE).is_file():  # what people decided outlives the run that is replaced
            shutil.copy2(self.out / FILE, self.partial / FILE)
        self._journal.remove()  # from here on the manifest says whose the parts are
        take_name(self.partial, self.out)
        return Run.open(self.out)


def in_use(positives: Positives, candidates: BoolArray) -> BoolArray:
    """Which items a run holds: the candidates, and those that relations name."""
    used = candidates.copy()
    for one in positives.lists().values():
        used[one.values] = True
    return used
