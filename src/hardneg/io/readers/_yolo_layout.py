"""Where a YOLO data set keeps what: its pictures by split, its labels beside them, the names of its classes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hardneg.errors import InputError, MissingExtraError
from hardneg.io.readers._base import ReadOptions
from hardneg.io.readers._bytes import text_lines
from hardneg.io.readers._labelled_names import SPLITS, is_picture
from hardneg.io.readers._media import Media
from hardneg.io.readers._names import normal
from hardneg.io.readers._splits import mined_split

__all__ = ["CLASSES", "Layout", "files_in", "label_of", "layout"]

CLASSES = "classes.txt"
_UPWARDS = re.compile(r"(\.{1,2}/)+")
_LARGEST = 2**20  # bytes of a data.yaml


@dataclass(frozen=True)
class Layout:
    """The pictures of one split.

    Args:
        root: the folder that no picture may lead out of.
        split: its name; empty where there are no splits.
        places: folders of pictures, or lists of their paths.
        names: of the classes, by their numbers; empty where nobody says.
        keypoints: whether labels go on with points after the box.
        files: those that said so.
    """

    root: Path
    split: str
    places: tuple[Path, ...]
    names: tuple[str, ...]
    keypoints: bool = False
    files: tuple[Path, ...] = ()

    def pictures(self) -> Iterator[tuple[str, Path]]:
        """The pictures with their names: the path within ``images`` or the split, without the suffix."""
        for place in self.places:
            if place.is_dir():
                for name in files_in(place):
                    if is_picture(name):
                        yield str(PurePosixPath(name).with_suffix("")), place / name
            else:
                for _, line in text_lines(place):
                    if line.strip():
                        path = place.parent / line.strip()
                        yield str(PurePosixPath(_after_images(path.as_posix())).with_suffix("")), path


def layout(path: Path, options: ReadOptions) -> Layout | None:
    """What a ``data.yaml`` or a folder says; None where it is no YOLO data set.

    Raises InputError for a broken file and for pictures that are not where it says, OptionError for a split that is
    there for evaluation.
    """
    for file in [path] if path.is_file() else sorted((*path.glob("*.yaml"), *path.glob("*.yml"))):
        if file.suffix in (".yaml", ".yml") and (said := _document(file)) is not None:
            return _described(file, said, options)
    return None if path.is_file() else _found(path, options)


def label_of(picture: Path) -> Path:
    """The file of a picture's labels: in ``labels`` where the picture is in ``images``, else beside it.

    >>> label_of(Path("data/images/train/a.jpg")).as_posix()
    'data/labels/train/a.txt'
    """
    parts = list(picture.parts)
    places = [row for row, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts).with_suffix(".txt")


def files_in(folder: Path) -> Iterator[str]:
    """The files of a folder and of those in it, in order, relative with forward slashes; hidden ones are passed over.

    Links to folders are not followed: they may go round.
    """
    for inside, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield (Path(inside) / name).relative_to(folder).as_posix()


def _document(file: Path) -> Mapping[str, Any] | None:
    """The ``data.yaml``; None for a file that is about something else."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyyaml", extra="detection") from error
    if file.stat().st_size > _LARGEST:
        return None
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"It is no YAML ({' '.join(str(error).split())}).", path=file) from None
    splits = isinstance(said, Mapping) and any(normal(str(one)) in SPLITS for one in said)
    return said if splits and ("names" in said or "nc" in said) else None


def _described(file: Path, said: Mapping[str, Any], options: ReadOptions) -> Layout:
    splits = {str(name): value for name, value in said.items() if normal(str(name)) in SPLITS and value}
    split = mined_split(list(splits), options, file)
    root = Path(options.media_root or file.parent)
    bases = [root / str(said["path"]), root] if said.get("path") else [root]
    given = splits[split] if isinstance(splits[split], list) else [splits[split]]
    places = tuple(_place(str(one), bases, root, file) for one in given)
    return Layout(root, split, places, _names(said.get("names"), file), "kpt_shape" in said, (file,))


def _place(given: str, bases: list[Path], root: Path, file: Path) -> Path:
    """Where the pictures are. Some tools write ``../train/images`` for a folder that stands beside the file."""
    media = Media(root)
    for base in bases:
        for name in (given, _UPWARDS.sub("", given)):
            if (base / name).exists() and media.relative(str((base / name).absolute())) is not None:
                return base / name
    raise InputError(
        f"There is no '{given}' in '{root}'.",
        path=file,
        remedy="Give the folder that holds pictures and labels: --images FOLDER.",
    )


def _names(given: object, file: Path) -> tuple[str, ...]:
    if isinstance(given, Mapping):
        if sorted(given, key=str) != sorted(range(len(given)), key=str):
            raise InputError("The 'names' must be numbered from 0 without gaps.", path=file)
        given = [given[row] for row in range(len(given))]
    if given is not None and not isinstance(given, list):
        raise InputError(f"The 'names' must be a list. Got {given!r:.40}.", path=file)
    return tuple(str(one) for one in given or ())


def _found(path: Path, options: ReadOptions) -> Layout | None:
    """The folders ``images`` and ``labels``, with splits in them or around them."""
    within = [one for one in _folders(path / "images") if (path / "labels" / one.name).is_dir()]
    around = [one / "images" for one in _folders(path) if (one / "images").is_dir() and (one / "labels").is_dir()]
    splits = {one.name: one for one in within if normal(one.name) in SPLITS}
    splits = splits or {one.parent.name: one for one in around if normal(one.parent.name) in SPLITS}
    if not splits and not ((path / "images").is_dir() and (path / "labels").is_dir()):
        return None
    split = mined_split(list(splits), options, path) if splits else ""
    if not splits and (options.split or options.exclude_split):
        raise InputError("The data have no splits.", path=path, remedy="Leave --split and --exclude-split out.")
    listed = [one for one in (path / CLASSES, path / "labels" / CLASSES) if one.is_file()]
    names = [line.strip() for _, line in text_lines(listed[0]) if line.strip()] if listed else []
    return Layout(path, split, (splits.get(split, path / "images"),), tuple(names), files=tuple(listed[:1]))


def _folders(path: Path) -> list[Path]:
    return sorted(one for one in path.iterdir() if one.is_dir()) if path.is_dir() else []


def _after_images(path: str) -> str:
    return path.rpartition("/images/")[2] if "/images/" in path else PurePosixPath(path).name
