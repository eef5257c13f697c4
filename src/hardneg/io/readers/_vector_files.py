"""The carriers of vectors, recognised by their content; nothing is unpickled."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError
from hardneg.io.readers._bytes import damaged, head
from hardneg.io.readers._names import ANCHOR_ROLES, ITEM_ROLES, normal
from hardneg.io.readers._tables import open_parquet

__all__ = ["load_vectors"]

_IDS = ("ids", *ITEM_ROLES["item_id"], *ANCHOR_ROLES["anchor_id"])
_VECTORS = ("vectors", "vector", "embeddings", "embedding", "emb")
Found = tuple[NDArray[np.generic], object | None]


def load_vectors(path: Path) -> Found:
    """Return the array as it is in the file, and the ids where the file has them."""
    start = head(path)
    try:
        if start.startswith(b"\x93NUMPY"):
            return np.load(path, mmap_mode="r", allow_pickle=False), None
        if start.startswith(b"PK\x03\x04"):
            return _npz(path)
        if start.startswith(b"PAR1"):
            return _parquet(path)
        if len(start) > 9 and start[8:9] == b"{" and struct.unpack("<Q", start[:8])[0] < 2**27:
            return _safetensors(path)
    except InputError:
        raise
    except ValueError as error:
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise InputError(
                "The array holds Python objects, which are not read.",
                path=path,
                remedy="Save vectors as float32, and ids as text: np.array(ids, dtype=str).",
            ) from None
        raise damaged(path, error) from error
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise damaged(path, error) from error
    raise InputError(
        "The vectors are not recognised.", path=path, remedy="Give .npy, .npz, .safetensors or a Parquet column."
    )


def _npz(path: Path) -> Found:
    with np.load(path, allow_pickle=False) as file:
        name = _one_of(path, file.files, [one for one in file.files if one != "ids"])
        ids = file["ids"] if "ids" in file.files else None
        return file[name], None if ids is None else ids.tolist()


def _safetensors(path: Path) -> Found:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            name = _one_of(path, names, [one for one in names if one != "ids"])
            ids = file.get_tensor("ids").tolist() if "ids" in names else None
            return file.get_tensor(name), ids
    except SafetensorError as error:
        raise damaged(path, error) from error
    except TypeError as error:  # bfloat16, which NumPy does not know
        raise InputError(f"The tensor cannot be read ({error}).", path=path, remedy="Save it as float32.") from error


def _parquet(path: Path) -> Found:
    with open_parquet(path) as file:
        schema = file.schema_arrow
        lists = [one.name for one in schema if getattr(one.type, "value_type", None) is not None]
        name = _one_of(path, schema.names, lists)
        id_name = next((one for known in _IDS for one in schema.names if normal(one) == known), None)
        table = file.read(columns=[name, *([id_name] if id_name else [])])
    column = table[name].combine_chunks()
    lengths = np.diff(column.offsets.to_numpy()) if hasattr(column, "offsets") else np.array([column.type.list_size])
    if column.null_count or len(set(lengths.tolist())) > 1:
        first = int(np.flatnonzero(lengths != lengths[0])[0]) if len(lengths) > 1 else 0
        raise InputError(
            f"The vectors of the column '{name}' differ in length (first: row {first + 1}), or some are missing.",
            path=path,
        )
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), -1), table[id_name] if id_name else None


def _one_of(path: Path, names: list[str], candidates: list[str]) -> str:
    """The name of the vectors: a common one, else the only candidate."""
    for common in _VECTORS:
        if common in names:
            return common
    if len(candidates) == 1:
        return candidates[0]
    raise InputError(
        f"It is not clear which are the vectors among: {', '.join(names) or 'nothing'}.",
        path=path,
        remedy="Name them 'vectors'.",
    )
