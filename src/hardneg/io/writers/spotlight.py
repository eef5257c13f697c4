"""A Parquet table for Renumics Spotlight, pandas or any other browser of tables: a row for each pair to look at.

It holds the sampled negatives (``sampled`` is true) and the suspects, with verdict, reason, scores and evidence.
Suspects are there to be judged, not to be trained on.
"""

from __future__ import annotations

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import write_tables
from hardneg.io.writers._review import review_schema, review_tables

__all__ = ["SPOTLIGHT"]


def _write(export: Export) -> None:
    schema = review_schema(export)
    export.rows(write_tables(export.target, schema, review_tables(export, schema)))


SPOTLIGHT = Writer(
    "spotlight", "Renumics Spotlight and other table browsers: sampled negatives and suspects, for review",
    (".parquet",), "texts, ids, scores, verdicts", _write, (), texts=False,
)  # fmt: skip
