"""States of training on disk: tensors as safetensors, all else as JSON in its header. No pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hardneg.errors import RunError
from hardneg.storage import place

__all__ = ["load_state", "save_state"]

_TENSOR = "tensor:"


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write a state of dicts and lists of tensors, numbers, texts and None; keys of dicts are texts."""
    tensors: dict[str, torch.Tensor] = {}

    def plain(value: Any, name: str) -> Any:
        if isinstance(value, torch.Tensor):
            tensors[name] = value.detach().cpu().contiguous()
            return _TENSOR + name
        if isinstance(value, dict):
            return {key: plain(one, f"{name}.{key}") for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(one, f"{name}.{number}") for number, one in enumerate(value)]
        return value

    told = json.dumps(plain(state, "state"))
    with place(path) as file:
        file.write(save(tensors, {"state": told}))


def load_state(path: Path) -> dict[str, Any]:
    """Read a state back; raises RunError for a file that is not there or damaged."""
    try:
        with safe_open(str(path), "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            told = json.loads(file.metadata()["state"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"The state '{path}' is missing or damaged ({error}). Resume from another checkpoint."
        ) from error

    def whole(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(_TENSOR):
            return tensors[value.removeprefix(_TENSOR)]
        if isinstance(value, dict):
            return {key: whole(one) for key, one in value.items()}
        return [whole(one) for one in value] if isinstance(value, list) else value

    found: dict[str, Any] = whole(told)
    return found
