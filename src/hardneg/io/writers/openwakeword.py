"""openWakeWord: the clips and the configuration that its ``train.py`` trains a detector of a keyword from.

For each class of the anchors, a keyword, a folder with ``positive_train``, ``positive_test``, ``negative_train`` and
``negative_test``, and beside it ``<keyword>.yml``. The negatives are what was sampled for the keyword; the names of
their files begin with ``adversarial`` for what has another label, and with ``false_alarm`` for what has none, such as
stretches of a recording that a detector fired at. What is suspect for a keyword, or has a label that is doubted, is
not there. ``index.csv`` says which item became which file.

The clips are mono WAV of 16,000 samples a second and 16 bits, as the training reads them. At least a tenth of them is
for the test, drawn by the seed of the run so that one speaker (or one file, without speakers) is on one side.

The keys of the configuration are those of openWakeWord's ``examples/custom_model.yml`` with the values there; paths
marked with ``EDIT`` are yours. ``custom_negative_phrases`` are the words that were taken for the keyword.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hardneg import random
from hardneg.classes import Classes
from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._flat import write_flat
from hardneg.io.writers._media import are_bytes
from hardneg.io.writers._names import Names
from hardneg.io.writers._openwakeword_config import config
from hardneg.io.writers._sounds import found, need_sounds, write_wav
from hardneg.io.writers._tally import Tally, tally
from hardneg.labels import classes_of, names_at, own_items
from hardneg.ragged import BoolArray, IntArray, Ragged
from hardneg.sounds import Clip, wave

__all__ = ["OPENWAKEWORD"]

_RATE = 16_000
_TEST = 0.1  # of the clips


@dataclass(frozen=True, eq=False)
class _Keyword:
    """A class, and the rows of the items for and against it."""

    name: str
    positives: IntArray
    negatives: IntArray


def _write(export: Export) -> None:
    need_sounds(export)
    classes = classes_of(export.run)
    if classes is None:
        raise InputError(
            "The format 'openwakeword' needs labels: a keyword is a class. The run has none.",
            remedy="Give the items a column 'label' in the mining.",
        )
    export.counts.update(positives=0, negatives=0)
    labels = names_at(classes.items, classes.names, np.arange(len(export.run.items)))
    split, names = _Split(export), Names()
    index: list[tuple[int, str, str]] = []  # row, keyword, file
    for keyword in _keywords(export, classes):
        folder = names.free(keyword.name)
        index += _clips(export, keyword, folder, labels, split.test(keyword))
        phrases = Counter(one for row in keyword.negatives.tolist() for one in labels[row])
        with opened(export.target / f"{folder}.yml") as file:
            file.write(config(folder, keyword.name, [one for one, _ in phrases.most_common()]).encode())
    rows, keywords, files = ([one[at] for one in index] for at in range(3))
    ids = export.run.items.ids.take(pa.array(rows, pa.int64()))
    write_flat(export.target / "index.csv", pa.table({"id": ids, "keyword": keywords, "file": files}))
    export.rows(len(index))


def _keywords(export: Export, classes: Classes) -> Iterator[_Keyword]:
    """The classes of the anchors that have both positives and negatives; the others are counted."""
    run, about = export.run, tally(export.run)
    of_anchor, own = Ragged.from_codes(classes.anchors), own_items(run)
    listed = run.positives.positive
    for code, name in enumerate(classes.names):
        anchors = np.zeros(len(run.anchors), bool)
        anchors[of_anchor.rows()[of_anchor.values == code]] = True
        if not anchors.any():
            continue  # a label of items that nobody sought negatives for
        mine = own[anchors]
        positives = np.union1d(listed.values[anchors[listed.rows()]], mine[mine >= 0])
        keyword = _Keyword(name, *_certain(export, about, name, positives, anchors))
        for side in ("positives", "negatives"):
            if not len(getattr(keyword, side)):
                export.skips.add(f"keyword_without_{side}", name)
                break
        else:
            yield keyword


def _certain(
    export: Export, about: Tally, name: str, positives: IntArray, anchors: BoolArray
) -> tuple[IntArray, IntArray]:
    """The positives and negatives of a keyword that nobody doubts."""
    sampled, suspect = (np.unique(items[anchors[of]]) for of, items in (about.sampled_pairs, about.suspect_pairs))
    for rows, doubted in ((sampled, np.isin(sampled, suspect)), (positives, about.label_doubted[positives])):
        _count(export, "suspect", name, rows[doubted])
    negatives = np.setdiff1d(sampled, suspect)
    _count(export, "label_in_doubt", name, negatives[about.label_doubted[negatives]])
    return positives[~about.label_doubted[positives]], negatives[~about.label_doubted[negatives]]


def _count(export: Export, reason: str, name: str, rows: IntArray) -> None:
    for row in rows.tolist():
        export.skips.add(reason, f"{export.run.items.ids[row].as_py()} for {name}")


class _Split:
    """Which clips of a keyword are for the test: all of one speaker, or of one file, or none."""

    def __init__(self, export: Export) -> None:
        items = export.run.items
        self._groups, draws = _groups(items), random.uniform(int(export.run.manifest["seed"]), items.keys)
        # The smallest draw of a group speaks for it, so that the order of the items makes no difference.
        self._draws = np.ones(int(self._groups.max(initial=0)) + 1)
        np.minimum.at(self._draws, self._groups, draws)

    def test(self, keyword: _Keyword) -> set[int]:
        """Group by group, as drawn, until there is a tenth of the clips for and against; some are left for training."""
        sides = [Counter(self._groups[rows].tolist()) for rows in (keyword.positives, keyword.negatives)]
        left = [side.total() for side in sides]
        wanted = [max(1, round(_TEST * number)) for number in left]
        chosen: set[int] = set()
        for group in sorted(set().union(*sides), key=lambda one: self._draws[one]):
            number = [side[group] for side in sides]
            asked = any(one and want > 0 for one, want in zip(number, wanted, strict=True))
            if asked and all(one < there for one, there in zip(number, left, strict=True)):
                chosen.add(group)
                wanted = [want - one for want, one in zip(wanted, number, strict=True)]
                left = [there - one for there, one in zip(left, number, strict=True)]
        rows = np.union1d(keyword.positives, keyword.negatives)
        return {row for row in rows.tolist() if int(self._groups[row]) in chosen}


def _groups(items: Collection) -> IntArray:
    """A number for each item, the same for those that must not be torn apart."""
    files = items.ids if are_bytes(items, "audio") else items.table.column("audio")
    keys = [one.cast(pa.string()) for one in (files, items.ids)]
    if "speaker" in items.table.column_names:
        keys.insert(0, items.table.column("speaker").cast(pa.string()))
    names = pc.coalesce(*keys)
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    return np.asarray(names.dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def _clips(
    export: Export, keyword: _Keyword, folder: str, labels: list[list[str]], test: set[int]
) -> Iterator[tuple[int, str, str]]:
    """Write the clips of a keyword; give the row, the keyword and the file of each."""
    taken = {part: Names() for part in ("positive_train", "positive_test", "negative_train", "negative_test")}
    for part in taken:
        (export.target / folder / part).mkdir(parents=True, exist_ok=True)
    for side, rows in (("positive", keyword.positives), ("negative", keyword.negatives)):
        for row in rows.tolist():
            part = f"{side}_{'test' if row in test else 'train'}"
            kind = "" if side == "positive" else "adversarial_" if labels[row] else "false_alarm_"
            samples = _samples(export, row)
            if samples is None:
                continue
            name = taken[part].free(f"{kind}{str(export.run.items.ids[row]).removesuffix('.wav')}.wav")
            write_wav(export.target / folder / part / name, samples, _RATE)
            export.counts[f"{side}s"] += 1
            yield row, keyword.name, f"{folder}/{part}/{name}"
    if not any((export.target / folder / "positive_test").iterdir()):
        export.skips.add("no_positive_test_clip", keyword.name)  # without one the training stops


def _samples(export: Export, row: int) -> Any:
    """The sound of an item as 16-bit samples; None, and counted, where it cannot be had."""
    samples = None
    with found(export, export.run.items, row) as one:
        if one is not None:
            rate = one.file.samplerate
            heard = wave(Clip(one.source, one.first / rate, one.stop / rate), _RATE)
            samples = np.clip(np.rint(heard.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
    return samples


OPENWAKEWORD = Writer(
    "openwakeword", "openWakeWord: clips for and against each keyword, and the configuration of train.py", (),
    "sounds, labels", _write, (), texts=False,
)  # fmt: skip
