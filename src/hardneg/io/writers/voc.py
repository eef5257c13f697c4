"""Pascal VOC: ``Annotations/*.xml``, ``JPEGImages/`` and ``ImageSets/Main/train.txt``.

Corners are counted from 1 and belong to the box, as in the development kit: a box from ``left`` of ``width`` pixels has
``xmin = left + 1`` and ``xmax = left + width``. Suspects, and what counts for nothing in the data set, have
``difficult`` 1: MMDetection then ignores them (``datasets/xml_style.py``); Detectron2 takes them for things
(``data/datasets/pascal_voc.py`` drops nothing). An image in which nothing is has an annotation without an object. The
mined boxes are in ``hard_negatives.csv``.

Readers look for ``JPEGImages/<name>.jpg`` whatever the picture is, so each picture is called so; its bytes stay as they
are, and image libraries go by these. Those that are no JPEG are counted as ``pictures_not_jpeg``. Pictures are symbolic
links unless ``files`` says otherwise. ``hard_class`` adds objects of the class ``hard_negative``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

from hardneg.io.writers._base import Writer
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import opened
from hardneg.io.writers._ground_truth import BoxOf
from hardneg.io.writers._hard_class import HARD_CLASS, check_hard_class
from hardneg.io.writers._hard_negatives import write_hard_negatives
from hardneg.io.writers._mined_boxes import Scenes, scenes
from hardneg.io.writers._photos import Size, Stems, check_photos, clipped, put_photo, size_of

__all__ = ["VOC"]

_JPEG = (".jpg", ".jpeg")


def _write(export: Export) -> None:
    found, stems = scenes(export), Stems()
    check_photos(export, found.truth)
    check_hard_class(export, found.truth)
    pictures, notes, sets = (export.target / part for part in ("JPEGImages", "Annotations", "ImageSets/Main"))
    for one in (pictures, notes, sets):
        one.mkdir(parents=True)
    names: dict[int, str] = {}
    for row in found.rows():
        photo = found.truth.images[row]
        size = size_of(export, photo)
        if size is None:
            continue
        stem, suffix = stems.of(photo)
        if put_photo(export, photo, pictures / f"{stem}.jpg"):
            _write_xml(export, notes / f"{stem}.xml", found, row, size)
            names[row] = stem
            export.counts["pictures_not_jpeg"] += suffix not in _JPEG
    with opened(sets / "train.txt") as file:
        file.writelines(f"{name}\n".encode() for name in names.values())
    write_hard_negatives(export, found, {row: f"JPEGImages/{name}.jpg" for row, name in names.items()})
    export.rows(len(names))


def _write_xml(export: Export, path: Path, found: Scenes, row: int, size: Size) -> None:
    root = Xml.Element("annotation")
    Xml.SubElement(root, "folder").text = "JPEGImages"
    Xml.SubElement(root, "filename").text = f"{path.stem}.jpg"
    _fill(Xml.SubElement(root, "size"), width=size[0], height=size[1], depth=3)
    Xml.SubElement(root, "segmented").text = "0"
    for name, box, difficult in _objects(export, found, row):
        if (part := clipped(box, size)) is None:
            export.skips.add("box_outside_the_picture", f"{found.truth.images[row].name}: {box}")
            continue
        left, top, width, height = part
        thing = Xml.SubElement(root, "object")
        Xml.SubElement(thing, "name").text = name
        Xml.SubElement(thing, "pose").text = "Unspecified"
        _fill(thing, truncated=int(part != box), difficult=int(difficult))
        _fill(Xml.SubElement(thing, "bndbox"), xmin=left + 1, ymin=top + 1, xmax=left + width, ymax=top + height)
        export.counts["boxes_written"] += not difficult
    Xml.indent(root)
    with opened(path) as file:
        file.write(Xml.tostring(root, encoding="utf-8") + b"\n")


def _objects(export: Export, found: Scenes, row: int) -> Iterator[tuple[str, BoxOf, bool]]:
    names = [one.name for one in found.truth.categories]
    for one in found.truth.boxes.get(row, ()):
        yield names[one.category], one.box, one.uncounted
    for doubted in found.suspects.get(row, ()):
        yield names[doubted.category], doubted.box, True
    if export.options.hard_class:
        for box in dict.fromkeys(mined.box for mined in found.negatives.get(row, ()) if mined.background):
            yield HARD_CLASS, box, False


def _fill(parent: Xml.Element, **figures: float) -> None:
    """Give an element children with figures, without a fraction where they are whole."""
    for name, value in figures.items():
        Xml.SubElement(parent, name).text = f"{value:.10g}"


VOC = Writer(
    "voc", "trainers that read Pascal VOC: Annotations/, JPEGImages/, ImageSets/; suspects are difficult", (),
    "boxes, categories", _write, ("files", "hard_class", "backgrounds"), texts=False,
)  # fmt: skip
