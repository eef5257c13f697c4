"""NeMo's manifest of sounds: a line of JSON each, as its speaker and speech classification models read it.

``audio_filepath`` (absolute), ``offset`` and ``duration`` in seconds, and ``label``; NeMo passes over ``speaker`` and
``role`` beside them. A line for each item that is an anchor, a listed positive or a sampled negative. What is suspect
for anyone is left out and counted, and so is a sound that is missing, broken or without a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._lines import lines
from hardneg.io.writers._mined_sounds import mined_sounds
from hardneg.io.writers._sounds import need_sounds
from hardneg.labels import label_column

__all__ = ["NEMO_MANIFEST"]


def _records(export: Export) -> Iterator[dict[str, object]]:
    need_sounds(export)
    root = Path() if export.run.items.root is None else export.run.items.root
    label = "speaker" if label_column(export.run) == "speaker" else "label"
    for one in mined_sounds(export):
        if not one.said.get(label):
            export.skips.add("no_label", one.id)
            continue
        where = {"audio_filepath": str((root / one.path).absolute()), "offset": one.first / one.rate}
        yield {**where, "duration": one.seconds, **one.said, "label": one.said[label], "role": one.role}


NEMO_MANIFEST = Writer(
    "nemo-manifest", "NeMo: audio_filepath, offset, duration and label of what was mined, a line of JSON each",
    (".json", ".jsonl", ".json.gz", ".jsonl.gz"), "paths, labels", lines(_records), (), texts=False,
)  # fmt: skip
