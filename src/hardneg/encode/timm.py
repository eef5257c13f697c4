"""Any image model of timm (Wightman, PyTorch Image Models), by name, from a folder or a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

from hardneg.encode._models import Precision, load_model
from hardneg.encode._network import Network
from hardneg.encode._vision import TorchImages
from hardneg.encode._weights import load_checkpoint, vision_library
from hardneg.errors import OptionError

__all__ = ["Timm"]


@dataclass(frozen=True)
class Timm(TorchImages):
    """The features before the classifier of a timm model, with the preparation that the model was trained with.

    Attributes:
        model: A name that timm knows (``mobilenetv3_small_100``, ``hf-hub:user/model``), or a folder that holds a
            ``config.json`` and weights.
        checkpoint: A file of weights for the named model, such as your own fine-tuned one: ``.safetensors``, or
            ``.pth`` of plain tensors. Its classifier is left aside. None takes the weights that timm offers.
        batch_size: Images computed at once.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in. Vectors come out as float32.

    Raises OptionError for a model or a checkpoint that cannot be loaded, MissingExtraError without the package.

    >>> str(Timm("mobilenetv3_small_100", checkpoint="mine.safetensors"))
    'timm(model=mobilenetv3_small_100, checkpoint=mine.safetensors)'
    """

    name: ClassVar[str] = "timm"
    model: str
    checkpoint: str | None = None
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"

    def _load(self) -> Network:
        library = vision_library("timm")
        module = load_model(lambda model: self._made(library, model), self.model)
        if self.checkpoint is not None:
            classifier = module.default_cfg.get("classifier") or ()
            load_checkpoint(module, self.checkpoint, (classifier,) if isinstance(classifier, str) else classifier)
        config = library.data.resolve_model_data_config(module)
        transform = library.data.create_transform(**config, is_training=False)
        side = int(max(config["input_size"][1:]) / config["crop_pct"])
        return Network(module, transform, module, dict(config), side)

    def _made(self, library: Any, model: str) -> Any:
        if Path(model).is_dir():
            return library.create_model(f"local-dir:{model}", pretrained=True, num_classes=0)
        if ":" not in model and not library.is_model(model):
            close = get_close_matches(model, library.list_models(), n=5)
            hint = f" Did you mean one of {', '.join(close)}?" if close else ""
            raise OptionError(f"timm has no model '{model}'.{hint}")
        return library.create_model(model, pretrained=self.checkpoint is None, num_classes=0)
