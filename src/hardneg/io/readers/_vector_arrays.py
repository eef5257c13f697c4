"""Vectors in the files of NumPy and of safetensors; nothing is unpickled."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from hardneg.errors import InputError
from hardneg.io.readers._bytes import damaged
from hardneg.io.readers._vector_carrier import Carrier, vector_name
from hardneg.matrix import blocks
from hardneg.stored import Segment

__all__ = ["from_npy", "from_npz", "from_safetensors"]

_TENSORS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "|i1", "U8": "|u1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
}  # fmt: skip


def from_npy(path: Path) -> Carrier:
    """A ``.npy`` file, read where it lies unless it stands columns first (Fortran order)."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns_first, kind = header(file)
        offset = file.tell()
    if columns_first or kind.hasobject:
        return _packed(path, np.load(path, mmap_mode="r", allow_pickle=False))
    return Carrier(path, shape, kind, (Segment(path, offset, shape[0]),) if shape else ())


def from_npz(path: Path) -> Carrier:
    """A ``.npz`` archive: the vectors and, where there are, ``ids``."""
    with np.load(path, allow_pickle=False) as file:
        name = vector_name(path, file.files, [one for one in file.files if one != "ids"])
        ids = file["ids"].tolist() if "ids" in file.files else None
        return _packed(path, file[name], ids)


def from_safetensors(path: Path) -> Carrier:
    """A ``.safetensors`` file: the vectors and, where there are, ``ids`` (whole numbers)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            name = vector_name(path, names, [one for one in names if one != "ids"])
            ids = file.get_tensor("ids").tolist() if "ids" in names else None
            shape, kind = tuple(file.get_slice(name).get_shape()), file.get_slice(name).get_dtype()
    except SafetensorError as error:
        raise damaged(path, error) from error
    if kind not in _TENSORS:
        raise InputError(f"The tensor is {kind}, which is not read.", path=path, remedy="Save it as float32.")
    segments = (Segment(path, _place(path, name), shape[0]),) if shape else ()
    return Carrier(path, shape, np.dtype(_TENSORS[kind]), segments, ids=ids)


def _place(path: Path, name: str) -> int:
    """The byte at which a tensor begins; the file's own header says so."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return 8 + int(length) + int(json.loads(file.read(length))[name]["data_offsets"][0])


def _packed(path: Path, array: np.ndarray, ids: object | None = None) -> Carrier:
    return Carrier(path, array.shape, array.dtype, unpack=lambda: (block for _, block in blocks(array)), ids=ids)
