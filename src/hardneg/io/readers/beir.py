"""A BEIR folder: ``corpus``, ``queries`` and ``qrels``, plain or gzip, with one split or several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hardneg.errors import InputError, OptionError
from hardneg.io.readers._assemble import Parts, assemble, positive_items
from hardneg.io.readers._base import Format, ReadOptions, choose_split, refuse_labelled_options
from hardneg.io.readers._columns import check_chosen
from hardneg.io.readers._qrels import read_qrels
from hardneg.io.readers._records import read_anchors, read_items
from hardneg.io.readers._rows import Rows
from hardneg.io.reading import Reading, Skips

__all__ = ["BEIR"]

_ENDINGS = (".jsonl", ".jsonl.gz", ".parquet", ".tsv", ".tsv.gz", ".csv", ".csv.gz")
_QREL_ENDINGS = (".tsv", ".tsv.gz", ".txt", ".txt.gz", ".trec", ".csv", ".jsonl", ".jsonl.gz", ".parquet")


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    parts = (_file(path, "corpus"), _file(path, "queries"), _file(path, "qrels", _QREL_ENDINGS))
    return sum(one is not None for one in parts) + (path / "qrels").is_dir() >= 2


def _read(path: Path, options: ReadOptions, skips: Skips) -> Reading:
    refuse_labelled_options(options)
    if options.corpus is not None:
        raise OptionError("The 'corpus' option is for a pairs file; a BEIR folder has its own corpus.")
    corpus, queries = _needed(path, "corpus"), _needed(path, "queries")
    seen: set[str] = set()
    qrels = _qrels(path, options, skips, seen)
    items, _ = read_items(corpus, options, skips, seen)
    anchors = read_anchors(queries, options, skips, seen)
    check_chosen(options, seen)
    counts = {"item_rows": items.total, "anchor_rows": anchors.total, "judgement_rows": qrels.read}
    parts = Parts(
        _named("beir", qrels.split, qrels.splits), anchors, items, qrels.rows, qrels.table,
        [corpus, queries, *qrels.files], counts, qrels.excluded,
    )  # fmt: skip
    return assemble(parts, options, skips)


BEIR = Format("beir", "a folder with corpus.jsonl, queries.jsonl and qrels (BEIR)", _sniff, _read)


def _named(name: str, split: str, splits: list[str]) -> str:
    """The format with the split that was read, as in ``beir, split train of test, train``."""
    return f"{name}, split {split} of {', '.join(splits)}" if splits else name


@dataclass(frozen=True, eq=False)
class _Qrels:
    """The judgements of one split. ``read`` counts all rows, those of other splits too."""

    split: str
    splits: list[str]
    rows: Rows
    table: Any
    read: int
    excluded: list[Any]
    files: list[Path]


def _qrels(path: Path, options: ReadOptions, skips: Skips, seen: set[str]) -> _Qrels:
    folder = path / "qrels"
    if not folder.is_dir():
        return _in_one_file(path, options, skips, seen)
    files = {
        one.name[: -len(ending)]: one
        for one in sorted(folder.iterdir(), reverse=True)  # train.tsv before train.tsv.gz
        for ending in _QREL_ENDINGS
        if one.name.endswith(ending) and not one.name.startswith(".")
    }
    if not files:
        raise InputError("The folder holds no judgements.", path=folder, remedy="Give it a file such as train.tsv.")
    split = choose_split(sorted(files), options, folder)
    rows, table = read_qrels(files[split], options, seen)
    excluded = [positive_items(read_qrels(files[one], options, seen)[1], options) for one in options.exclude_split]
    used = [files[one] for one in (split, *options.exclude_split)]
    return _Qrels(split, sorted(files), rows, table, table.num_rows, excluded, used)


def _in_one_file(path: Path, options: ReadOptions, skips: Skips, seen: set[str]) -> _Qrels:
    file = _needed(path, "qrels", _QREL_ENDINGS)
    rows, table = read_qrels(file, options, seen)
    splits = sorted(one for one in table["split"].unique().to_pylist() if one)
    if not splits:
        if options.split or options.exclude_split:
            raise InputError("The judgements have no column 'split'.", path=file, remedy="Leave --split out.")
        return _Qrels("", [], rows, table, table.num_rows, [], [file])
    split = choose_split(splits, options, file)
    excluded = [positive_items(_of_split(table, one), options) for one in options.exclude_split]
    other = table.filter(pc.not_equal(table["split"], split))
    rows.skip(skips, "other_split", other["line"].to_numpy())
    return _Qrels(split, splits, rows, _of_split(table, split), table.num_rows, excluded, [file])


def _of_split(table: Any, split: str) -> Any:
    return table.filter(pc.equal(table["split"], pa.scalar(split)))


def _file(folder: Path, name: str, endings: tuple[str, ...] = _ENDINGS) -> Path | None:
    return next((one for ending in endings if (one := folder / f"{name}{ending}").is_file()), None)


def _needed(folder: Path, name: str, endings: tuple[str, ...] = _ENDINGS) -> Path:
    found = _file(folder, name, endings)
    if found is None:
        what = "The folder has" if folder.is_dir() else "This is a file, not a BEIR folder; it has"
        others = ", ".join(endings[1:])
        raise InputError(
            f"{what} no {name}.", path=folder, remedy=f"Give it {name}{endings[0]} (or, in place of that: {others})."
        )
    return found
