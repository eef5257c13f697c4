"""Weights of image models from files, without running anything that such a file may hold."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardneg.encode._network import torch_library
from hardneg.errors import MissingExtraError, OptionError

__all__ = ["load_checkpoint", "read_weights", "vision_library"]

# Under which name a training script keeps the weights, and what wrappers put before each of them.
_INSIDE = ("state_dict_ema", "model_ema", "state_dict", "model")
_BEFORE = ("module.", "_orig_mod.", "model.")


def read_weights(path: str | Path) -> dict[str, Any]:
    """The tensors of a ``.safetensors`` file or a ``torch.save`` file, by name, on the processor.

    Only tensors and plain values are read from the latter, so that no code in it can run.

    Raises OptionError for a file that is missing, damaged, or holds anything else.
    """
    torch, file = torch_library(), Path(path).expanduser()
    if not file.is_file():
        raise OptionError(f"The 'checkpoint' must be a file. There is none at '{path}'.")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(file))
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OptionError(
            f"The checkpoint '{path}' cannot be read as plain weights: {reason} "
            "Save the model's state_dict() alone, best with safetensors."
        ) from None
    return _unwrapped(found, path)


def _unwrapped(found: Any, path: str | Path) -> dict[str, Any]:
    for name in _INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not all(hasattr(value, "shape") for value in found.values()):
        raise OptionError(f"The checkpoint '{path}' must hold the weights of a model by name (its state_dict()).")
    return dict(found)


def load_checkpoint(module: Any, path: str | Path, set_aside: Sequence[str] = ()) -> None:
    """Put the weights of a file into a module. Those of ``set_aside`` (the classifier) may be there or not.

    Raises OptionError where the file lacks weights, or holds others, so that no part of the model stays random.
    """
    weights = _named_alike(read_weights(path), set(module.state_dict()))
    kept = {key: value for key, value in weights.items() if not key.startswith(tuple(f"{one}." for one in set_aside))}
    try:
        outcome = module.load_state_dict(kept, strict=False)
    except RuntimeError as error:
        raise OptionError(
            f"The checkpoint '{path}' is of another model: {str(error).splitlines()[-1].strip()}"
        ) from None
    lacking, foreign = outcome.missing_keys, outcome.unexpected_keys
    if lacking or foreign:
        what = f"lacks {len(lacking)} weights ({', '.join(lacking[:3])})" if lacking else ""
        more = f"holds {len(foreign)} unknown ones ({', '.join(foreign[:3])})" if foreign else ""
        raise OptionError(
            f"The checkpoint '{path}' is of another model: it {' and '.join(filter(None, (what, more)))}."
        )


def _named_alike(weights: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Without what wrappers put before every name."""
    for _ in _BEFORE:
        for before in _BEFORE:
            if weights and not wanted & set(weights) and all(key.startswith(before) for key in weights):
                weights = {key.removeprefix(before): value for key, value in weights.items()}
    return weights


def vision_library(name: str) -> Any:
    """A package that builds on torchvision, imported on first use.

    Raises MissingExtraError where it is not installed, OptionError where torchvision does not fit torch.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="vision") from None
    except (RuntimeError, OSError, ImportError) as error:
        raise OptionError(
            f"The package '{name}' cannot be imported: {error}. When torchvision is of another build than torch, "
            "install both anew, together and from the same place."
        ) from error
