"""START HERE. Find the pictures, ask the detector, name what it found, write it with an account of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hardneg.detect import agreement
from hardneg.detecting.asking import PART, ask
from hardneg.detecting.detectors import Detector
from hardneg.detecting.found import Found, write_results
from hardneg.detecting.pictures import Pictures, pictures_in
from hardneg.detecting.place import Place, refuse_existing
from hardneg.detecting.views import View
from hardneg.io.reading import Skips, counted
from hardneg.notation import require
from hardneg.progress import Progress, Silent
from hardneg.storage import write_json

__all__ = ["detect", "files_of"]


def files_of(out: Path) -> tuple[Path, Path, Path]:
    """The results, the account of them, and what other views say of them.

    >>> [one.name for one in files_of(Path("runs/found.json"))]
    ['found.json', 'found.summary.json', 'found.views.json']
    """
    return out, out.with_name(f"{out.stem}.summary.json"), out.with_name(f"{out.stem}.views.json")


def detect(
    path: str | Path,
    detector: Detector,
    *,
    out: str | Path,
    truth: str | Path | None = None,
    split: str | None = None,
    views: Sequence[View] = (),
    progress: Progress | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Run a detector over pictures, and write what it found as COCO results, ready to be mined.

    Beside ``out`` come ``<name>.summary.json``, which is returned, and of several views ``<name>.views.json``: the same
    boxes, with the mean over the views of the highest score of a box of the same category on each (intersection over
    union 0.5 at least), as the results of a second detector. A process that was stopped, even killed, goes on where it
    was, and the bytes at the end are the same.

    Args:
        path: a folder of pictures, or one of them.
        detector: what is asked.
        out: the file to make, ``.json``.
        truth: the data set of boxes that these pictures are of: its images are looked at, and results have its ids.
            Without it images are named by their paths.
        split: of a data set with splits, the one to look at.
        views: other views of each picture that the detector is asked about.
        progress: who is told how the work goes.
        overwrite: replace results that are there.

    Raises:
        InputError: no picture can be used, the detector fails or gives what cannot be read, or its labels cannot be
            said to be categories of the data. A broken picture is left out and counted.
        RunError: ``out`` exists already, or is unfinished work of another kind.
    """
    out, progress = Path(out), progress or Silent()
    require(out.suffix == ".json", "out", "a file named .json", out)
    results, account, of_views = files_of(out)
    refuse_existing(results, account, *([of_views] if views else []), overwrite=overwrite)
    detector.load()
    left = Skips()
    shown = pictures_in(Path(path), None if truth is None else Path(truth), split, left, progress)
    place = Place(out, _fingerprint(detector, views, shown), overwrite=overwrite)
    if place.resumed:
        progress.say(f"Going on with '{place.partial}'.")
    with place.clearing_up():
        asked = ask(detector, views, shown.pictures, place, progress)
    for row, reason in asked.broken.items():
        left.add(reason, shown.pictures[row].name)
    found, skips, notes = Found.named(asked, shown, detector), Skips(), Skips()
    boxes = found.boxes(0, skips, notes)
    summary: dict[str, Any] = {
        "detector": detector.target,
        "pictures": shown.total,
        "looked_at": len(shown.pictures) - len(asked.broken),
        "left_out": counted(left.list()),
        "detections": len(boxes),
        "detections_left_out": counted(skips.list()),
        "noted": counted(notes.list()),
        "categories": found.counts(boxes),
        "pictures_without_any": len(shown.pictures) - len(asked.broken) - len(np.unique(boxes.image)),
    }
    if views:
        others = (found.boxes(row, Skips(), Skips()) for row in range(1, 1 + len(views)))
        agreed = np.mean([agreement(boxes, one) for one in others], axis=0)
        summary |= {"views": [one.name for one in views], "confirmed_by_a_view": int((agreed > 0).sum())}
        write_results(found.records(boxes, np.flatnonzero(agreed > 0), agreed), of_views)
    write_json(summary, account)
    write_results(found.records(boxes, np.arange(len(boxes)), boxes.score), results)
    place.remove()
    return summary


def _fingerprint(detector: Detector, views: Sequence[View], shown: Pictures) -> str:
    """One hash of everything that decides an answer."""
    pictures = [[str(one.id), one.seen.content.hex()] for one in shown.pictures]
    what = [detector.facts(), [one.name for one in views], PART, pictures]
    return sha256(json.dumps(what).encode()).hexdigest()
