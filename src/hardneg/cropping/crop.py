"""Every picture of a folder or table: its face found, cut out, written, and accounted for."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hardneg.cropping._listed import picture_rows, write_crops
from hardneg.cropping._places import crop_file, places
from hardneg.cropping._rules import Cut, Finding, Rules, chosen
from hardneg.cropping._work import TABLE, Work, finished
from hardneg.encode.sface import face_model_files
from hardneg.errors import InputError, OptionError
from hardneg.faces import Cutout, Face, FaceModels
from hardneg.images import BrokenImage, Picture, digest, rgb
from hardneg.io.readers import ReadOptions
from hardneg.io.readers.pictures import Pictures, read_pictures
from hardneg.io.reading import Skip, Skips
from hardneg.parallel import each
from hardneg.progress import Progress, Silent
from hardneg.storage import digest as file_digest
from hardneg.storage import place as new_file

__all__ = ["Cropped", "crop_faces"]

_PART = 64  # pictures between two lines of the journal


@dataclass(frozen=True)
class Cropped:
    """What came of it. ``skips`` were left out, ``notes`` are in use, but odd; ``anew`` is False where all was there.

    Attributes:
        out: The folder of crops.
        counts: ``read`` (rows or files), ``pictures`` looked at, ``faces`` cut out, ``identities`` they are of.
        skips: Pictures without a crop, by reason, with examples.
        notes: What is in use, but worth a look.
        anew: Whether anything was done.
    """

    out: Path
    counts: Mapping[str, int]
    skips: Sequence[Mapping[str, Any]]
    notes: Sequence[Mapping[str, Any]]
    anew: bool = True


def crop_faces(
    source: Path,
    out: Path,
    rules: Rules | None = None,
    *,
    options: ReadOptions | None = None,
    detector: str | None = None,
    recogniser: str | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Cropped:
    """Cut the faces out of the pictures of ``source`` into ``out/<identity>/<name>.png``, 112 x 112, and list them.

    ``out/faces.csv`` has a line for each crop: its path, the label and all other columns of the picture, the picture
    it is from, box, score, and how many faces are in that picture. ``out`` is called ``<out>.partial`` until all is
    done; run again after a stop, it goes on where it was. The bytes are the same whatever the threads and the stops.

    Args:
        source: A folder with a folder of pictures for each person, or a table with a path and a label.
        out: The folder to make; it must not be within ``source``, nor the other way round.
        rules: Which faces are taken.
        options: How to read a table: ``columns``, ``media_root``.
        detector: Another ONNX file of YuNet.
        recogniser: Another ONNX file of SFace, which decides how a crop is aligned.
        progress: Shows how far it is.
        overwrite: Replace crops that are there; never anything else.

    Raises:
        InputError: where no picture can be used, or none has a face.
        RunError: where ``out`` is there and may not be replaced.
        OptionError: for files that are no such models, and for one folder within the other.
        MissingExtraError: without OpenCV, Pillow, or the package with the models.
    """
    rules, progress = rules or Rules(), progress or Silent()
    _refuse_within(source, out)
    files = face_model_files(detector, recogniser)
    progress.say(f"Reading {source} ...")
    pictures = read_pictures(source, options)
    rows, targets = picture_rows(pictures.items), places(pictures.items)
    fingerprint = _fingerprint(rules, files, pictures, rows, targets)
    if (manifest := finished(out, fingerprint, overwrite=overwrite)) is not None:
        return _told(out, manifest, anew=False)
    work = Work(out, fingerprint, overwrite=overwrite)
    cutter = _Cutter(FaceModels(*files, least_score=rules.least_score), rules, work.partial)
    findings = _all(cutter, pictures, targets, work, progress)
    manifest = {"rules": asdict(rules), **_account(pictures, rows, findings)}
    if not manifest["counts"]["faces"]:
        work.discard()
        told = ", ".join(f"{one['count']} {one['reason']}" for one in manifest["skipped"])
        raise InputError(
            f"No face was found in {len(rows)} pictures ({told}).",
            path=source,
            remedy="Look at some of them; a lower --least-score or --least-size finds more.",
        )
    write_crops(work.partial / TABLE, rows, targets, findings)
    work.finish(manifest)
    return _told(out, manifest)


def _refuse_within(source: Path, out: Path) -> None:
    """A folder of crops within the pictures would be read as pictures the next time."""
    inner, outer = out.resolve(), (source if source.is_dir() else source.parent).resolve()
    if inner == outer or (source.is_dir() and outer in inner.parents) or inner in outer.parents:
        raise OptionError(f"The 'out' must be a folder beside '{source}', not within or around it. Got {out}.")


def _fingerprint(
    rules: Rules, files: Sequence[Path], pictures: Pictures, rows: Sequence[Mapping[str, Any]], targets: Sequence[str]
) -> str:
    """A hash of all that decides the outcome, paths of folders and files of models left out."""
    state = sha256()
    for part in (1, asdict(rules), [file_digest(file) for file in files]):
        state.update(json.dumps(part, sort_keys=True).encode())
    contents = pictures.items.table.column("content").to_pylist()
    for row, target, content in zip(rows, targets, contents, strict=True):
        state.update(json.dumps([row, target, content], default=str).encode())
    return state.hexdigest()


# --- pictures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cutter:
    """Finds, cuts out and writes the faces of one picture."""

    models: FaceModels
    rules: Rules
    folder: Path

    def __call__(self, task: tuple[Picture, str]) -> Finding:
        picture, target = task
        try:
            image = rgb(picture)
        except BrokenImage as error:  # broken only where all of it is decoded, or changed since it was read
            return Finding(error.reason, 0)
        finding, faces = chosen(self.models.find(image), self.rules)
        cuts = [
            self._written(crop_file(target, number), face, self.models.crop(image, face))
            for number, face in enumerate(faces)
        ]
        return finding._replace(cuts=tuple(cuts))

    def _written(self, file: str, face: Face, crop: Cutout) -> Cut:
        from PIL import Image

        png = io.BytesIO()
        Image.fromarray(crop).save(png, "png")
        with new_file(self.folder / file) as written:
            written.write(png.getvalue())
        left, top, width, height = (round(one, 2) for one in (face.left, face.top, face.width, face.height))
        return Cut(left, top, width, height, round(face.score, 4), digest(png.getvalue()).hex())


def _all(cutter: _Cutter, pictures: Pictures, targets: Sequence[str], work: Work, progress: Progress) -> list[Finding]:
    """The finding of each picture, part by part."""
    given, found = pictures.items.pictures, list[Finding]()
    assert given is not None  # noqa: S101 - what was read are pictures
    with progress.stage("faces", len(targets), "pictures") as report:
        for start in range(0, len(targets), _PART):
            some = targets[start : start + _PART]
            name = f"{start:09d}"
            findings = work.done(name, some)
            if findings is None:
                part = given[start : start + _PART]
                findings = each(cutter, [(part[row], target) for row, target in enumerate(some)])
                work.add(name, findings)
            found += findings
            report(len(found), len(targets))
    return found


# --- the account ------------------------------------------------------------------------------------------------------


def _account(pictures: Pictures, rows: Sequence[Mapping[str, Any]], findings: Sequence[Finding]) -> dict[str, Any]:
    skips, notes = Skips(), Skips()
    people, faces = dict[str | None, bool](), 0
    for row, finding in zip(rows, findings, strict=True):
        people[row["label"]] = people.get(row["label"], False) or bool(finding.cuts)
        faces += len(finding.cuts)
        if finding.reason is not None:
            skips.add(finding.reason, row["source"])
        elif finding.faces > 1:
            taken = "all_taken" if len(finding.cuts) > 1 else "largest_taken"
            notes.add(f"several_faces_{taken}", row["source"])
    people.pop(None, None)
    for label, seen in people.items():
        if not seen:
            notes.add("identity_without_a_face", str(label))
    counts = {
        "read": pictures.total, "pictures": len(rows), "faces": faces, "identities": sum(people.values()),
    }  # fmt: skip
    return {
        "counts": counts,
        "skipped": _listed([*pictures.skips, *skips.list()]),
        "noted": _listed([*pictures.notes, *notes.list()]),
    }


def _listed(found: Sequence[Skip]) -> list[dict[str, Any]]:
    return [{"reason": one.reason, "count": one.count, "examples": list(one.examples)} for one in found]


def _told(out: Path, manifest: Mapping[str, Any], *, anew: bool = True) -> Cropped:
    return Cropped(out, manifest["counts"], manifest["skipped"], manifest["noted"], anew)
