"""Small real sentence-transformers models and trainers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def tiny_model(words: list[str], dim: int = 16, seed: int = 0) -> Any:
    """A sentence-transformers model that gives the mean of its words' vectors, random at first."""
    library = pytest.importorskip("sentence_transformers")
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    tokenizers = pytest.importorskip("tokenizers")
    numbers = {word: number for number, word in enumerate(["[UNK]", *sorted(set(words))])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    torch.manual_seed(seed)
    return library.SentenceTransformer(modules=[modules.StaticEmbedding(tokenizer, embedding_dim=dim)], device="cpu")


def arguments(folder: Path, **options: Any) -> Any:
    library = pytest.importorskip("sentence_transformers")
    usual = {"num_train_epochs": 2, "per_device_train_batch_size": 8, "report_to": "none", "save_strategy": "no"}
    usual |= {"logging_strategy": "no", "disable_tqdm": True, "use_cpu": True, "learning_rate": 0.05, "seed": 0}
    return library.SentenceTransformerTrainingArguments(output_dir=str(folder), **{**usual, **options})
