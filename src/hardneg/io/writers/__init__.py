"""Write a run in the formats that trainers and review tools read. No search and no encoding: all is in the run.

A format with a corpus gets the items that the run holds: those that candidates or judgements name, not the whole
collection that was searched. A suspect is never written as a negative; the review formats hold suspects as such.

A new format is one file and one line here.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from hardneg.errors import OptionError
from hardneg.io.writers._base import ExportOptions, ExportReport, Writer, check_options, check_path
from hardneg.io.writers._examples import Document, Example, Hit, examples
from hardneg.io.writers._export import Export
from hardneg.io.writers._files import check_free, folder
from hardneg.io.writers.arctic import ARCTIC
from hardneg.io.writers.beir import BEIR
from hardneg.io.writers.coco import COCO
from hardneg.io.writers.cohere import COHERE
from hardneg.io.writers.colbert import COLBERT
from hardneg.io.writers.crops import CROPS
from hardneg.io.writers.dpr import DPR
from hardneg.io.writers.flagembedding import FLAGEMBEDDING, FLAGEMBEDDING_POOL
from hardneg.io.writers.image_folder import IMAGE_FOLDER
from hardneg.io.writers.image_weight import IMAGE_WEIGHT
from hardneg.io.writers.index import INDEX
from hardneg.io.writers.label_studio import LABEL_STUDIO
from hardneg.io.writers.msmarco import GPL, MSMARCO
from hardneg.io.writers.nemo import NEMO, NEMO_INLINE
from hardneg.io.writers.nemo_manifest import NEMO_MANIFEST
from hardneg.io.writers.new_positives import NEW_POSITIVES
from hardneg.io.writers.nixietune import NIXIETUNE
from hardneg.io.writers.nomic import NOMIC
from hardneg.io.writers.openwakeword import OPENWAKEWORD
from hardneg.io.writers.pylate import PYLATE
from hardneg.io.writers.sample_weight import SAMPLE_WEIGHT
from hardneg.io.writers.sentence_transformers import LABELED_LIST, LABELED_PAIR, N_TUPLE, TRIPLET
from hardneg.io.writers.sound_folder import SOUND_FOLDER
from hardneg.io.writers.speechbrain import SPEECHBRAIN
from hardneg.io.writers.spotlight import SPOTLIGHT
from hardneg.io.writers.swift import MS_SWIFT
from hardneg.io.writers.tevatron import TEVATRON, TEVATRON_PASSAGES
from hardneg.io.writers.trials import TRIALS
from hardneg.io.writers.voc import VOC
from hardneg.io.writers.yolo import YOLO
from hardneg.run import Run
from hardneg.storage import write_json

__all__ = [
    "OTHER_NAMES",
    "WRITERS",
    "Document",
    "Example",
    "ExportOptions",
    "ExportReport",
    "Hit",
    "Writer",
    "examples",
    "export",
    "find_writer",
]

WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        TRIPLET,
        N_TUPLE,
        LABELED_PAIR,
        LABELED_LIST,
        FLAGEMBEDDING,
        FLAGEMBEDDING_POOL,
        TEVATRON,
        TEVATRON_PASSAGES,
        NEMO,
        NEMO_INLINE,
        ARCTIC,
        MS_SWIFT,
        COLBERT,
        PYLATE,
        DPR,
        MSMARCO,
        GPL,
        BEIR,
        NOMIC,
        COHERE,
        NIXIETUNE,
        NEW_POSITIVES,
        LABEL_STUDIO,
        SPOTLIGHT,
        INDEX,
        SAMPLE_WEIGHT,
        IMAGE_FOLDER,
        SOUND_FOLDER,
        TRIALS,
        OPENWAKEWORD,
        SPEECHBRAIN,
        NEMO_MANIFEST,
        COCO,
        YOLO,
        VOC,
        CROPS,
        IMAGE_WEIGHT,
    )
}
OTHER_NAMES = {
    "sentence-transformers": "triplet",
    "labelled-pair": "labeled-pair",
    "labelled-list": "labeled-list",
    "sample_weight": "sample-weight",
    "image_folder": "image-folder",
    "imagefolder": "image-folder",
    "sound_folder": "sound-folder",
    "audio-folder": "sound-folder",
    "kaldi-trials": "trials",
    "image_weight": "image-weight",
    "pascal-voc": "voc",
    "ragatouille": "colbert",
    "ultralytics": "yolo",
    "llamaindex": "cohere",
}
"""What people call some of them as well."""


def find_writer(name: str) -> Writer:
    """Return the format of this name.

    Raises OptionError for an unknown one.

    >>> find_writer("sentence-transformers").name
    'triplet'
    """
    known = OTHER_NAMES.get(name, name)
    if known in WRITERS:
        return WRITERS[known]
    close = get_close_matches(name, [*WRITERS, *OTHER_NAMES], n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    raise OptionError(f"There is no format '{name}'.{hint} Known: {', '.join(WRITERS)}.")


def export(
    run: Run,
    format: str,  # noqa: A002  (the field's own word, as in --format)
    out: str | Path,
    *,
    options: ExportOptions | None = None,
) -> ExportReport:
    """Write a run in a format, whole or not at all, and account for every anchor.

    A folder gets ``manifest.json`` and a file ``<name>.manifest.json`` beside it: the run's manifest, and what was
    exported how.

    Args:
        run: A finished run.
        format: One of ``WRITERS``.
        out: The file or folder to write; its ending chooses among the format's files, and ``.gz`` packs it.
        options: How to write.

    Raises:
        OptionError: for an unknown format, an ending that does not fit, or an option it has no use for.
        InputError: for texts that the format needs and the run lacks.
        StorageError: where ``out`` exists already.
    """
    options, out = options or ExportOptions(), Path(out).absolute()
    writer = find_writer(format)
    check_options(writer, options)
    check_path(writer, out)
    sidecar = out.with_name(f"{out.name}.manifest.json") if writer.is_file(out) else None
    check_free(out, sidecar, overwrite=options.overwrite)
    if sidecar is not None:
        work = Export(run, writer, options, out, out.name)
        writer.write(work)
        write_json(_manifest(work), sidecar)
        return _report(work, out, [out, sidecar])
    with folder(out) as target:
        work = Export(run, writer, options, target, out.name)
        writer.write(work)
        write_json(_manifest(work), target / "manifest.json")
    return _report(work, out, sorted(path for path in out.rglob("*") if path.is_file()))


def _manifest(work: Export) -> dict[str, object]:
    """What was exported how; the run's own manifest stands below it, so that no export passes for a run."""
    skips = [{"reason": one.reason, "count": one.count, "examples": list(one.examples)} for one in work.skips.list()]
    about = {
        "format": work.writer.name,
        "options": work.options.given(),
        "counts": dict(work.counts),
        "skipped": skips,
        **({"notes": list(work.notes)} if work.notes else {}),
    }
    return {"export": about, "run": dict(work.run.manifest)}


def _report(work: Export, out: Path, files: list[Path]) -> ExportReport:
    return ExportReport(
        work.writer.name, out, tuple(files), dict(work.counts), tuple(work.skips.list()), tuple(work.notes)
    )
