"""Any audio model of transformers (Hugging Face), from a folder or by name: wav2vec 2.0, HuBERT, WavLM, Whisper, ..."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._hearing import TorchSounds, at_least
from hardneg.encode._identity import config_facts
from hardneg.encode._models import Precision, load_model
from hardneg.encode._network import Network
from hardneg.encode._pooling import chosen_pooling, has_random_pooler, transformers_library
from hardneg.errors import InputError
from hardneg.notation import require

__all__ = ["SoundPooling", "TransformersAudio"]

SoundPooling = Literal["auto", "features", "pooler", "mean"]
_POOLINGS = ("auto", "features", "pooler", "mean")
_SHORTEST = 0.1  # seconds; the layers that take samples apart need some to begin with


@dataclass(frozen=True)
class TransformersAudio(TorchSounds):
    """Encodes with a model that ``AutoModel`` and a preparation that ``AutoFeatureExtractor`` can load.

    Of a model with an encoder and a decoder (Whisper) the encoder is taken. A sound shorter than 0.1 s is followed by
    silence. Code that comes with a model is never run.

    Attributes:
        model: A local folder, or a name on the Hugging Face Hub.
        pooling: From what the model gives for each moment to one vector. "features" is what CLAP compares with texts;
            "pooler" is the model's own; "mean" is the mean over time. "auto" takes the first of these that the model
            was trained with.
        batch_size: Sounds computed at once, of those that are equally long.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in. Vectors come out as float32.
        revision: A branch, tag or commit on the Hub.

    Raises OptionError for a model that cannot be loaded or a pooling that it lacks, MissingExtraError without the
    package.

    >>> str(TransformersAudio("facebook/wav2vec2-base", pooling="mean"))
    'transformers_audio(model=facebook/wav2vec2-base, pooling=mean)'
    """

    name: ClassVar[str] = "transformers_audio"
    model: str
    pooling: SoundPooling = "auto"
    batch_size: int = 8
    device: str | None = None
    precision: Precision = "float32"
    revision: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.pooling in _POOLINGS, "pooling", f"one of {', '.join(_POOLINGS)}", self.pooling)

    def _load(self) -> Network:
        library = transformers_library("speech")
        options = {"revision": self.revision, "trust_remote_code": False}
        extractor = load_model(library.AutoFeatureExtractor.from_pretrained, self.model, **options)
        load = library.AutoModel.from_pretrained
        whole, report = load_model(load, self.model, output_loading_info=True, **options)
        module = whole.get_encoder() if getattr(whole.config, "is_encoder_decoder", False) else whole
        lacking, rate = list(report["missing_keys"]), int(extractor.sampling_rate)
        found = chosen_pooling(self.model, module, lacking, self.pooling, "audio", "mean")
        pooling = found or ("mean" if has_random_pooler(lacking) else "auto")
        prepared = [type(extractor).__qualname__, config_facts(extractor), _SHORTEST]
        facts = {"extractor": prepared, "pooling": pooling, "config": config_facts(whole.config)}
        name = str(module.main_input_name)

        def prepare(samples: NDArray[np.float32]) -> Any:
            given = extractor(at_least(samples, round(_SHORTEST * rate)), sampling_rate=rate, return_tensors="pt")
            return given[next(key for key in (name, "input_features", "input_values") if key in given)][0]

        return Network(module, prepare, lambda batch: _pooled(module, batch, pooling), facts, rate)


def _pooled(module: Any, batch: Any, pooling: str) -> Any:
    if pooling == "features":
        found = module.get_audio_features(input_features=batch)
        return getattr(found, "pooler_output", found)
    found = getattr(module, "audio_model", module)(batch)
    pooler, last = getattr(found, "pooler_output", None), found.last_hidden_state
    if pooler is not None and pooling in ("auto", "pooler"):
        return pooler
    if pooling == "pooler":
        raise InputError("The model has no pooler. Take pooling=mean.")
    # (n, time, d), or of images of sound (n, d, bands, time)
    return last.mean((2, 3)) if last.ndim == 4 else last.mean(1)
