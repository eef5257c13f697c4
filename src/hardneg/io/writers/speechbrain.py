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
from typing import Any

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._mined_sounds import MinedSound, mined_sounds, said_of
from hardneg.io.writers._sounds import need_sounds

__all__ = ["SPEECHBRAIN"]

_THEIRS = {"speaker": "spk_id", "label": "label"}
_VARIABLE = re.compile(r"\$[\w.]")  # what the loader of CSV looks up among the replacements


def _write(export: Export) -> None:
    need_sounds(export)
    write = _write_json if export.target.name.endswith((".json", ".json.gz")) else _write_csv
    export.rows(write(export))


def _write_json(export: Export) -> int:
    rows = {}
    for one in mined_sounds(export):
        row = _row(one)
        row |= {name: _doubled(value) for name, value in row.items() if isinstance(value, str)}
        row["wav"] = _located(export, "{data_root}", row["wav"])
        rows[one.id] = row
    with opened(export.target) as file:
        file.write((json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode())
    return len(rows)


def _write_csv(export: Export) -> int:
    number = 0
    with opened(export.target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        said = [_THEIRS[what] for what in said_of(export)]
        writer.writerow(["ID", "duration", "wav", "start", "stop", *said, "role"])
        for one in mined_sounds(export):
            row = _row(one)
            if any(_VARIABLE.search(value) for value in row.values() if isinstance(value, str)):
                export.skips.add("dollar_in_csv", one.id)
                continue
            row["wav"] = _located(export, "$data_root", row["wav"])
            writer.writerow([one.id, *row.values()])
            number += 1
        text.detach()
    return number


def _row(one: MinedSound) -> dict[str, Any]:
    said = {_THEIRS[what]: value for what, value in one.said.items()}
    where = {"wav": one.path, "start": one.first, "stop": one.stop}
    return {"duration": one.seconds, **where, **said, "role": one.role}


def _located(export: Export, root: str, path: str) -> str:
    """A path below the folder of the sounds; as it is where there is none."""
    return path if export.run.items.root is None else f"{root}/{path}"


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


SPEECHBRAIN = Writer(
    "speechbrain", "SpeechBrain: a manifest of what was mined, with {data_root}, spk_id and label",
    (".csv", ".json", ".csv.gz", ".json.gz"), "paths, labels, speakers", _write, (), texts=False,
)  # fmt: skip
