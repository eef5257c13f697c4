"""Encoders by name, and from a bare model name or folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from hardneg.encode._base import Encoder
from hardneg.encode.descriptor import Descriptor
from hardneg.encode.efficientnet_lite0 import EfficientNetLite0
from hardneg.encode.function import Function
from hardneg.encode.image_function import ImageFunction
from hardneg.encode.logmel import LogMel
from hardneg.encode.mobilenet_v2 import MobileNetV2
from hardneg.encode.onnx_image import OnnxImage
from hardneg.encode.open_clip import OpenClip
from hardneg.encode.openwakeword import OpenWakeWord
from hardneg.encode.resemblyzer import Resemblyzer
from hardneg.encode.sentence_transformers import SentenceTransformers
from hardneg.encode.sface import SFace
from hardneg.encode.sound_function import SoundFunction
from hardneg.encode.timm import Timm
from hardneg.encode.transformers_audio import TransformersAudio
from hardneg.encode.transformers_image import TransformersImage
from hardneg.encode.wordllama import WordLlama
from hardneg.errors import OptionError
from hardneg.notation import Registry, nearest

__all__ = ["ENCODERS", "is_model", "make_encoder"]

ENCODERS: Registry[Encoder] = Registry(
    "encoder",
    Encoder,  # type: ignore[type-abstract]
    [
        *(WordLlama, SentenceTransformers, Function),
        *(Descriptor, EfficientNetLite0, MobileNetV2, Timm, TransformersImage, OpenClip, ImageFunction),
        *(SFace, OnnxImage),
        *(LogMel, Resemblyzer, OpenWakeWord, TransformersAudio, SoundFunction),
    ],
)

_PATH = re.compile(r"[^()=,:\"]*[/\\][^()=,:\"]*")
_NAME = re.compile(r"[\w.-]+")


def make_encoder(spec: str | Encoder) -> Encoder:
    """An encoder from its text; a bare model name or folder means sentence_transformers.

    Models of images and sounds are named by their step: ``timm(resnet18)``, ``transformers_image(folder)``.

    Raises OptionError for an unknown name or option, and for a file.

    >>> str(make_encoder("wordllama(dim=128)")), str(make_encoder("BAAI/bge-small-en-v1.5"))
    ('wordllama(dim=128)', 'sentence_transformers(model=BAAI/bge-small-en-v1.5)')
    """
    if isinstance(spec, str) and is_model(spec.strip(), ENCODERS.steps):
        return SentenceTransformers(_no_file(spec.strip()))
    return ENCODERS.make(spec)


def is_model(text: str, names: Mapping[str, object]) -> bool:
    """Whether a text is a model's folder or name, rather than a step or a slip in one of ``names``.

    A single word is meant for a step: the hub's models are called ``org/name``, or have a hyphen or a point.

    >>> is_model("org/model", {"wordllama": WordLlama}), is_model("wordlama", {"wordllama": WordLlama})
    (True, False)
    """
    if text in names:
        return False
    if text and Path(text).is_dir():
        return True
    bare = text.removeprefix("./").rstrip("/\\")
    if text.isidentifier() or (_NAME.fullmatch(bare) and nearest(bare, names, likeness=0.7)):
        return False
    return bool(_PATH.fullmatch(text) or _NAME.fullmatch(text))


def _no_file(model: str) -> str:
    if model.endswith(".onnx") or Path(model).is_file():
        raise OptionError(
            f"'{model}' is a file. Name the encoder that reads it, as in onnx_image({model}); other models are folders."
        )
    return model
