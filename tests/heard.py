"""Small runs of sounds for tests: files, clips of a recording or bytes, with words, speakers and suspects."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hardneg.collection import Collection
from hardneg.context import Vectors, anchors_of
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Neighbors
from hardneg.testing._sounds import saved

Content = Literal["files", "clips", "bytes"]
WORDS = ("yes", "no", "up/down", "..")  # two of them are no names for folders
SPEAKERS = ("ann", "bob", "cy")
RATE = 16_000
SECONDS = 0.25


def wave_of(row: int, rate: int = RATE) -> NDArray[np.float64]:
    """The sound of an item: a tone of its own, fading, so that no two are alike."""
    at = np.arange(round(SECONDS * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * (200 + 40 * row) * at) * np.exp(-2 * at)


def heard(
    folder: Path,
    content: Content = "files",
    *,
    same: str = "label",
    anchors: Literal["items", "classes"] = "items",
    items: int = 48,
    subtype: str = "PCM_16",
    extra: dict[str, Any] | None = None,
    **options: Any,
) -> Run:
    """Mine sounds of four words and three speakers, every twelfth without a word; the nearest are suspect.

    The run is ``folder/run``; sounds lie in ``folder/sounds``. Clips are of two recordings with two channels.
    """
    rng = np.random.default_rng(2)
    of = np.arange(items) % len(WORDS)
    vectors = (rng.normal(size=(len(WORDS), 6))[of] + 0.8 * rng.normal(size=(items, 6))).astype(np.float32)
    columns: dict[str, Any] = {
        "id": [f"i{row}" for row in range(items)],
        "label": [None if row % 12 == 11 else WORDS[code] for row, code in enumerate(of)],
        "speaker": [SPEAKERS[row // 4 % len(SPEAKERS)] for row in range(items)],
        **_sounds(folder / "sounds", content, items, subtype),
        **(extra or {}),
    }
    root = None if content == "bytes" else folder / "sounds"
    positives = Positives.from_segments(Collection(pa.table(columns), root), same=same, anchors=anchors, listed=3)
    given = {"filters": ["known", "margin(ceiling=0.8)"], "sampler": "top(n=3)"}
    encoder = Vectors(anchors_of(vectors, positives, "cosine"), vectors)
    return mine(positives, sources=Neighbors(k=12), encoder=encoder, out=folder / "run", **given | options)


def _sounds(folder: Path, content: Content, items: int, subtype: str) -> dict[str, Any]:
    if content == "bytes":
        return {"audio": pa.array([saved(wave_of(row), subtype=subtype) for row in range(items)], pa.binary())}
    if content == "files":
        names = [f"{row % 3}/{'same' if row in (1, 5) else f's{row}'}.wav" for row in range(items)]
        for row, name in enumerate(names):
            (file := folder / name).parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(saved(wave_of(row), subtype=subtype))
        return {"audio": names}
    folder.mkdir(parents=True)
    half = items // 2
    for part in range(2):
        waves = np.concatenate([wave_of(row) for row in range(part * half, (part + 1) * half)])
        stereo = np.stack([waves, 0.5 * waves], axis=1)
        (folder / f"call {part}.wav").write_bytes(saved(stereo, subtype=subtype))
    start = [row % half * SECONDS for row in range(items)]
    return {
        "audio": [f"call {row // half}.wav" for row in range(items)],
        "start": start,
        "end": [one + SECONDS for one in start],
    }
