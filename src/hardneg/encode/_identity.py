"""One hash for all that decides a model's answers: never a path, never a date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["config_facts", "fingerprint", "model_parts", "tensor_parts", "tokenizer_rules"]


def fingerprint(*parts: object) -> str:
    """A hash of 32 hexadecimal digits of texts, bytes, arrays, numbers, None and plain mappings of these.

    Every part goes in with its kind and its length, so that no two lists of parts run together.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    >>> fingerprint({"dim": 64, "model": "x"}) == fingerprint({"model": "x", "dim": 64})
    True
    """
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        kind, content = _content(part)
        size = content.nbytes if isinstance(content, memoryview) else len(content)
        state.update(f"{kind}:{size}:".encode())
        state.update(content)
    return state.hexdigest()


def _content(part: object) -> tuple[str, bytes | memoryview]:
    if isinstance(part, np.ndarray):
        flat = np.ascontiguousarray(part).reshape(-1)
        return f"array {part.dtype} {part.shape}", flat.view(np.uint8).data
    if isinstance(part, bytes):
        return "bytes", part
    if isinstance(part, str):
        return "text", part.encode("utf-8", "surrogatepass")
    return "json", json.dumps(part, sort_keys=True, default=str).encode()


def model_parts(model: Any) -> list[object]:
    """The weights, the structure and the tokenizer of a sentence-transformers model, ready for fingerprint."""
    parts: list[object] = []
    for name, tensor in sorted(model.state_dict().items()):
        parts += [name, *tensor_parts(tensor)]
    for name, module in model.named_modules():
        if facts := _module_facts(module):
            parts += [name, type(module).__qualname__, facts]
    return [*parts, _tokenizer_facts(getattr(model, "tokenizer", None))]


def tensor_parts(tensor: Any) -> list[object]:
    """A tensor as bytes; numpy has no bfloat16, so its bytes are read as they are."""
    import torch

    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return [str(tensor.dtype), list(tensor.shape), plain.view(torch.uint8).numpy()]


def _module_facts(module: Any) -> dict[str, object]:
    facts: dict[str, object] = {}
    if callable(getattr(module, "get_config_dict", None)):
        facts["options"] = _cleaned(module.get_config_dict())
    config = getattr(module, "config", None)
    if callable(getattr(config, "to_dict", None)):
        facts["config"] = config_facts(config)
    return facts


def config_facts(config: Any) -> dict[str, object]:
    """What decides a vector in a configuration of transformers, of a model or a processor."""
    return _cleaned(config.to_dict())


def _cleaned(config: Mapping[str, Any]) -> dict[str, object]:
    """A configuration without the folder it came from and the version of the package that read it."""
    return {
        str(key): _cleaned(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if not str(key).startswith("_") and key != "transformers_version"
    }


def _tokenizer_facts(tokenizer: Any) -> dict[str, object]:
    facts: dict[str, object] = {"class": type(tokenizer).__qualname__}
    for name in ("padding_side", "truncation_side", "model_max_length", "special_tokens_map"):
        facts[name] = str(getattr(tokenizer, name, None))
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if callable(getattr(backend, "to_str", None)):
        facts["rules"] = tokenizer_rules(backend)
    elif callable(getattr(tokenizer, "get_vocab", None)):
        facts["rules"] = tokenizer.get_vocab()
    return facts


def tokenizer_rules(tokenizer: Any) -> dict[str, object]:
    """The rules of a ``tokenizers.Tokenizer`` without padding and truncation, which every call sets anew."""
    rules: dict[str, object] = json.loads(tokenizer.to_str())
    return {key: value for key, value in rules.items() if key not in ("padding", "truncation")}
