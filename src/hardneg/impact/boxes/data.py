"""The pictures of a run of boxes: those to train with, and those that are held out, which no negative is taken from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardneg.classes import coded, values_of
from hardneg.detect import Truth
from hardneg.detect.frames import held_together
from hardneg.errors import HardnegError, InputError
from hardneg.images import BrokenImage, Examined, examine_all
from hardneg.impact.division import TEST, VALIDATION
from hardneg.impact.leakage import Leak
from hardneg.io.found import Scenes, read_scenes, scenes_of
from hardneg.io.readers import ReadOptions
from hardneg.io.readers._labelled_names import EVALUATION
from hardneg.io.run_data import data_of
from hardneg.progress import Progress
from hardneg.ragged import BoolArray, IntArray
from hardneg.run import Run
from hardneg.verify.trials import split_apart

__all__ = ["BoxData", "Side", "box_data", "is_of_boxes"]


@dataclass(frozen=True, eq=False)
class Side:
    """Pictures to train with, or to be judged by, numbered from 0.

    Args:
        ids: of their images, as text.
        paths: of their files.
        sizes: width and height in pixels, shape ``(n, 2)``.
        contents: a digest of each file.
        lots: the number of the film (or a stretch of it) that each is of, else its own.
        truth: the boxes in them.
    """

    ids: Sequence[str]
    paths: Sequence[Path]
    sizes: IntArray
    contents: Sequence[bytes]
    lots: IntArray
    truth: Truth

    def take(self, rows: IntArray) -> Side:
        """Some of the pictures, numbered anew; boxes of others are left out."""
        place = np.full(len(self.ids), -1, np.int64)
        place[rows] = np.arange(len(rows))
        some = [[one[row] for row in rows.tolist()] for one in (self.ids, self.paths, self.contents)]
        truth = _boxes(self.truth, place[self.truth.image], self.truth.category)
        return Side(some[0], some[1], self.sizes[rows], some[2], self.lots[rows], truth)


@dataclass(frozen=True, eq=False)
class BoxData:
    """What is learnt and what is held out; ``how`` says where that is from, ``left_out`` what could not be used.

    ``validation`` is what the dose is chosen by; None where no pictures were put by for it.
    """

    categories: tuple[str, ...]
    train: Side
    validation: Side | None
    test: Side
    how: str
    leaks: tuple[Leak, ...]
    left_out: tuple[str, ...]


def is_of_boxes(run: Run) -> bool:
    """Whether a run was mined from a detector's boxes in pictures."""
    return {"box", "image_id", "predicted", "detector_score"} <= set(run.items.table.column_names)


def box_data(run: Run, held_out: str | None, seed: int, progress: Progress, *, choosing: bool = False) -> BoxData:
    """Read a run's pictures again and hold some out: those of another split or file, else three tenths of them.

    Args:
        run: of boxes.
        held_out: a split of the same data, or another data set of boxes with the same categories; found or drawn if
            not given.
        seed: draws them.
        progress: shows how the work goes.
        choosing: whether a seventh of the others is put by to choose with.

    Raises InputError where the data are gone or have changed, hold no such split, or no picture has a box.
    """
    scenes = scenes_of(run)
    if isinstance(scenes, str):
        raise InputError(
            f"The data of '{run.path}' are not at hand: {scenes}.", remedy="Mine again, or bring them back."
        )
    categories, left_out = tuple(scenes.categories), Counter[str]()
    whole = _side(scenes, categories, left_out, progress)
    other = _held_out(run, held_out)
    if other is None:
        train, test = _put_by(whole, TEST, seed)
        how = "drawn from the same data"
    else:
        train, test, how = whole, _side(other, categories, left_out, progress), f"of {_named(held_out)}"
    train, validation = _put_by(train, VALIDATION, seed + 1) if choosing else (train, None)
    for side, what in ((train, "to train with"), (validation, "to choose by"), (test, "held out")):
        if side is not None and not (~side.truth.uncounted).any():
            raise InputError(f"No picture that is {what} has a labelled box.", remedy="Give more, or others.")
    told = tuple(f"{count} {what}" for what, count in sorted(left_out.items()) if count)
    return BoxData(categories, train, validation, test, f"{len(test.ids)} {how}", tuple(_leaks(train, test)), told)


