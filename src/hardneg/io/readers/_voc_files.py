"""Pascal VOC's files: what is there in one picture, in XML; what a detector found, in a text file a class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from hardneg.errors import InputError
from hardneg.io.readers._box_rows import CROWD, IGNORED, Box
from hardneg.io.readers._bytes import text_lines

__all__ = ["Annotation", "annotation", "class_of", "results"]

_LARGEST = 16 * 2**20  # bytes of a file about one picture
_RESULTS = re.compile(r"(?:comp\d+_)?det_[^_]+_(.+)\.txt")


@dataclass(frozen=True)
class Annotation:
    """What a file says of one picture: its name, its size where given, the boxes in it."""

    file_name: str | None
    size: tuple[float, float] | None
    boxes: tuple[Box, ...]


def annotation(path: Path, image: str) -> Annotation:
    """Read one file. What is difficult is marked as ignored, a group (``iscrowd``, ``isGroupOf``) as a crowd.

    A box is from the first to the last pixel, counted from 1, as VOC has them. Raises InputError for what is no such
    XML, and for XML that declares entities, which may grow without end or name other files.
    """
    root = _parsed(path)
    if root.tag != "annotation":
        raise InputError(f"It is about '{root.tag}', not an 'annotation'.", path=path)
    sides = [_number(root.findtext(f"size/{name}")) for name in ("width", "height")]
    width, height = sides
    size = (width, height) if width and height and min(width, height) > 0 else None
    boxes = tuple(_object(path.name, row, image, one) for row, one in enumerate(root.findall("object")))
    name = (root.findtext("filename") or "").strip()
    return Annotation(name or None, size, boxes)


def class_of(name: str) -> str | None:
    """The class that a file of results is about, by its name; None for another file.

    >>> class_of("comp4_det_test_dining_table.txt"), class_of("picture.txt")
    ('dining_table', None)
    """
    found = _RESULTS.fullmatch(name)
    return found[1] if found else None


def results(files: Sequence[Path]) -> Iterator[Box]:
    """What a detector found: of each line the picture, how sure, and the first and last pixel."""
    for file in files:
        category = class_of(file.name)
        for number, line in text_lines(file):
            fields = line.split()
            if not fields:
                continue
            numbers = [_number(one) for one in fields[-5:]]
            if len(fields) < 6 or None in numbers:
                yield Box(file.name, number, fields[0], category, line.strip(), reason="broken_line")
                continue
            score, *ends = numbers
            yield Box(file.name, number, " ".join(fields[:-5]), category, _box(*ends), score)  # type: ignore[arg-type]


def _parsed(path: Path) -> Element:
    """The document; entities are refused before any is used."""
    if path.stat().st_size > _LARGEST:
        raise InputError(f"It is larger than {_LARGEST // 2**20} MiB, too large for one picture.", path=path)
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refused(*declared: object) -> None:
        raise InputError(f"It declares an entity ('{declared[0]}').", path=path, remedy="Write it without.")

    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.data, refused
    try:
        parser.Parse(path.read_bytes(), True)
        return builder.close()
    except (expat.ExpatError, AssertionError, ValueError, LookupError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"It is no XML ({error}).", path=path, remedy="Copy, download or write it again.") from None


def _object(file: str, row: int, image: str, one: Element) -> Box:
    name = (one.findtext("name") or "").strip()
    ends = [_number(one.findtext(f"bndbox/{end}")) for end in ("xmin", "ymin", "xmax", "ymax")]
    flags = IGNORED * _is_set(one, "difficult") + CROWD * (_is_set(one, "iscrowd") or _is_set(one, "isGroupOf"))
    box = None if None in ends else _box(*ends)  # type: ignore[arg-type]
    return Box(file, row, image, name, box, None, flags)


def _is_set(one: Element, name: str) -> bool:
    return (one.findtext(name) or "0").strip().lower() in ("1", "true")


def _box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left - 1, top - 1, right - left + 1, bottom - top + 1


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
