"""Label Studio: ``tasks.json`` to import, and ``label_config.xml`` for the project to import it into.

A task for each sampled negative and each suspect. The prediction says what hardneg takes the pair for, negative or
positive, with the similarity as its score, so that tasks can be sorted by it; a person decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened, write_array
from hardneg.io.writers._review import review_schema, review_tables

__all__ = ["LABEL_STUDIO"]

_CONFIG = """\
<View>
  <Header value="Anchor"/>
  <Text name="anchor" value="$anchor_text"/>
  <Header value="Its known positives"/>
  <Text name="positive" value="$positive_text"/>
  <Header value="Item"/>
  <Text name="item" value="$item_text"/>
  <Choices name="relation" toName="item" choice="single" required="true" showInline="true">
    <Choice value="positive"/>
    <Choice value="negative"/>
    <Choice value="unsure"/>
  </Choices>
</View>
"""


def _write(export: Export) -> None:
    export.rows(write_array(export.target / "tasks.json", _tasks(export)))
    with opened(export.target / "label_config.xml") as file:
        file.write(_CONFIG.encode())


def _tasks(export: Export) -> Iterator[dict[str, object]]:
    version = f"hardneg {export.run.manifest.get('hardneg_version') or ''}".strip()
    for table in review_tables(export, review_schema(export)):
        for row in table.to_pylist():
            yield {"data": {name: _plain(value) for name, value in row.items()}, "predictions": [_guess(row, version)]}


def _guess(row: Mapping[str, object], version: str) -> dict[str, object]:
    choice = "negative" if row["sampled"] else "positive"
    result = {"from_name": "relation", "to_name": "item", "type": "choices", "value": {"choices": [choice]}}
    return {"model_version": version, "score": _plain(row["score"]), "result": [result]}


def _plain(value: object) -> object:
    """The value as JSON has it: a float32 in its short form, None for what is no number."""
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return float(str(np.float32(value))) if float(np.float32(value)) == value else value


LABEL_STUDIO = Writer(
    "label-studio", "Label Studio: a task for each sampled negative and suspect, with hardneg's guess", (),
    "texts, ids, scores, verdicts", _write, (),
)  # fmt: skip
