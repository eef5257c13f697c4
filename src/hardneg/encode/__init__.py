"""From texts, images and sounds to vectors and scores: encoders, rescorers, and caches that are never out of date.

Models and their libraries are loaded on first use, never by importing this package.
"""

from hardneg.encode._base import Encoder, ImageEncoder, Modality, Role, SoundEncoder
from hardneg.encode._keys import content_keys
from hardneg.encode._rescorer import Rescorer
from hardneg.encode._resume import Progress
from hardneg.encode.cache import EmbeddingCache, default_cache_dir
from hardneg.encode.cross import CrossEncoder
from hardneg.encode.descriptor import Descriptor
from hardneg.encode.efficientnet_lite0 import EfficientNetLite0
from hardneg.encode.encoding import encode_images, encode_sounds, encode_texts
from hardneg.encode.function import Function
from hardneg.encode.image_function import ImageFunction
from hardneg.encode.logmel import LogMel
from hardneg.encode.mobilenet_v2 import MobileNetV2
from hardneg.encode.onnx_image import OnnxImage
from hardneg.encode.open_clip import OpenClip
from hardneg.encode.openwakeword import OpenWakeWord
from hardneg.encode.pair_function import PairFunction
from hardneg.encode.registry import ENCODERS, make_encoder
from hardneg.encode.rescorers import RESCORERS, make_rescorer
from hardneg.encode.resemblyzer import Resemblyzer
from hardneg.encode.scores import PairScoreCache
from hardneg.encode.sentence_transformers import SentenceTransformers
from hardneg.encode.sface import SFace
from hardneg.encode.sound_function import SoundFunction
from hardneg.encode.teacher import Teacher
from hardneg.encode.timm import Timm
from hardneg.encode.transformers_audio import TransformersAudio
from hardneg.encode.transformers_image import TransformersImage
from hardneg.encode.wordllama import WordLlama

__all__ = [
    "ENCODERS",
    "RESCORERS",
    "CrossEncoder",
    "Descriptor",
    "EfficientNetLite0",
    "EmbeddingCache",
    "Encoder",
    "Function",
    "ImageEncoder",
    "ImageFunction",
    "LogMel",
    "MobileNetV2",
    "Modality",
    "OnnxImage",
    "OpenClip",
    "OpenWakeWord",
    "PairFunction",
    "PairScoreCache",
    "Progress",
    "Rescorer",
    "Resemblyzer",
    "Role",
    "SFace",
    "SentenceTransformers",
    "SoundEncoder",
    "SoundFunction",
    "Teacher",
    "Timm",
    "TransformersAudio",
    "TransformersImage",
    "WordLlama",
    "content_keys",
    "default_cache_dir",
    "encode_images",
    "encode_sounds",
    "encode_texts",
    "make_encoder",
    "make_rescorer",
]
