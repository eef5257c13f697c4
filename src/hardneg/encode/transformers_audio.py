"""Any audio model of transformers (Hugging Face), from a folder or by name: wav2vec 2.0, HuBERT, WavLM, Whisper, ..."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._hearing import Hearing, TorchSounds, at_least
from hardneg.encode._identity import config_facts
from hardneg.encode._models import Precision, load_model
from hardneg.errors import InputError, MissingExtraError, OptionError
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

    def _load(self) -> Hearing:
        library = _library()
        options = {"revision": self.revision, "trust_remote_code": False}
        extractor = load_model(library.AutoFeatureExtractor.from_pretrained, self.model, **options)
        load = library.AutoModel.from_pretrained
        whole, report = load_model(load, self.model, output_loading_info=True, **options)
        module = whole.get_encoder() if getattr(whole.config, "is_encoder_decoder", False) else whole
        pooling, rate = self._pooling(module, list(report["missing_keys"])), int(extractor.sampling_rate)
        prepared = [type(extractor).__qualname__, config_facts(extractor), _SHORTEST]
        facts = {"extractor": prepared, "pooling": pooling, "config": config_facts(whole.config)}
        name = str(module.main_input_name)

        def prepare(samples: NDArray[np.float32]) -> Any:
            given = extractor(at_least(samples, round(_SHORTEST * rate)), sampling_rate=rate, return_tensors="pt")
            return given[next(key for key in (name, "input_features", "input_values") if key in given)][0]

        return Hearing(module, prepare, lambda batch: _pooled(module, batch, pooling), facts, rate)

    def _pooling(self, module: Any, lacking: list[str]) -> SoundPooling:
        random_pooler = [key for key in lacking if "pooler" in key]
        # Masks what is learnt from, in training alone; models that were trained further are saved without it.
        others = [key for key in lacking if key not in random_pooler and "masked_spec_embed" not in key]
        if others:
            raise OptionError(f"The model '{self.model}' lacks {len(others)} of its weights ({', '.join(others[:3])}).")
        if self.pooling == "pooler" and random_pooler:
            raise OptionError(f"The model '{self.model}' was not trained with a pooler. Take pooling=mean.")
        if self.pooling == "features" and not hasattr(module, "get_audio_features"):
            raise OptionError(f"The model '{self.model}' gives no audio features. Take pooling=auto.")
        if self.pooling != "auto":
            return self.pooling
        if hasattr(module, "get_audio_features"):
            return "features"
        return "auto" if not random_pooler else "mean"


def _pooled(module: Any, batch: Any, pooling: SoundPooling) -> Any:
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


def _library() -> ModuleType:
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="speech") from None
    return transformers  # type: ignore[no-any-return]
