"""Asking a detector about pictures and their views, part by part, so that a stopped process loses one part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from hardneg.detect import Answer
from hardneg.detecting.detectors import Detector
from hardneg.detecting.naming import Label
from hardneg.detecting.pictures import Picture
from hardneg.detecting.place import Place
from hardneg.detecting.views import View
from hardneg.images import BrokenImage, rgb
from hardneg.io.readers._box_rows import Box
from hardneg.parallel import each
from hardneg.progress import Progress

__all__ = ["PART", "Asked", "ask"]

PART = 32  # pictures between two lines of the journal, about
_ENDS = ("left", "top", "right", "bottom")
_SCHEMA = pa.schema(
    {
        "picture": pa.int64(), "view": pa.int8(), **dict.fromkeys(_ENDS, pa.float64()), "score": pa.float64(),
        "form": pa.string(), "label": pa.int64(), "name": pa.string(),
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Asked:
    """All answers, on the disk; ``broken`` are the pictures that could not be decoded after all, with the reason."""

    place: Place
    parts: Sequence[str]
    broken: Mapping[int, str]

    def labels(self) -> list[Label]:
        """All different labels, in order."""
        found: set[Label] = set()
        for name in self.parts:
            table = self.place.read(name).select(["form", "label", "name"])
            unique = table.group_by(table.column_names).aggregate([]).to_pylist()
            found |= {Label(one["form"], one["label"], one["name"]) for one in unique}
        return sorted(found, key=lambda one: (one.form, one.number is None, one.number or 0, one.name or ""))

    def boxes(self, view: int, of: Mapping[Label, str | int], ids: Sequence[str], said: str) -> Iterator[Box]:
        """The boxes of one view (0 is the picture itself), in the order of the pictures, with their categories."""
        number = 0
        for name in self.parts:
            table = self.place.read(name)
            table = table.filter(pa.compute.equal(table.column("view"), view))
            columns = [table.column(one).to_pylist() for one in table.column_names]
            for picture, _, left, top, right, bottom, score, form, label, named in zip(*columns, strict=True):
                category = of[Label(form, label, named)]
                yield Box(said, number, ids[picture], category, [left, top, right - left, bottom - top], score)
                number += 1


def ask(
    detector: Detector, views: Sequence[View], pictures: Sequence[Picture], place: Place, progress: Progress
) -> Asked:
    """Ask about all pictures; what is in the place already is not asked again."""
    parts: list[str] = []
    broken: dict[int, str] = {}
    with progress.stage("detect", len(pictures), "pictures") as report:
        step = detector.batch_size * max(1, PART // detector.batch_size)  # whole batches
        for start in range(0, len(pictures), step):
            some = pictures[start : start + step]
            name = f"{start:09d}"
            noted = place.about(name)
            if noted is None:
                table, lost = _part(detector, views, some, start, lambda done: report(done, len(pictures)))
                noted = place.add(name, table, broken=lost)
            broken |= {int(row): reason for row, reason in noted["broken"].items()}
            parts.append(name)
            report(start + len(some), len(pictures))
    return Asked(place, parts, broken)


def _part(
    detector: Detector, views: Sequence[View], pictures: Sequence[Picture], start: int, told: Callable[[int], None]
) -> tuple[pa.Table, dict[int, str]]:
    tables: list[pa.Table] = []
    broken: dict[int, str] = {}
    for first in range(0, len(pictures), detector.batch_size):
        batch = list(enumerate(pictures[first : first + detector.batch_size], start=start + first))
        opened = zip(batch, each(_opened, [one for _, one in batch]), strict=True)
        whole = []
        for (row, picture), image in opened:
            if isinstance(image, str):
                broken[row] = image
            else:
                whole.append((row, picture, image))
        if whole:
            tables += _answers(detector, views, whole)
        told(start + first + len(batch))
    return pa.concat_tables([_SCHEMA.empty_table(), *tables]).combine_chunks(), broken


def _opened(picture: Picture) -> Any:
    """The picture, or why it is broken."""
    try:
        return rgb(picture.path)
    except BrokenImage as error:  # broken only where all of it is decoded, or changed since it was looked at
        return error.reason


def _answers(
    detector: Detector, views: Sequence[View], whole: Sequence[tuple[int, Picture, Any]]
) -> Iterator[pa.Table]:
    names = [picture.name for _, picture, _ in whole]
    for (row, _, _), answer in zip(whole, detector.answers([image for *_, image in whole], names), strict=True):
        yield _table(row, 0, answer, answer.ends)
    for number, view in enumerate(views, start=1):
        seen = [view.of(image) for *_, image in whole]
        found = detector.answers(seen, [f"{name} ({view.name})" for name in names])
        for (row, _, image), picture, answer in zip(whole, seen, found, strict=True):
            yield _table(row, number, answer, view.back(answer.ends, picture.size, image.size))


def _table(row: int, view: int, answer: Answer, ends: np.ndarray[Any, Any]) -> pa.Table:
    count = len(answer)
    label = [None] * count if answer.label is None else answer.label
    columns = {
        "picture": np.full(count, row), "view": np.full(count, view), **dict(zip(_ENDS, ends.T, strict=True)),
        "score": answer.score, "form": [answer.form] * count, "label": label,
        "name": [None] * count if answer.name is None else list(answer.name),
    }  # fmt: skip
    return pa.table({name: pa.array(columns[name], _SCHEMA.field(name).type) for name in _SCHEMA.names})