def _held_out(run: Run, asked: str | None) -> Scenes | None:
    """Another file, another split, or None where the data have none."""
    data = data_of(run)
    root = data.get("media_root")
    options = ReadOptions(media_root=root) if root is not None else ReadOptions()
    if asked is not None and Path(asked).exists():
        beside = read_scenes(Path(asked), [], options=ReadOptions())
        return beside if "path" in beside.images.table.column_names else read_scenes(Path(asked), [], options=options)
    if asked is not None:
        return read_scenes(data["path"], [], options=replace(options, split=asked))
    for name in EVALUATION:
        try:
            return read_scenes(data["path"], [], options=replace(options, split=name))
        except HardnegError:  # there is no such split
            continue
    return None


def _named(held_out: str | None) -> str:
    """What the held-out pictures are of, for people."""
    return Path(held_out).name if held_out is not None and Path(held_out).exists() else "another split of the data"


def _side(scenes: Scenes, categories: tuple[str, ...], left_out: Counter[str], progress: Progress) -> Side:
    """The pictures that are there and whole, with boxes of these categories."""
    paths = _paths(scenes)
    there = [row for row, path in enumerate(paths) if path is not None]
    left_out["images without a picture"] += len(paths) - len(there)
    seen: list[Examined | BrokenImage] = []
    with progress.stage("pictures", len(there), "pictures") as report:
        for start in range(0, len(there), 64):
            seen += examine_all([str(paths[row]) for row in there[start : start + 64]])
            report(len(seen), len(there))
    good = [(row, one) for row, one in zip(there, seen, strict=True) if isinstance(one, Examined)]
    left_out["broken pictures"] += len(there) - len(good)
    rows = np.array([row for row, _ in good], np.int64)
    names = held_together(scenes.images)
    codes = {name: number for number, name in enumerate(categories)}
    category = np.array([codes.get(name, -1) for name in scenes.categories], np.int64)[scenes.truth.category]
    left_out["boxes of other categories"] += int((category < 0).sum())
    place = np.full(len(paths), -1, np.int64)
    place[rows] = np.arange(len(rows))
    ids = scenes.images.ids.to_pylist()
    return Side(
        [str(ids[row]) for row in rows.tolist()], [Path(str(paths[row])) for row in rows.tolist()],
        np.array([(one.width, one.height) for _, one in good], np.int64).reshape(-1, 2),
        [one.content for _, one in good], np.asarray(coded(names, values_of(names)))[rows],
        _boxes(scenes.truth, place[scenes.truth.image], category),
    )  # fmt: skip


def _paths(scenes: Scenes) -> list[Path | None]:
    if "path" not in scenes.images.table.column_names or scenes.images.root is None:
        raise InputError(
            f"The pictures of '{scenes.format}' are not at hand.",
            remedy="Mine with --media-root; pictures of another file lie beside it, or in the same folder.",
        )
    names = scenes.images.table.column("path").to_pylist()
    return [None if name is None else scenes.images.root / name for name in names]


def _boxes(truth: Truth, image: IntArray, category: IntArray) -> Truth:
    """Boxes with other numbers; those with one below 0 are left out."""
    keep = (image >= 0) & (category >= 0)
    return Truth(image[keep], category[keep], truth.box[keep], truth.crowd[keep], truth.ignored[keep])


def _put_by(side: Side, share: float, seed: int) -> tuple[Side, Side]:
    """What is left, and so many of the pictures."""
    chosen = _drawn(side, share, seed)
    return side.take(np.flatnonzero(~chosen)), side.take(np.flatnonzero(chosen))


def _drawn(side: Side, share: float, seed: int) -> BoolArray:
    """So many of the pictures, with all of a film and all copies on one side."""
    first: dict[bytes, int] = {}
    copies = np.array([first.setdefault(one, row) for row, one in enumerate(side.contents)], np.int64)
    return split_apart([side.lots, copies], share=share, seed=seed)


def _leaks(train: Side, test: Side) -> list[Leak]:
    known = set(train.contents)
    same = [one for one, content in zip(test.ids, test.contents, strict=True) if content in known]
    return [Leak("same picture", len(same), len(test.ids), tuple(same[:5]))] if same else []
