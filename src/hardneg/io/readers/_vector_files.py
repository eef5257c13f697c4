"""Files of vectors, recognised by their content, and folders of such files."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from hardneg.collection import as_ids
from hardneg.errors import InputError
from hardneg.io.readers._bytes import head, text_lines
from hardneg.io.readers._vector_arrays import from_npy, from_npz, from_safetensors
from hardneg.io.readers._vector_carrier import Carrier, matrix_of, reading
from hardneg.io.readers._vector_tables import STREAM, from_arrow, from_parquet
from hardneg.matrix import Matrix

__all__ = ["load_vectors", "vector_files"]

_SUFFIXES = {".npy", ".npz", ".safetensors", ".parquet", ".arrow", ".feather"}
_KNOWN = ".npy, .npz, .safetensors, Parquet, Arrow, or a folder of such files"


def load_vectors(path: Path, what: str) -> tuple[Matrix, pa.Array | None]:
    """Return the vectors of a file, or of all files of a folder in order, and their ids where they have some.

    Raises InputError for what is unknown, damaged or empty, and for files that do not fit together.
    """
    carriers = [_carrier(one, what) for one in _files(path)]
    carriers = [one for one in carriers if one.shape[0]]
    if not carriers:
        raise InputError("There are no vectors.", path=path, remedy=f"Give {_KNOWN}.")
    for one in carriers[1:]:
        _require_alike(carriers[0], one)
    ids = _ids(carriers)
    return matrix_of(carriers), ids


def vector_files(path: Path | str) -> list[Path]:
    """The files of vectors and, where there are, the files of ids beside them.

    >>> [one.name for one in vector_files("vectors.npy")]
    ['vectors.npy']
    """
    return [one for file in _files(Path(path)) for one in (file, _beside(file)) if one == file or one.is_file()]


def _files(path: Path) -> list[Path]:
    """The file, or the files of a folder, shard-2 before shard-10."""
    if not path.is_dir():
        return [path]
    state = path / "state.json"  # of a saved data set; other Arrow files beside it are caches
    if state.is_file():
        with reading(state):
            listed = [path / one["filename"] for one in json.loads(state.read_text("utf-8"))["_data_files"]]
        return sorted(listed, key=_natural)
    return sorted((one for one in path.iterdir() if one.suffix in _SUFFIXES), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(int(one), "") if one.isdecimal() else (0, one) for one in parts]


def _carrier(path: Path, what: str) -> Carrier:
    read = _reader(path)
    with reading(path):
        found = read(path)
    if len(found.shape) != 2 or found.shape[1] == 0 or found.dtype.kind not in "fiu":
        raise InputError(
            f"The {what} vectors must be numbers of shape (n, d). Got {found.dtype} of shape {found.shape}.", path=path
        )
    return found


def _reader(path: Path) -> Callable[[Path], Carrier]:
    start = head(path)
    if start.startswith(b"\x93NUMPY"):
        return from_npy
    if start.startswith(b"PK\x03\x04"):
        return from_npz
    if start.startswith(b"PAR1"):
        return from_parquet
    if start.startswith((b"ARROW1", STREAM)):
        return from_arrow
    if len(start) > 9 and start[8:9] == b"{" and struct.unpack("<Q", start[:8])[0] < 2**27:
        return from_safetensors
    raise InputError("The vectors are not recognised.", path=path, remedy=f"Give {_KNOWN}.")


def _require_alike(first: Carrier, other: Carrier) -> None:
    if (first.shape[1], first.dtype) != (other.shape[1], other.dtype):
        raise InputError(
            f"Its vectors have {other.shape[1]} numbers of type {other.dtype}, those of '{first.path.name}' "
            f"have {first.shape[1]} of type {first.dtype}.",
            path=other.path,
            remedy="Write all files of a folder alike.",
        )


def _ids(carriers: Sequence[Carrier]) -> pa.Array | None:
    """The ids of all files, or None where none of them has any."""
    found = [one.ids if one.ids is not None else _listed(_beside(one.path)) for one in carriers]
    if all(one is None for one in found):
        return None
    arrays = [_checked(ids, one) for ids, one in zip(found, carriers, strict=True)]
    if len({one.type for one in arrays}) > 1:
        arrays = [one.cast(pa.string()) for one in arrays]
    return pa.concat_arrays(arrays)


def _checked(ids: object | None, carrier: Carrier) -> pa.Array:
    if ids is None:
        raise InputError("There are no ids here, and other files of the folder have some.", path=carrier.path)
    try:
        array = as_ids(ids)
    except InputError as error:
        raise InputError(str(error), path=carrier.path) from None
    if len(array) != carrier.shape[0]:
        raise InputError(
            f"There are {len(array)} ids and {carrier.shape[0]} vectors.", path=carrier.path, remedy="Write both anew."
        )
    return array


def _beside(path: Path) -> Path:
    return path.with_suffix(".ids.txt")


def _listed(path: Path) -> list[str] | None:
    return [line.strip() for _, line in text_lines(path) if line.strip()] if path.is_file() else None
