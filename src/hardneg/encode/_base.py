"""What an encoder is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Literal

from hardneg.images import Picture
from hardneg.notation import Step
from hardneg.similarity import FloatArray
from hardneg.sounds import Sound

__all__ = ["NOUNS", "Encoder", "ImageEncoder", "MediaEncoder", "Modality", "Role", "SoundEncoder"]

Role = Literal["anchor", "item"]
Modality = Literal["text", "image", "audio"]

# What one of each is called in a message.
NOUNS: dict[Modality, str] = {"text": "text", "image": "image", "audio": "sound"}


class LazyStep(Step):
    """A step that loads a model on first use and keeps it with ``cached_property``.

    The loaded model is no part of the step: two steps with the same options stay equal, and a pickled step
    carries its options only, so that a worker loads its own model.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


class Encoder(LazyStep):
    """Turns texts, images or sounds into vectors. A frozen dataclass whose fields are its options; loading waits.

    ``modality`` says what it reads: texts (``str``), pictures or sounds (files, or the bytes of one; clips).
    """

    modality: ClassVar[Modality] = "text"

    @property
    @abstractmethod
    def identity(self) -> str:
        """A hash of all that decides a vector: weights, tokenizer or preparation, pooling, prompts, precision.

        Two encoders with one identity give one vector for one input and role. Empty: never cache.
        """

    @abstractmethod
    def encode(self, inputs: Sequence[Any], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32, in the order of the inputs. Not normalised."""

    @property
    def chunk(self) -> int:
        """How many inputs to encode in one call. A chunk that was cut short is encoded again."""
        return 2048

    def key(self, role: Role) -> str:
        """What decides the vectors of one role; the cache files them under it. Empty: never cache.

        An encoder that knows that its roles are alike, or what sets them apart, returns a key that says so;
        then an input met in both roles is encoded once, and a changed query prompt keeps the vectors of the items.
        """
        return f"{self.identity}:{role}" if self.identity else ""


class MediaEncoder(Encoder):
    """An encoder of files; anchors and items are encoded alike."""

    @property
    def chunk(self) -> int:
        """Fewer than of texts: a file takes longer."""
        return 256

    def key(self, role: Role) -> str:  # noqa: ARG002
        """The identity alone."""
        return self.identity


class ImageEncoder(MediaEncoder):
    """An encoder of pictures."""

    modality: ClassVar[Modality] = "image"

    @abstractmethod
    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32.

        Raises BrokenImage, which is an InputError, naming the first picture that cannot be decoded.
        """


class SoundEncoder(MediaEncoder):
    """An encoder of sounds."""

    modality: ClassVar[Modality] = "audio"

    @abstractmethod
    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:
        """Vectors of shape ``(len(inputs), d)``, float32.

        Raises BrokenSound, which is an InputError, naming the first sound that cannot be decoded.
        """
