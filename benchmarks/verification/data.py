"""Faces, characters and voices: vectors with who or what they are of, kept in the working folder."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from benchmarks.texts import data_folder
from hardneg.collection import Collection
from hardneg.encode import EmbeddingCache, encode_images, encode_sounds, make_encoder

__all__ = ["Characters", "Named", "characters", "faces", "voices"]


@dataclass(frozen=True, eq=False)
class Named:
    """Vectors with the number of the identity of each, and of what else they share (an alphabet, a word)."""

    name: str
    vectors: NDArray[np.float32]
    codes: NDArray[np.int64]
    groups: NDArray[np.int64]

    def take(self, which: NDArray[np.bool_]) -> Named:
        """Those of a mask."""
        return Named(self.name, self.vectors[which], self.codes[which], self.groups[which])

    def collection(self) -> Collection:
        """Items with their identities as labels; ids are row numbers."""
        return Collection(pa.table({"id": np.arange(len(self.codes)), "label": self.codes.astype(str)}))


@dataclass(frozen=True, eq=False)
class Characters:
    """Handwritten characters, shape ``(n, 28, 28)`` from 0 to 1, with the character and the alphabet of each."""

    drawings: NDArray[np.float32]
    codes: NDArray[np.int64]
    alphabets: NDArray[np.int64]


def faces(encoder: str, work: Path) -> Named:
    """The 400 pictures of 40 people, by an encoder."""
    folder, rows = _unpacked("face_orl", "images.zip", work)
    pictures = [str(folder / row["path"]) for row in rows]
    vectors = encode_images(make_encoder(encoder), pictures, "item", EmbeddingCache(work / "vectors"))
    codes = _codes([row["identity"] for row in rows])
    return Named(f"faces, {encoder}", np.asarray(vectors[:]), codes, np.zeros(len(codes), np.int64))


def characters() -> Characters:
    """242 characters of 8 alphabets, each drawn by 20 people."""
    folder = data_folder() / "identity_omniglot"
    rows = _index(folder)
    with zipfile.ZipFile(folder / "images.zip") as archive:
        drawings = [_drawing(archive.read(row["path"])) for row in rows]
    return Characters(
        np.stack(drawings), _codes([row["character"] for row in rows]), _codes([row["alphabet"] for row in rows])
    )


def _drawing(content: bytes) -> NDArray[np.float32]:
    image = Image.open(io.BytesIO(content)).convert("L").resize((28, 28), Image.Resampling.BOX)
    return 1 - np.asarray(image, np.float32) / 255


def voices(takes: int, work: Path) -> Named:
    """Spoken digits of six speakers by Resemblyzer; the groups are the digits."""
    folder, rows = _unpacked("speech_fsdd", "wav.zip", work)
    rows = [row for row in rows if int(row["take"]) < takes]
    sounds = [str(folder / row["path"]) for row in rows]
    vectors = encode_sounds(make_encoder("resemblyzer"), sounds, "item", EmbeddingCache(work / "vectors"))
    digits = np.array([int(row["digit"]) for row in rows])
    return Named("voices", np.asarray(vectors[:]), _codes([row["speaker"] for row in rows]), digits)


def _codes(names: list[str]) -> NDArray[np.int64]:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _unpacked(name: str, archive: str, work: Path) -> tuple[Path, list[dict[str, str]]]:
    folder, target = data_folder() / name, work / name
    if not (target / "done").exists():
        with zipfile.ZipFile(folder / archive) as packed:
            packed.extractall(target)
        (target / "done").touch()
    return target, _index(folder)
