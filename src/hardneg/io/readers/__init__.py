r"""Reading a data set, whatever it is written in.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     file = Path(folder, "pairs.csv")
...     _ = file.write_text("query,answer\nWho wrote Emma?,Jane Austen\nWho wrote Faust?,Goethe\n")
...     reading = read(file)
>>> reading.format, len(reading.positives.anchors), len(reading.positives.items)
('pairs, csv', 2, 2)
"""

from __future__ import annotations

from pathlib import Path

from hardneg.errors import InputError, OptionError
from hardneg.io.readers._base import ROLES, Format, ReadOptions
from hardneg.io.readers._decided import decisions_of, with_decisions
from hardneg.io.readers.audacity import AUDACITY
from hardneg.io.readers.beir import BEIR
from hardneg.io.readers.coco import COCO
from hardneg.io.readers.kaldi import KALDI
from hardneg.io.readers.labelled import LABELLED
from hardneg.io.readers.lfw import LFW
from hardneg.io.readers.pairs import CARRIED_PAIRS, PAIRS
from hardneg.io.readers.rttm import RTTM
from hardneg.io.readers.trials import TRIALS
from hardneg.io.readers.vectors import read_vectors
from hardneg.io.readers.voc import VOC
from hardneg.io.readers.yolo import YOLO
from hardneg.io.reading import Reading, Skips

__all__ = ["FORMATS", "ROLES", "Format", "ReadOptions", "decisions_of", "read", "read_vectors"]

_RECOGNISED = (BEIR, COCO, YOLO, VOC, KALDI, RTTM, AUDACITY, TRIALS, LFW, LABELLED, PAIRS)
FORMATS: dict[str, Format] = {one.name: one for one in (*_RECOGNISED, *CARRIED_PAIRS)}
"""All formats by name. The first whose ``sniff`` says yes reads the path."""


def read(path: Path | str, *, format: str | None = None, options: ReadOptions | None = None) -> Reading:  # noqa: A002
    """Read a data set.

    Args:
        path: A file or a folder.
        format: The name of a format, one of ``FORMATS``; recognised by the content if not given.
        options: How to read it.

    Returns:
        The relations, the rows left out with their reasons, and the files used.

    Raises:
        InputError: for data that are wrong, with file, line and remedy.
        OptionError: for an unknown format, or an option that the format does not have.
        MissingExtraError: for a format that needs a package which is not installed.
    """
    path = Path(path)
    if not path.exists():
        raise InputError("There is no such file or folder.", path=path)
    if not path.is_file() and not path.is_dir():
        raise InputError(
            "This is a pipe or a device, and what is read is read more than once.",
            path=path,
            remedy="Write it to a file first.",
        )
    if format is not None and format not in FORMATS:
        raise OptionError(f"There is no format '{format}'. Choose from: {', '.join(FORMATS)}.")
    options = options or ReadOptions()
    chosen = FORMATS[format] if format else next((one for one in FORMATS.values() if one.sniff(path, options)), None)
    if chosen is None:
        looked_for = "; ".join(one.looks_for for one in _RECOGNISED)
        raise InputError(
            f"The format is not recognised. Looked for: {looked_for}.",
            path=path,
            remedy=f"Name it with --format, one of: {', '.join(FORMATS)}.",
        )
    reading = chosen.read(path, options, Skips())
    return with_decisions(reading, options.decisions) if options.decisions else reading
