"""What an encoder must do."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from hardneg.encode import ENCODERS, Encoder, Modality, Role
from hardneg.encode._base import NOUNS
from hardneg.similarity import FloatArray
from hardneg.testing._expect import expect, expect_round_trip
from hardneg.testing._pictures import pictures
from hardneg.testing._sounds import sounds

__all__ = ["check_encoder"]

TEXTS = (
    "a red fox",
    "the hen in the barn sleeps while the fox waits outside and the owl looks on",
    "How do I sync a folder?",
    "a red fox",
    "Größe, naïve, 東京, नमस्ते",
    "x",
)


def check_encoder(encoder: Encoder, inputs: Sequence[Any] | None = None, *, tolerance: float = 1e-4) -> None:
    """Raise AssertionError unless an encoder keeps its promises.

    It gives one finite float32 vector for each text (image, sound) in their order, the same within ``tolerance``
    (relative to the longest vector) whatever others go with it, and none for none. Its identity and keys do not
    change, and say the same in another process (through pickle). Its text makes it again.

    Args:
        encoder: the encoder to check.
        inputs: what to encode: at least three different texts, images or sounds, and one twice; none takes ours.
        tolerance: how far a vector may move with the batch; padding and threads change the last bits of a model.
    """
    expect_round_trip(ENCODERS, encoder)
    expect(encoder.modality in get_args(Modality), encoder, "say what it reads, text, image or audio", encoder.modality)
    expect(encoder.chunk >= 1, encoder, f"take at least one {NOUNS[encoder.modality]} in a call", encoder.chunk)
    identity = encoder.identity
    expect(isinstance(identity, str), encoder, "give its identity as text", type(identity).__name__)
    given = list(inputs) if inputs is not None else list(_own(encoder.modality))
    for role in get_args(Role):
        _check_vectors(encoder, given, role, tolerance)
    expect(encoder.identity == identity, encoder, "keep its identity while it works")
    _check_copy(encoder, given, tolerance)


def _own(modality: Modality) -> Sequence[Any]:
    return TEXTS if modality == "text" else pictures() if modality == "image" else sounds()


def _check_vectors(encoder: Encoder, inputs: list[Any], role: Role, tolerance: float) -> None:
    kind = NOUNS[encoder.modality]
    whole = _encoded(encoder, inputs, role)
    given = list(inputs)
    _expect_close(_encoded(encoder, inputs, role), whole, encoder, "give the same vectors again", tolerance)
    expect(inputs == given, encoder, f"leave the {kind}s as they are")
    turned = _encoded(encoder, inputs[::-1], role)[::-1]
    _expect_close(turned, whole, encoder, f"give vectors in the order of the {kind}s", tolerance)
    alone = np.concatenate([_encoded(encoder, [one], role) for one in inputs])
    _expect_close(alone, whole, encoder, f"give each {kind} the same vector whatever goes with it", tolerance)
    different = len(np.unique(whole.round(3), axis=0))
    expect(different > 1, encoder, f"give different {kind}s different vectors")
    none = encoder.encode([], role)
    expect(np.size(none) == 0, encoder, f"give no vectors for no {kind}s", np.shape(none))


def _encoded(encoder: Encoder, inputs: list[Any], role: Role) -> FloatArray:
    found = encoder.encode(inputs, role)
    expect(isinstance(found, np.ndarray), encoder, "give an array", type(found).__name__)
    shape, rule = np.shape(found), f"give one row for each {NOUNS[encoder.modality]}"
    expect(len(shape) == 2 and shape[0] == len(inputs) and shape[1] > 0, encoder, rule, shape)
    expect(found.dtype == np.float32, encoder, "give float32", found.dtype)
    expect(np.isfinite(found).all(), encoder, "give finite vectors")
    return found


def _expect_close(one: FloatArray, other: FloatArray, encoder: Encoder, rule: str, tolerance: float) -> None:
    expect(one.shape == other.shape, encoder, rule, f"{one.shape} and {other.shape}")
    longest = max(float(np.linalg.norm(other, axis=1).max(initial=0)), 1e-30)
    gap = float(np.abs(one - other).max(initial=0)) / longest
    expect(gap <= tolerance, encoder, f"{rule} (within {tolerance:g})", f"{gap:.2g}")


def _check_copy(encoder: Encoder, inputs: list[Any], tolerance: float) -> None:
    """A copy as another process gets it; an encoder around a function that cannot travel is passed over."""
    try:
        copy = pickle.loads(pickle.dumps(encoder))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError):
        return
    expect(copy == encoder, encoder, "equal its copy")
    expect(copy.identity == encoder.identity, encoder, "have the identity of its copy")
    for role in get_args(Role):
        expect(copy.key(role) == encoder.key(role), encoder, "have the keys of its copy")
        theirs, ours = copy.encode(inputs, role), encoder.encode(inputs, role)
        _expect_close(theirs, ours, encoder, "encode like its copy", tolerance)
