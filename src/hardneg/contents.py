"""What a thing is, whatever its id: a key of its content, by which a decision finds it again in other data."""

from __future__ import annotations

from hashlib import blake2b

from hardneg import images, sounds
from hardneg.collection import Collection
from hardneg.mediafiles import BrokenMedia
from hardneg.ragged import IntArray

__all__ = ["content_keys"]


def content_keys(things: Collection, rows: IntArray) -> list[str | None]:
    """A key of each thing's picture or sound, else of its text; None for what has neither or cannot be read.

    A picture or a sound is the bytes of its file, and a part of one these with its box or times.

    >>> import numpy as np
    >>> docs = Collection.of(["a", "b"], texts=["one", "one"])
    >>> len(set(content_keys(docs, np.array([0, 1]))))
    1
    """
    pictures, heard, texts = things.pictures, things.sounds, things.texts
    out: list[str | None] = []
    for row in rows.tolist():
        try:
            if heard is not None:
                out.append(None if heard[row] is None else f"sound:{sounds.digest(heard[row]).hex()}")
            elif pictures is not None:
                out.append(None if pictures[row] is None else f"picture:{images.digest(pictures[row]).hex()}")
            else:
                out.append(_of_text(None if texts is None else texts[row].as_py()))
        except BrokenMedia:
            out.append(None)
    return out


def _of_text(text: str | None) -> str | None:
    if text is None:
        return None
    return f"text:{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
