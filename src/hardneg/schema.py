"""The Arrow schemas of a run directory, and its version."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from hardneg.errors import RunError

__all__ = [
    "CANDIDATE_COLUMNS", "HIDDEN_FOR", "VERSION", "candidate_schema", "check_version", "hidden_schema",
    "negative_schema", "positive_schema",
]  # fmt: skip

VERSION = 1

_NAME = pa.dictionary(pa.int16(), pa.string())

# Every candidate has these; a filter's own evidence follows them.
CANDIDATE_COLUMNS: Mapping[str, pa.DataType] = {
    "score": pa.float32(),  # the primary similarity; higher is harder
    "rank": pa.int32(),  # raw rank in its source, from 0, before any filter
    "source": _NAME,  # where it came from: neighbors, lexical, neighbors+lexical ...
    "source_score": pa.float32(),  # the source's own score
    "positive_score": pa.float32(),  # the anchor's reference positive
    "verdict": _NAME,  # keep, drop, suspect
    "reason": _NAME,  # the rule that decided; empty for a kept one
    "evidence": pa.float32(),  # the figure that decided; NaN for a kept one
    "grade": _NAME,  # easy, semi_hard, hard
}
# For whom a known positive was hidden: for its anchor alone, so that others may name it still, or for all.
HIDDEN_FOR = ("anchor", "all")
_SAMPLED = ("score", "rank", "source", "source_score", "positive_score", "grade")


def _ids(kind: pa.DataType) -> pa.DataType:
    return pa.dictionary(pa.int32(), kind)


def candidate_schema(anchor_id: pa.DataType, item_id: pa.DataType, evidence: Mapping[str, pa.DataType]) -> pa.Schema:
    """The schema of ``candidates/*.parquet``: ids as the user gave them, the columns above, the evidence."""
    return pa.schema(
        [("anchor", _ids(anchor_id)), ("item", _ids(item_id)), *CANDIDATE_COLUMNS.items(), *evidence.items()]
    )


def negative_schema(anchor_id: pa.DataType, item_id: pa.DataType) -> pa.Schema:
    """The schema of ``negatives.parquet``, in the order of the anchors, hardest first."""
    columns = [(name, CANDIDATE_COLUMNS[name]) for name in _SAMPLED]
    return pa.schema([("anchor", _ids(anchor_id)), ("item", _ids(item_id)), *columns])


def positive_schema(anchor_id: pa.DataType, item_id: pa.DataType) -> pa.Schema:
    """The schema of ``positives.parquet``: every known relation (positive, negative, ignored) with its similarity."""
    return pa.schema(
        [("anchor", _ids(anchor_id)), ("item", _ids(item_id)), ("relation", _NAME), ("score", pa.float32())]
    )


def hidden_schema(anchor_id: pa.DataType, item_id: pa.DataType, evidence: Mapping[str, pa.DataType]) -> pa.Schema:
    """The schema of ``hidden.parquet``: known positives and the evidence of the filter that hid them, NaN where the
    source would not have proposed them.
    """
    return pa.schema([("anchor", _ids(anchor_id)), ("item", _ids(item_id)), ("hidden_for", _NAME), *evidence.items()])


def check_version(found: object) -> None:
    """Raise RunError for a run written by another version of the schema."""
    if found != VERSION:
        raise RunError(
            f"The run has schema version {found}; this hardneg reads version {VERSION}. "
            "Mine again, or install the version of hardneg that the manifest names."
        )
