"""SpeechBrain manifests, CSV or JSON: ``DynamicItemDataset.from_csv(path, replacements={"data_root": folder})``.

A row for each item that is an anchor, a listed positive or a sampled negative, as ``role`` says: ``ID``, ``duration``
in seconds, ``wav``, ``start`` and ``stop`` in samples of the file, ``spk_id`` where the items have a speaker, and
``label``. What is suspect for anyone is left out and counted, and so is a sound that is missing or broken.

Paths begin with the folder of the sounds as SpeechBrain's recipes write it: ``$data_root`` in CSV, ``{data_root}`` in
JSON. There braces in other texts are doubled, as the loader formats all; CSV cannot hold a ``$`` before a word.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._sounds import found, need_sounds
from hardneg.io.writers._tally import role_names, roles, tally
from hardneg.labels import label_column

__all__ = ["SPEECHBRAIN"]

_VARIABLE = re.compile(r"\$[\w.]")  # what the loader of CSV looks up among the replacements


def _write(export: Export) -> None:
    need_sounds(export)
    write = _write_json if export.target.name.endswith((".json", ".json.gz")) else _write_csv
    export.rows(write(export))


def _write_json(export: Export) -> int:
    rows = {row.pop("ID"): row for row in _rows(export, "{data_root}", _in_json)}
    with opened(export.target) as file:
        file.write((json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode())
    return len(rows)


def _write_csv(export: Export) -> int:
    number = 0
    with opened(export.target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["ID", "duration", "wav", "start", "stop", *_columns(export), "role"])
        for row in _rows(export, "$data_root", str):
            if any(_VARIABLE.search(str(value).removeprefix("$data_root/")) for value in row.values()):
                export.skips.add("dollar_in_csv", str(row["ID"]))
                continue
            writer.writerow(row.values())
            number += 1
        text.detach()
    return number


def _in_json(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _columns(export: Export) -> dict[str, str]:
    """The names that SpeechBrain's recipes have for columns of the items."""
    names = export.run.items.table.column_names
    known = {"spk_id": "speaker", "label": "label" if "label" in names else label_column(export.run) or ""}
    return {theirs: ours for theirs, ours in known.items() if ours in names}


def _rows(export: Export, root: str, text: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """The rows of the manifest, in the order of the items; ``text`` is done to all that is no number."""
    items, about = export.run.items, tally(export.run)
    has = roles(export.run, about)
    named = role_names(has).to_pylist()
    others = {theirs: items.table.column(ours).to_pylist() for theirs, ours in _columns(export).items()}
    for row in np.flatnonzero(has.any(axis=0)).tolist():
        name = str(items.ids[row].as_py())
        if about.suspect_for[row]:
            export.skips.add("suspect", name)
            continue
        with found(export, export.run.items, row) as one:
            if one is None:
                continue
            if isinstance(one.source, bytes):
                export.skips.add("bytes_without_a_file", name)
                continue
            path = items.table.column("audio")[row].as_py()
            yield {
                "ID": name,
                "duration": round(one.seconds, 6),
                "wav": text(path) if items.root is None else f"{root}/{text(path)}",
                "start": one.first,
                "stop": one.stop,
                **{theirs: text(_said(column[row])) for theirs, column in others.items()},
                "role": named[row],
            }


def _said(value: object) -> str:
    """A label, or several, as one word; nothing for none."""
    return "+".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


SPEECHBRAIN = Writer(
    "speechbrain", "SpeechBrain: a manifest of what was mined, with {data_root}, spk_id and label",
    (".csv", ".json", ".csv.gz", ".json.gz"), "paths, labels, speakers", _write, (), texts=False,
)  # fmt: skip
