"""The pictures that a detector is shown: those of a data set of boxes, or all in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardneg.collection import Id
from hardneg.errors import InputError
from hardneg.images import BrokenImage, Examined, examine_all
from hardneg.io.readers import ReadOptions
from hardneg.io.readers._labelled_names import is_picture
from hardneg.io.readers._media import Media
from hardneg.io.readers._scene import Scene
from hardneg.io.readers._yolo_layout import files_in
from hardneg.io.reading import Skips
from hardneg.io.scenes import scene_of
from hardneg.progress import Progress

__all__ = ["Picture", "Pictures", "pictures_in"]

_TOGETHER = 64  # looked at before progress is told


@dataclass(frozen=True)
class Picture:
    """A picture that can be opened.

    Args:
        id: as results name it: the id of the data set, or the path within the folder.
        name: of its file, for people.
        path: of its file.
        seen: its size and content.
    """

    id: Id
    name: str
    path: Path
    seen: Examined

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.seen.width, self.seen.height


@dataclass(frozen=True, eq=False)
class Pictures:
    """What there is to look at, in order, and the data set that says what is there, if there is one."""

    pictures: Sequence[Picture]
    scene: Scene | None
    total: int


def pictures_in(path: Path, truth: Path | None, split: str | None, left: Skips, progress: Progress) -> Pictures:
    """Find the pictures, and look at each; what cannot be used is counted in ``left``, by reason.

    Args:
        path: a folder, or a picture.
        truth: a data set of boxes whose pictures are in the folder: those of one split are looked at.
        split: that split; the usual one if not given.
        left: who counts.
        progress: who is told how it goes.

    Raises InputError where there is no picture that can be used.
    """
    if truth is None:
        scene, found, total = None, *_in_folder(path, left)
    else:
        scene = _scene(path, truth, split, left)
        found, total = _of_scene(scene), len(scene.images)
    seen = _survey([file for _, _, file in found], progress)
    pictures = []
    for (key, name, file), one in zip(found, seen, strict=True):
        if isinstance(one, BrokenImage):
            left.add(one.reason, name)
        else:
            pictures.append(Picture(key, name, file, one))
    if not pictures:
        reasons = ", ".join(f"{one.count} {one.reason}" for one in left.list()) or "there is none"
        raise InputError(f"Not one picture can be used ({reasons}).", path=path, remedy="Give a folder of pictures.")
    return Pictures(pictures, scene, total)


def _scene(path: Path, truth: Path, split: str | None, left: Skips) -> Scene:
    """The data set; to look at an evaluation split is no mining of it."""
    options = ReadOptions(split=split, media_root=path if path.is_dir() else path.parent, mine_evaluation=True)
    notes = Skips()
    scene = scene_of(truth, options, Skips(), notes)
    for one in notes.list():  # what is wrong with an image is why it cannot be looked at
        if "frame" not in one.reason:
            left.add_again(one)
    return scene


def _of_scene(scene: Scene) -> list[tuple[Id, str, Path]]:
    table, root = scene.images.table, scene.images.root
    if "path" not in table.column_names or root is None:
        raise InputError("The data set has no pictures.", remedy="Give the folder that they are in.")
    rows = zip(table.column("id").to_pylist(), table.column("path").to_pylist(), strict=True)
    return [(key, str(name), root / name) for key, name in rows if name is not None]


def _in_folder(path: Path, left: Skips) -> tuple[list[tuple[Id, str, Path]], int]:
    if path.is_file():
        return [(path.name, path.name, path)], 1
    media, found = Media(path), list[tuple[Id, str, Path]]()
    names = [name for name in files_in(path) if is_picture(name)]
    for name in names:
        if media.relative(name) is None:
            left.add("path_outside_folder", name)
        else:
            found.append((name, name, path / name))
    return found, len(names)


def _survey(files: Sequence[Path], progress: Progress) -> list[Examined | BrokenImage]:
    found: list[Examined | BrokenImage] = []
    with progress.stage("look", len(files), "pictures") as report:
        for start in range(0, len(files), _TOGETHER):
            found += examine_all(files[start : start + _TOGETHER])
            report(len(found), len(files))
    return found
