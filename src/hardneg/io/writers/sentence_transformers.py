"""The four shapes that sentence-transformers trains on, as Parquet, JSON Lines or a folder for ``load_dataset``.

The columns are in the order in which the losses read them; only those called label, labels, score or scores are
targets, every other one is a text. So ids are written only when asked for. Short anchors are never padded.
Anchors with several positives give rows with the same anchor: batch them without duplicates.

Of pictures the paths are written; the loader's ``transforms`` opens them. Where the anchors are classes, each member
serves once as an anchor and once as a positive, and has the negatives of its class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import pyarrow as pa

from hardneg.errors import OptionError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._examples import Example, Hit
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_lines, write_parquet

__all__ = ["LABELED_LIST", "LABELED_PAIR", "N_TUPLE", "TRIPLET"]

Row = Mapping[str, object]
_TEXT, _TEXTS, _SCORE, _SCORES = pa.string(), pa.list_(pa.string()), pa.float32(), pa.list_(pa.float32())


def _triplet(export: Export) -> None:
    fields = {"anchor": _TEXT, "positive": _TEXT, "negative": _TEXT} | _target(export, score=_SCORES)
    fields |= _ids(export, anchor_id=False, positive_id=True, negative_id=True)

    def rows() -> Iterator[Row]:
        for one, positive in export.triples("one"):
            for negative in one.negatives:
                yield _tuple(one, positive, (negative,)) | {
                    "negative": negative.document.text,
                    "negative_id": negative.document.id,
                }

    _write(export, fields, rows())


def _n_tuple(export: Export) -> None:
    texts = [f"negative_{number + 1}" for number in range(export.width)]
    ids = {f"{name}_id": True for name in texts}
    fields = {"anchor": _TEXT, "positive": _TEXT} | dict.fromkeys(texts, _TEXT) | _target(export, score=_SCORES)
    fields |= _ids(export, anchor_id=False, positive_id=True, **ids)

    def rows() -> Iterator[Row]:
        for one, positive in export.triples("same"):
            found = zip(texts, one.negatives, strict=True)
            negatives = {
                key: value
                for name, hit in found
                for key, value in ((name, hit.document.text), (f"{name}_id", hit.document.id))
            }
            yield _tuple(one, positive, one.negatives) | negatives

    _write(export, fields, rows())


def _tuple(one: Example, positive: Hit, negatives: tuple[Hit, ...]) -> dict[str, object]:
    return {
        "anchor": one.text,
        "positive": positive.document.text,
        "score": [positive.score, *(hit.score for hit in negatives)],
        "anchor_id": one.id,
        "positive_id": positive.document.id,
    }


def _labeled_pair(export: Export) -> None:
    fields = {"anchor": _TEXT, "item": _TEXT} | _target(export, label=pa.int64(), score=_SCORE)
    fields |= _ids(export, anchor_id=False, item_id=True)

    def rows() -> Iterator[Row]:
        for one in export.examples("none"):
            for label, hits in ((1, one.positives), (0, one.negatives)):
                for hit in hits:
                    yield {
                        "anchor": one.text, "item": hit.document.text, "label": label, "score": hit.score,
                        "anchor_id": one.id, "item_id": hit.document.id,
                    }  # fmt: skip

    _write(export, fields, rows())


def _labeled_list(export: Export) -> None:
    fields = {"anchor": _TEXT, "items": _TEXTS} | _target(export, labels=pa.list_(pa.int64()), scores=_SCORES)
    fields |= _ids(export, anchor_id=False, item_ids=True)
    if "item_ids" in fields:
        fields["item_ids"] = pa.list_(fields["item_ids"])

    def rows() -> Iterator[Row]:
        for one in export.examples("one"):
            hits = (*one.positives, *one.negatives)
            yield {
                "anchor": one.text,
                "items": [hit.document.text for hit in hits],
                "labels": [1] * len(one.positives) + [0] * len(one.negatives),
                "scores": [hit.score for hit in hits],
                "anchor_id": one.id,
                "item_ids": [hit.document.id for hit in hits],
            }

    _write(export, fields, rows())


def _target(export: Export, **choices: pa.DataType) -> dict[str, pa.DataType]:
    """The target column that was asked for; without a word the label, where the shape has one."""
    wanted = export.options.values or ("label" if len(choices) > 1 else None)
    if wanted == "label" and len(choices) == 1:
        raise OptionError(f"The format '{export.writer.name}' has scores but no labels. Got values=label.")
    return {name: kind for name, kind in choices.items() if wanted and name.startswith(wanted)}


def _ids(export: Export, **of_item: bool) -> dict[str, pa.DataType]:
    anchors = export.run.anchors if export.members is None else export.run.items
    kinds = {True: export.run.items.ids.type, False: anchors.ids.type}
    return {name: kinds[is_item] for name, is_item in of_item.items()} if export.options.ids else {}


def _write(export: Export, fields: Mapping[str, pa.DataType], rows: Iterable[Row]) -> None:
    names = _names(export, list(fields))
    schema = pa.schema([(names[name], kind) for name, kind in fields.items()])
    chosen = ({names[name]: row[name] for name in fields} for row in rows if _whole(export, fields, row))
    path = export.target
    if not export.writer.is_file(path):
        path = path / "train.parquet"
    write: Callable[..., int] = (
        partial(write_parquet, path, schema) if path.suffix == ".parquet" else partial(write_lines, path)
    )
    export.rows(write(chosen))


def _whole(export: Export, fields: Mapping[str, pa.DataType], row: Row) -> bool:
    """Whether the row has all scores that are to be written: no loss can do with a missing one."""
    for name in ("score", "scores"):
        if name in fields:
            value = row[name]
            if value is None or (isinstance(value, list) and None in value):
                export.skips.add("no_score", str(row["anchor_id"]))
                return False
    return True


def _names(export: Export, fields: list[str]) -> dict[str, str]:
    """The user's names for the columns; ``negative`` stands for all of ``negative_1`` to ``negative_n``."""
    columns = export.options.columns
    numbered = "negative_1" in fields
    known = [name for name in fields if not name.startswith("negative_")] + ["negative"] if numbered else fields
    for name in columns:
        if name not in known:
            raise OptionError(f"The format '{export.writer.name}' has no column '{name}'. It has: {', '.join(known)}.")
    stem = columns.get("negative", "negative")
    names = {name: columns.get(name, name.replace("negative", stem) if numbered else name) for name in fields}
    if len(set(names.values())) < len(names):
        raise OptionError(f"Two columns would have the same name: {', '.join(names.values())}.")
    return names


_TAKES = ("n", "positives", "columns", "values", "ids")
_SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz")

TRIPLET = Writer(
    "triplet", "sentence-transformers: anchor, positive, negative; a row for each positive and negative",
    _SUFFIXES, "texts; ids and scores if asked for", _triplet, _TAKES, folder=True, paths=True,
)  # fmt: skip
N_TUPLE = Writer(
    "n-tuple", "sentence-transformers: anchor, positive, negative_1 to negative_n; a row for each positive",
    _SUFFIXES, "texts; ids and scores if asked for", _n_tuple, (*_TAKES, "on_short"), folder=True, paths=True,
)  # fmt: skip
LABELED_PAIR = Writer(
    "labeled-pair", "sentence-transformers: anchor, item, label (or score); a row for each pair",
    _SUFFIXES, "texts, labels or scores; ids if asked for", _labeled_pair, _TAKES, folder=True, paths=True,
)  # fmt: skip
LABELED_LIST = Writer(
    "labeled-list", "sentence-transformers cross-encoders: anchor, items, labels (or scores); a row for each anchor",
    _SUFFIXES, "texts, labels or scores; ids if asked for", _labeled_list, _TAKES, folder=True, paths=True,
)  # fmt: skip
