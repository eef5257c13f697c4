"""Pascal VOC: pictures, and an XML file of boxes for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from hardneg.collection import Collection
from hardneg.errors import InputError
from hardneg.io.readers._base import Format, ReadOptions
from hardneg.io.readers._box_rows import Places, image_names
from hardneg.io.readers._boxes import read_boxes
from hardneg.io.readers._bytes import head, text_lines
from hardneg.io.readers._frames import with_frames
from hardneg.io.readers._labelled_names import SPLITS, is_picture
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal
from hardneg.io.readers._scene import Scene
from hardneg.io.readers._splits import mined_split
from hardneg.io.readers._voc_files import Annotation, annotation
from hardneg.io.reading import Skips

__all__ = ["VOC", "open_scene"]


def _sniff(path: Path, options: ReadOptions) -> bool:  # noqa: ARG001
    if not path.is_dir():
        return False
    first = next(iter(sorted(_folder(path).glob("*.xml"))), None)
    return first is not None and b"<annotation" in head(first)


def open_scene(path: Path, options: ReadOptions, skips: Skips, notes: Skips) -> Scene:
    """What the data set holds; what is left out, and what is odd, is counted."""
    folder = _folder(path)
    split, listed = _split(path, options)
    there = {one.stem: one for one in sorted(folder.glob("*.xml"))}
    for name in sorted(set(listed or ()) - set(there)):
        skips.add("listed_without_a_file", name)
    ids = [name for name in there if listed is None or name in listed]
    if not ids:
        raise InputError("There is no XML file of this split in it.", path=folder)
    read = [annotation(there[name], name) for name in ids]
    names = sorted({str(box.category) for one in read for box in one.boxes if box.category})
    images, unseen = _images(path, ids, read, options, notes)
    files = [one.file_name or name for name, one in zip(ids, read, strict=True)]
    images = with_frames(images, files, options.frames, notes)
    places = Places(
        image_names(ids, [one.file_name for one in read]),
        {name: row for row, name in enumerate(names)},
        names,
        [one.size for one in read],
        unseen,
    )
    truth = chain.from_iterable(one.boxes for one in read)
    shown = f"voc, split {split}" if split else "voc"
    return Scene(shown, images, names, places, truth, [there[name] for name in ids], names)


VOC = Format(
    "voc",
    "a folder with XML files of boxes, perhaps in Annotations (VOC)",
    _sniff,
    partial(read_boxes, opened=open_scene),
)


def _folder(path: Path) -> Path:
    return path / "Annotations" if (path / "Annotations").is_dir() else path


def _split(path: Path, options: ReadOptions) -> tuple[str, set[str] | None]:
    """The split to read and its pictures by ``ImageSets/Main``; all of them where there are no splits."""
    files = {one.stem: one for one in sorted((path / "ImageSets" / "Main").glob("*.txt")) if normal(one.stem) in SPLITS}
    if not files:
        if options.split or options.exclude_split:
            raise InputError("The data have no splits.", path=path, remedy="Leave --split and --exclude-split out.")
        return "", None
    split = mined_split(list(files), options, path)
    return split, {line.split()[0] for _, line in text_lines(files[split]) if line.strip()}


def _images(
    path: Path, ids: Sequence[str], read: Sequence[Annotation], options: ReadOptions, notes: Skips
) -> tuple[Collection, frozenset[int]]:
    """The images with the paths of their pictures, where there are any, and those that have none."""
    beside = path / "JPEGImages"
    root = Path(options.media_root) if options.media_root is not None else beside if beside.is_dir() else path
    by_name = {one.stem: one.name for one in sorted(root.iterdir()) if is_picture(one.name)}
    media, paths = Media(root), []
    for name, one in zip(ids, read, strict=True):
        inside = media.relative(one.file_name) if one.file_name else None
        if inside is None or not (root / inside).is_file():
            inside = media.relative(by_name[name]) if name in by_name else None
        paths.append(inside)
    if not any(paths):
        if options.media_root is not None:
            raise InputError("None of the pictures is in this folder.", path=root, remedy="Give --images FOLDER.")
        return Collection(pa.table({"id": list(ids)})), frozenset()
    unseen = frozenset(row for row, inside in enumerate(paths) if inside is None)
    for row in sorted(unseen):
        notes.add("image_without_a_picture", f"{ids[row]}: {read[row].file_name}")
    return Collection(pa.table({"id": list(ids), "path": pa.array(paths, pa.string())}), root), unseen
