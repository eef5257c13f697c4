"""Small labelled runs for tests: pictures as files or bytes, texts, several labels, classes as anchors, suspects."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from hardneg.collection import Collection
from hardneg.context import Vectors, anchors_of
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors

Content = Literal["path", "image", "text", "none"]
NAMES = ("cat", "dog", "great/ape", "..")  # two of them are no names for folders


def png(level: int, side: int = 12) -> bytes:
    """A small grey PNG with a darker square, made without a library."""
    pixels = np.full((side, side), 255 - level % 200, np.uint8)
    pixels[2:6, 2 + level % 4 : 6] = 20
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def labelled(
    folder: Path,
    content: Content = "path",
    *,
    anchors: Literal["items", "classes"] = "items",
    several: bool = False,
    items: int = 48,
    texts: list[str] | None = None,
    **options: Any,
) -> Run:
    """Mine items of four classes, every twelfth of them unlabelled; the nearest of other classes are suspect.

    The run is ``folder/run``; pictures lie in ``folder/pictures``, two of them under the same name.
    """
    rng = np.random.default_rng(2)
    of = np.arange(items) % len(NAMES)
    vectors = (rng.normal(size=(len(NAMES), 6))[of] + 0.8 * rng.normal(size=(items, 6))).astype(np.float32)
    labels: list[Any] = [None if row % 12 == 11 else NAMES[code] for row, code in enumerate(of)]
    if several:
        labels = [one and ([one, "dog"] if row % 9 == 0 and one != "dog" else [one]) for row, one in enumerate(labels)]
    columns: dict[str, Any] = {"id": [f"i{row}" for row in range(items)], "label": pa.array(labels)}
    if content == "text":
        columns["text"] = texts or [f"text {row} of a {NAMES[code]}" for row, code in enumerate(of)]
    elif content == "image":
        columns["image"] = pa.array([png(7 * row) for row in range(items)], pa.binary())
    elif content == "path":
        columns["path"] = [f"{row % 3}/{'same' if row in (1, 5) else f'p{row}'}.png" for row in range(items)]
        for row, path in enumerate(columns["path"]):
            (file := folder / "pictures" / path).parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png(7 * row))
    root = folder / "pictures" if content == "path" else None
    positives = Positives.from_labels(Collection(pa.table(columns), root), anchors=anchors, listed=3)
    given = {"filters": ["known", "margin(ceiling=0.8)"], "sampler": "top(n=3)"}
    encoder = Vectors(anchors_of(vectors, positives, "cosine"), vectors)
    made = mine(positives, sources=Neighbors(k=12), encoder=encoder, out=folder / "run", **given | options)
    for things in (made.items, made.anchors):  # where a run does not yet say where its pictures are
        object.__setattr__(things, "root", root)
    return made
