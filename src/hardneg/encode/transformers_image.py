"""Any image model of transformers (Hugging Face), from a folder or by name; of CLIP and its kin the image half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hardneg.encode._identity import config_facts
from hardneg.encode._models import Precision, load_model
from hardneg.encode._network import Network
from hardneg.encode._pooling import chosen_pooling, has_random_pooler, transformers_library
from hardneg.encode._vision import TorchImages
from hardneg.errors import InputError
from hardneg.notation import require

__all__ = ["Pooling", "TransformersImage"]

Pooling = Literal["auto", "features", "pooler", "cls", "mean"]
_POOLINGS = ("auto", "features", "pooler", "cls", "mean")


@dataclass(frozen=True)
class TransformersImage(TorchImages):
    """Encodes with a model that ``AutoModel`` and an image processor that ``AutoImageProcessor`` can load.

    Code that comes with a model is never run.

    Attributes:
        model: A local folder, or a name on the Hugging Face Hub.
        pooling: From what the model gives for each patch to one vector. "features" is what CLIP and its kin compare
            with texts; "pooler" is the model's own; "cls" is the first token; "mean" is the mean of all patches
            (and of the first token where there is one). "auto" takes the first of these that the model was trained
            with: a pooler whose weights the model lacks would be made of random numbers, and is passed over.
        batch_size: Images computed at once.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in. Vectors come out as float32.
        revision: A branch, tag or commit on the Hub.

    Raises OptionError for a model that cannot be loaded or a pooling that it lacks, MissingExtraError without the
    package.

    >>> str(TransformersImage("facebook/dinov2-small", pooling="cls"))
    'transformers_image(model=facebook/dinov2-small, pooling=cls)'
    """

    name: ClassVar[str] = "transformers_image"
    model: str
    pooling: Pooling = "auto"
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"
    revision: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.pooling in _POOLINGS, "pooling", f"one of {', '.join(_POOLINGS)}", self.pooling)

    def _load(self) -> Network:
        library = transformers_library("vision")
        options = {"revision": self.revision, "trust_remote_code": False}
        # Pillow's way of preparing is there everywhere, so a vector does not depend on what else is installed.
        processor = load_model(library.AutoImageProcessor.from_pretrained, self.model, backend="pil", **options)
        load = library.AutoModel.from_pretrained
        module, report = load_model(load, self.model, output_loading_info=True, **options)
        lacking = list(report["missing_keys"])
        found = chosen_pooling(self.model, module, lacking, self.pooling, "image", "cls or mean")
        pooling = found or ("cls" if has_random_pooler(lacking) else "pooler")
        prepared = [type(processor).__qualname__, config_facts(processor)]
        facts = {"processor": prepared, "pooling": pooling, "config": config_facts(module.config)}

        def prepare(image: Any) -> Any:
            return processor(images=image, return_tensors="pt")["pixel_values"][0]

        return Network(module, prepare, lambda batch: _pooled(module, batch, pooling), facts, _side(processor))


def _pooled(module: Any, batch: Any, pooling: str) -> Any:
    if pooling == "features":
        found = module.get_image_features(pixel_values=batch)
        return getattr(found, "pooler_output", found)
    found = getattr(module, "vision_model", module)(pixel_values=batch)
    pooler, last = getattr(found, "pooler_output", None), found.last_hidden_state
    if pooling == "pooler" and pooler is not None:
        return pooler
    if last.ndim == 4:  # (n, d, height, width), of convolutions
        if pooling == "cls":
            raise InputError("The model has no first token to take as its vector. Take pooling=mean.")
        return last.mean((2, 3))
    return last.mean(1) if pooling == "mean" else last[:, 0]


def _side(processor: Any) -> int:
    """The longest side that the processor resizes to; 224 where it does not say."""
    sizes = [dict(getattr(processor, name, None) or {}) for name in ("size", "crop_size")]
    return max([int(value) for size in sizes for value in size.values() if value] or [224])
