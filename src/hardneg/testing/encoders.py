"""What an encoder must do."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import get_args

import numpy as np

from hardneg.encode import ENCODERS, Encoder, Role
from hardneg.similarity import FloatArray
from hardneg.testing._expect import expect, expect_round_trip

__all__ = ["check_encoder"]

TEXTS = (
    "a red fox",
    "the hen in the barn sleeps while the fox waits outside and the owl looks on",
    "How do I sync a folder?",
    "a red fox",
    "Größe, naïve, 東京, नमस्ते",
    "x",
)


def check_encoder(encoder: Encoder, texts: Sequence[str] = TEXTS, *, tolerance: float = 1e-4) -> None:
    """Raise AssertionError unless an encoder keeps its promises.

    It gives one finite float32 vector for each text in their order, the same within ``tolerance`` (relative to the
    longest vector) whatever other texts go with it, and none for no texts. Its identity and keys do not
    change, and say the same in another process (through pickle). Its text makes it again.

    Args:
        encoder: the encoder to check.
        texts: what to encode: at least three different ones, and one twice.
        tolerance: how far a vector may move with the batch; padding and threads change the last bits of a model.
    """
    expect_round_trip(ENCODERS, encoder)
    expect(encoder.chunk >= 1, encoder, "take at least one text in a call", encoder.chunk)
    identity = encoder.identity
    expect(isinstance(identity, str), encoder, "give its identity as text", type(identity).__name__)
    for role in get_args(Role):
        _check_vectors(encoder, list(texts), role, tolerance)
    expect(encoder.identity == identity, encoder, "keep its identity while it works")
    _check_copy(encoder, list(texts), tolerance)


def _check_vectors(encoder: Encoder, texts: list[str], role: Role, tolerance: float) -> None:
    whole = _encoded(encoder, texts, role)
    given = list(texts)
    _expect_close(_encoded(encoder, texts, role), whole, encoder, "give the same vectors again", tolerance)
    expect(texts == given, encoder, "leave the texts as they are")
    _expect_close(
        _encoded(encoder, texts[::-1], role)[::-1], whole, encoder, "give vectors in the order of the texts", tolerance
    )
    alone = np.concatenate([_encoded(encoder, [text], role) for text in texts])
    _expect_close(alone, whole, encoder, "give a text the same vector whatever goes with it", tolerance)
    different = len(np.unique(whole.round(3), axis=0))
    expect(different > 1, encoder, "give different texts different vectors")
    none = encoder.encode([], role)
    expect(np.size(none) == 0, encoder, "give no vectors for no texts", np.shape(none))


def _encoded(encoder: Encoder, texts: list[str], role: Role) -> FloatArray:
    found = encoder.encode(texts, role)
    expect(isinstance(found, np.ndarray), encoder, "give an array", type(found).__name__)
    shape = np.shape(found)
    expect(len(shape) == 2 and shape[0] == len(texts) and shape[1] > 0, encoder, "give one row for each text", shape)
    expect(found.dtype == np.float32, encoder, "give float32", found.dtype)
    expect(np.isfinite(found).all(), encoder, "give finite vectors")
    return found


def _expect_close(one: FloatArray, other: FloatArray, encoder: Encoder, rule: str, tolerance: float) -> None:
    expect(one.shape == other.shape, encoder, rule, f"{one.shape} and {other.shape}")
    longest = max(float(np.linalg.norm(other, axis=1).max(initial=0)), 1e-30)
    gap = float(np.abs(one - other).max(initial=0)) / longest
    expect(gap <= tolerance, encoder, f"{rule} (within {tolerance:g})", f"{gap:.2g}")


def _check_copy(encoder: Encoder, texts: list[str], tolerance: float) -> None:
    """A copy as another process gets it; an encoder around a function that cannot travel is passed over."""
    try:
        copy = pickle.loads(pickle.dumps(encoder))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError):
        return
    expect(copy == encoder, encoder, "equal its copy")
    expect(copy.identity == encoder.identity, encoder, "have the identity of its copy")
    for role in get_args(Role):
        expect(copy.key(role) == encoder.key(role), encoder, "have the keys of its copy")
        _expect_close(copy.encode(texts, role), encoder.encode(texts, role), encoder, "encode like its copy", tolerance)
