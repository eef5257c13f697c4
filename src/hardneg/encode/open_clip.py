"""The image half of any CLIP of OpenCLIP (Ilharco and others, 2021), by name and weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hardneg.encode._models import Precision, load_model
from hardneg.encode._network import Network
from hardneg.encode._vision import TorchImages
from hardneg.encode._weights import vision_library
from hardneg.errors import OptionError

__all__ = ["OpenClip"]


@dataclass(frozen=True)
class OpenClip(TorchImages):
    """What the image half of a CLIP model gives, before it is brought to length 1.

    Attributes:
        model: A name that OpenCLIP knows (``ViT-B-32``), ``hf-hub:user/model``, or a folder that holds an
            ``open_clip_config.json`` and weights.
        pretrained: The weights of a named model: a tag (``laion2b_s34b_b79k``) or a file. Folders and ``hf-hub:``
            have theirs.
        batch_size: Images computed at once.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in. Vectors come out as float32.

    Raises OptionError for a model or weights that cannot be loaded, MissingExtraError without the package.

    >>> str(OpenClip("ViT-B-32", pretrained="laion2b_s34b_b79k"))
    'open_clip(model=ViT-B-32, pretrained=laion2b_s34b_b79k)'
    """

    name: ClassVar[str] = "open_clip"
    model: str
    pretrained: str | None = None
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pretrained is None and ":" not in self.model and not Path(self.model).is_dir():
            raise OptionError(
                f"The model '{self.model}' needs weights: open_clip({self.model}, pretrained=...), a tag or a file."
            )

    def _load(self) -> Network:
        library = vision_library("open_clip")
        module, prepare = load_model(lambda model: self._made(library, model), self.model)
        visual = module.visual
        size = visual.image_size
        side = max(size) if isinstance(size, (tuple, list)) else int(size)
        return Network(visual, prepare, lambda batch: _first(visual(batch)), dict(visual.preprocess_cfg), side)

    def _made(self, library: Any, model: str) -> tuple[Any, Any]:
        named = f"local-dir:{model}" if Path(model).is_dir() else model
        module, _, prepare = library.create_model_and_transforms(named, pretrained=self.pretrained)
        return module, prepare


def _first(found: Any) -> Any:
    """The vector, where a model gives its patches as well."""
    return found[0] if isinstance(found, tuple) else found
