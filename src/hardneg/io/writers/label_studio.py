"""Label Studio: ``tasks.json`` to import, and ``label_config.xml`` for the project to import it into.

A task for each sampled negative and each suspect: the anchor, its positives (of pictures or sounds the best one), and
the item. The prediction says what hardneg takes the pair for, negative or positive, with the similarity as its score,
so that tasks can be sorted by it; a person decides.

Pictures and sounds are in the folder ``media``: linked or copied as ``files`` says, bytes written out, parts of a
sound cut out. Tasks name them as ``/data/local-files/?d=NAME/media/...``, where NAME is that of the export: set
``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`` to the folder that holds it and add ``NAME/media`` as local storage.
A task whose item cannot be shown is left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened, write_array
from hardneg.io.writers._names import Names
from hardneg.io.writers._pictures import put_picture
from hardneg.io.writers._review import Sides, review_schema, review_tables
from hardneg.io.writers._sounds import put_sound

__all__ = ["LABEL_STUDIO"]

_HEADERS = {"anchor": "Anchor", "positive": "Its known positives", "item": "Item"}
_CHOICES = """\
  <Choices name="relation" toName="item" choice="single" required="true" showInline="true">
    <Choice value="positive"/>
    <Choice value="negative"/>
    <Choice value="unsure"/>
  </Choices>
"""
_TAGS = {"image": "Image", "audio": "Audio"}
_PUT = {"image": put_picture, "audio": put_sound}


def _write(export: Export) -> None:
    media = _Media(export)
    export.rows(write_array(export.target / "tasks.json", _tasks(export, media)))
    with opened(export.target / "label_config.xml") as file:
        file.write(_config(export, media).encode())


def _config(export: Export, media: _Media) -> str:
    """The view of a task: for each side its picture or sound, and its text; the id of what has neither."""
    lines = ["<View>"]
    for side, header in _HEADERS.items():
        kind = media.kinds[side]
        lines.append(f'  <Header value="{"Its best positive" if kind and side == "positive" else header}"/>')
        if kind:
            lines.append(f'  <{_TAGS[kind]} name="{side}" value="${side}_{kind}"/>')
        if not kind or _side(export, side).texts is not None:
            lines.append(f'  <Text name="{f"{side}_text" if kind else side}" value="${side}_text"/>')
    return "\n".join(lines) + f"\n{_CHOICES}</View>\n"


def _side(export: Export, side: str) -> Collection:
    return export.run.anchors if side == "anchor" else export.run.items


def _tasks(export: Export, media: _Media) -> Iterator[dict[str, object]]:
    version = f"hardneg {export.run.manifest.get('hardneg_version') or ''}".strip()
    item = f"item_{media.kinds['item']}"
    for table in review_tables(export, review_schema(export)):
        for row, shown in zip(table.to_pylist(), media.of(table), strict=True):
            if shown.get(item) == "":
                export.skips.add("nothing_to_show", f"{row['anchor']} {row['item']}")
                continue
            row["anchor_text"] = str(row["anchor"]) if row["anchor_text"] is None else row["anchor_text"]
            data = {name: _plain(value) for name, value in row.items()} | shown
            yield {"data": data, "predictions": [_guess(row, version)]}


class _Media:
    """The pictures or sounds of a run: what kind each side has, and where each is once it was put there."""

    def __init__(self, export: Export) -> None:
        self._export, self._sides = export, Sides(export.run)
        self.kinds = self._sides.kinds
        self._names = Names()
        self._urls: dict[tuple[int, int], str] = {}

    def of(self, pairs: pa.Table) -> Iterator[dict[str, str]]:
        """For each pair where its pictures or sounds are, by the name of the variable; empty for what cannot be had."""
        run = self._export.run
        rows = run.anchors.positions(pairs.column("anchor")), run.items.positions(pairs.column("item"))
        columns = {
            f"{side}_{kind}": [self._url(things, row, kind) for row in which.tolist()]
            for side, (things, which) in self._sides.rows(*rows).items()
            if (kind := self.kinds[side])
        }
        for at in range(pairs.num_rows):
            yield {name: column[at] for name, column in columns.items()}

    def _url(self, things: Collection, row: int, kind: str) -> str:
        """Where a picture or a sound is, for Label Studio; nothing for what cannot be had."""
        key = id(things), row
        if row >= 0 and key not in self._urls:
            file = _PUT[kind](self._export, things, row, self._place)
            there = "" if file is None else file.relative_to(self._export.target).as_posix()
            self._urls[key] = there and f"/data/local-files/?d={quote(f'{self._export.name}/{there}')}"
        return self._urls.get(key, "")

    def _place(self, name: str) -> Path:
        folder = self._export.target / "media"
        folder.mkdir(exist_ok=True)
        return folder / self._names.free(name)


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
    "texts, pictures, sounds, ids, scores, verdicts", _write, ("files",), media=True,
)  # fmt: skip
