"""Scores that a detector gave elsewhere: a ``.npy`` for each recording, or a table with a score a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.listening.detectors import Scored
from hardneg.listening.hearing import Hearing
from hardneg.listening.recordings import Recording
from hardneg.ragged import IntArray
from hardneg.storage import read_table

__all__ = ["Given"]

_REGULAR = 0.01  # of a hop: times that were rounded when they were written are still those of windows


@dataclass(frozen=True, eq=False)
class Given:
    """Scores by recording, or a folder that holds them; ``of`` gives those of one."""

    keywords: tuple[str, ...]
    arrays: Mapping[str, Scored] | None = None
    files: Mapping[str, Path] | None = None
    folder: Path = Path()

    @classmethod
    def in_folder(cls, folder: Path, keywords: tuple[str, ...]) -> Given:
        """Files named like the recordings (``calls/a.wav``: ``calls/a.npy``), or what listening has written.

        Each holds an array of shape ``(windows,)`` or ``(windows, keywords)``.
        """
        listed = folder / "recordings.parquet"
        if not listed.is_file():
            return cls(keywords, folder=folder)
        table = read_table(listed)
        names = (table.column(one).to_pylist() for one in ("recording", "scores"))
        return cls(keywords, files={name: folder / file for name, file in zip(*names, strict=True) if file})

    @classmethod
    def in_table(cls, table: pa.Table, hearing: Hearing, keywords: tuple[str, ...], path: Path) -> Given:
        """Rows of ``recording, time, keyword, score``; ``time`` is where the window begins, in seconds.

        Without a column ``keyword`` all scores are of the one keyword. Raises InputError for a window that has no
        score, or two, and for times that are no multiples of the hop.
        """
        missing = [one for one in ("recording", "time", "score") if one not in table.column_names]
        if missing:
            found = ", ".join(table.column_names)
            remedy = "It must have: recording, time, score and, for several keywords, keyword."
            raise InputError(f"There is no column '{missing[0]}'. Found: {found}.", path=path, remedy=remedy)
        columns = {name: _numbers(table, name, path) for name in ("time", "score")}
        recordings = pc.cast(table.column("recording"), pa.string()).combine_chunks().dictionary_encode()
        which = recordings.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        keyword = _keywords(table, keywords, path)
        arrays = {}
        for number, name in enumerate(recordings.dictionary.to_pylist()):
            rows = np.flatnonzero(which == number)
            time, score, code = columns["time"][rows], columns["score"][rows], keyword[rows]
            arrays[name] = _placed(time / hearing.hop, score, code, len(keywords), f"'{name}'", path)
        return cls(keywords, arrays=arrays)

    def of(self, recording: Recording, seconds: float, hearing: Hearing) -> Scored | None:
        """The scores of a recording, shape ``(windows, keywords)``; None where there are none.

        Raises InputError for another shape, NaN, or more windows than begin within the recording.
        """
        if self.arrays is not None:
            found, path = self.arrays.get(recording.name), None
        else:
            path = self._file(recording.name)
            found = _loaded(path) if path is not None else None
        if found is None:
            return None
        found = found[:, None] if found.ndim == 1 else found
        k = len(self.keywords)
        if found.ndim != 2 or found.shape[1] != k or found.dtype.kind not in "fiu":
            remedy = "Name one keyword for each column: --keyword yes --keyword no."
            told = f"The scores must be numbers of shape (windows, {k}). Got {found.dtype} {found.shape}."
            raise InputError(told, path=path, remedy=remedy)
        if len(found) and (len(found) - 1) * hearing.hop >= seconds:
            told = (
                f"There are {len(found)} scores, one each {hearing.hop:g} s, and '{recording.name}' has {seconds:g} s."
            )
            raise InputError(told, path=path, remedy="Say how far apart they are: --hop.")
        return found

    def _file(self, name: str) -> Path | None:
        if self.files is not None:
            found = self.files.get(name)
            return found if found is not None and found.is_file() else None
        places = (self.folder / Path(name).with_suffix(".npy"), self.folder / f"{name}.npy")
        return next((one for one in places if one.is_file()), None)


def _loaded(path: Path) -> Scored:
    try:
        found: Scored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"These are no scores that can be read ({error}).", path=path) from None
    return found


def _numbers(table: pa.Table, name: str, path: Path) -> NDArray[np.float64]:
    try:
        found = np.asarray(table.column(name).cast(pa.float64()).to_numpy(), np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"The column '{name}' must hold numbers: {error}.", path=path) from None
    if not np.isfinite(found).all():
        raise InputError(f"The '{name}' of row {int(np.isfinite(found).argmin()) + 1} is no finite number.", path=path)
    return found


def _keywords(table: pa.Table, keywords: tuple[str, ...], path: Path) -> IntArray:
    if "keyword" not in table.column_names:
        if len(keywords) > 1:
            raise InputError("There is no column 'keyword', and several keywords are named.", path=path)
        return np.zeros(table.num_rows, np.int64)
    texts = pc.cast(table.column("keyword"), pa.string())
    codes = pc.fill_null(pc.index_in(texts, value_set=pa.array(keywords)), -1).to_numpy()
    if (codes < 0).any():
        other = texts[int((codes < 0).argmax())].as_py()
        raise InputError(f"The keyword {other!r} is not named.", path=path, remedy=f"Name it: --keyword {other}.")
    return np.asarray(codes, np.int64)


def _placed(
    at: NDArray[np.float64],
    score: NDArray[np.float64],
    keyword: IntArray,
    keywords: int,
    whose: str,
    path: Path,
) -> Scored:
    """Scores by window and keyword; each must be there once."""
    window = np.rint(at).astype(np.int64)
    odd = np.abs(at - window) > _REGULAR
    if odd.any() or window.min() < 0:
        row = int(odd.argmax() if odd.any() else window.argmin())
        remedy = "Times are those at which windows begin. Say how far apart they are: --hop."
        raise InputError(f"A time of {whose} is {at[row]:g} hops after its beginning.", path=path, remedy=remedy)
    count = np.zeros((int(window.max()) + 1, keywords), np.int64)
    np.add.at(count, (window, keyword), 1)
    if (count != 1).any():
        first, which = (int(one[0]) for one in np.nonzero(count != 1))
        told = f"Window {first} of {whose} has {count[first, which]} scores for keyword {which + 1}; it must have one."
        raise InputError(told, path=path, remedy="Give each window's score once, also where nothing was heard.")
    out = np.empty(count.shape, np.float32)
    out[window, keyword] = score
    return out
