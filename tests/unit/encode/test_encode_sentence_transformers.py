from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hardneg.encode import EmbeddingCache, SentenceTransformers, encode_texts
from hardneg.errors import InputError, MissingExtraError, OptionError

library = pytest.importorskip("sentence_transformers", reason="the package sentence-transformers is not installed")
TEXTS = ["the red fox", "a hen", "", "fox " * 30, "b", "hens: a b"]


def _calls(encoder: SentenceTransformers, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that reach the model from now on."""
    seen: list[str] = []
    encode = encoder._model.encode

    def spy(texts: list[str], **options: object) -> object:
        seen.extend(texts)
        return encode(texts, **options)

    monkeypatch.setattr(encoder._model, "encode", spy)
    return seen


def _copy(model: Path, name: str) -> Path:
    return Path(shutil.copytree(model, model.parent / name))


def test_minilm_equals_the_package(minilm: Path) -> None:
    texts = ["A fox.", "Insulin resistance in mice " * 20, "", "Tax law"]
    ours = encode_texts(SentenceTransformers(str(minilm), device="cpu", batch_size=2), texts, "item")
    theirs = library.SentenceTransformer(str(minilm), device="cpu").encode(texts)
    np.testing.assert_allclose(ours[:], theirs, atol=1e-5)
    assert ours.shape == (4, 384)


def test_own_prompts_by_role(tiny_model: Path) -> None:
    plain = library.SentenceTransformer(str(tiny_model), device="cpu")
    encoder = SentenceTransformers(str(tiny_model))
    assert [encoder.prompt("anchor"), encoder.prompt("item")] == ["query: ", "the "]
    np.testing.assert_allclose(encoder.encode(TEXTS, "anchor"), plain.encode_query(TEXTS), atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS, "item"), plain.encode(TEXTS, prompt="the "), atol=1e-5)
    bare = SentenceTransformers(str(tiny_model), query_prompt="", item_prompt="a ")
    np.testing.assert_allclose(bare.encode(TEXTS, "anchor"), plain.encode(TEXTS, prompt=""), atol=1e-5)
    np.testing.assert_allclose(bare.encode(TEXTS, "item"), plain.encode(TEXTS, prompt="a "), atol=1e-5)
    named = SentenceTransformers(str(tiny_model), query_prompt_name="shout")
    np.testing.assert_allclose(named.encode(TEXTS, "anchor"), plain.encode(TEXTS, prompt_name="shout"), atol=1e-5)


def test_an_unknown_prompt_name_lists_the_known(tiny_model: Path) -> None:
    with pytest.raises(OptionError, match=r"one of the model's prompts: .*passage, query, shout.*Got 'loud'"):
        SentenceTransformers(str(tiny_model), item_prompt_name="loud").encode(["a"], "item")


def test_a_moved_model_meets_its_cache(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EmbeddingCache(tmp_path / "cache")
    before = encode_texts(SentenceTransformers(str(tiny_model)), TEXTS, "item", cache)
    moved = SentenceTransformers(str(_copy(tiny_model, "elsewhere")))
    seen = _calls(moved, monkeypatch)
    assert encode_texts(moved, TEXTS, "item", cache)[:].tobytes() == before[:].tobytes()
    assert seen == []


def test_identity_does_not_change_with_use(tiny_model: Path) -> None:
    used = SentenceTransformers(str(tiny_model))
    used.encode(TEXTS, "item")
    assert used.identity == SentenceTransformers(str(tiny_model)).identity


def test_one_changed_weight_is_never_stale(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EmbeddingCache(tmp_path / "cache")
    before = encode_texts(SentenceTransformers(str(tiny_model)), TEXTS, "item", cache)
    [file] = tiny_model.rglob("model.safetensors")
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("layer.0.output.dense.bias"))
    weights[name][0] += 0.5
    save_file(weights, file, metadata={"format": "pt"})
    changed = SentenceTransformers(str(tiny_model))
    seen = _calls(changed, monkeypatch)
    after = encode_texts(changed, TEXTS, "item", cache)
    assert seen == TEXTS
    assert not np.allclose(before[:], after[:])


def test_a_changed_query_prompt_leaves_the_items(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EmbeddingCache(tmp_path / "cache")
    first = SentenceTransformers(str(tiny_model))
    encode_texts(first, TEXTS, "anchor", cache)
    encode_texts(first, TEXTS, "item", cache)
    second = SentenceTransformers(str(tiny_model), query_prompt="red: ")
    seen = _calls(second, monkeypatch)
    encode_texts(second, TEXTS, "item", cache)
    assert seen == []
    encode_texts(second, TEXTS, "anchor", cache)
    assert seen == TEXTS
    assert first.identity != second.identity


def test_the_same_prompt_by_name_or_text_is_the_same(tiny_model: Path) -> None:
    by_name = SentenceTransformers(str(tiny_model), query_prompt_name="shout")
    by_text = SentenceTransformers(str(tiny_model), query_prompt="red red ")
    assert by_name.identity == by_text.identity


def test_every_setting_that_decides_a_vector_is_in_the_identity(tiny_model: Path) -> None:
    path = str(tiny_model)
    pooled = _copy(tiny_model, "pooled")
    [pooling] = pooled.glob("*_Pooling/config.json")
    pooling.write_text(pooling.read_text().replace('"mean"', '"cls"'))
    worded = _copy(tiny_model, "worded")
    for file in worded.rglob("tokenizer.json"):
        file.write_text(file.read_text().replace('"fox": 8', '"fox": 9').replace('"hen": 9', '"hen": 8'))
    encoders = [
        SentenceTransformers(path),
        SentenceTransformers(path, max_length=8),
        SentenceTransformers(path, precision="bfloat16"),
        SentenceTransformers(path, truncate_dim=4),
        SentenceTransformers(path, item_prompt="b "),
        SentenceTransformers(str(pooled)),
        SentenceTransformers(str(worded)),
    ]
    assert len({encoder.identity for encoder in encoders}) == len(encoders)
    same = [SentenceTransformers(path, batch_size=2), SentenceTransformers(path, device="cpu")]
    assert {encoder.identity for encoder in same} == {encoders[0].identity}


def test_precision_truncation_and_width(tiny_model: Path) -> None:
    path = str(tiny_model)
    full = SentenceTransformers(path).encode(TEXTS, "item")
    half = SentenceTransformers(path, precision="bfloat16").encode(TEXTS, "item")
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, full, atol=0.2)
    assert not np.array_equal(half, full)
    np.testing.assert_allclose(SentenceTransformers(path, truncate_dim=4).encode(TEXTS, "item"), full[:, :4])
    short = SentenceTransformers(path, max_length=6).encode(["fox fox fox fox hen", "fox fox fox fox red"], "item")
    np.testing.assert_allclose(short[0], short[1])


def test_nan_from_the_model_names_the_text(tiny_model: Path) -> None:
    torch = pytest.importorskip("torch")
    encoder = SentenceTransformers(str(tiny_model))
    with torch.no_grad():
        encoder._model.get_parameter("0.model.embeddings.word_embeddings.weight")[9] = float("nan")
    with pytest.raises(InputError, match=r"gave NaN or infinity for 2 texts \(first: row 1, 'a hen'\)"):
        encode_texts(encoder, TEXTS, "item")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "The 'batch_size' must be"),
        ({"max_length": 0}, "The 'max_length' must be"),
        ({"truncate_dim": 0}, "The 'truncate_dim' must be"),
        ({"precision": "int8"}, "The 'precision' must be one of float32, float16, bfloat16. Got int8"),
        ({"query_prompt": "a", "query_prompt_name": "b"}, "one of 'query_prompt' and 'query_prompt_name'"),
    ],
)
def test_wrong_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        SentenceTransformers("some/model", **options)  # type: ignore[arg-type]


def test_too_long_a_length_names_the_limit(tiny_model: Path) -> None:
    with pytest.raises(OptionError, match=r"The 'max_length' must be at most 64 for this model. Got 65"):
        SentenceTransformers(str(tiny_model), max_length=65).encode(["a"], "item")


def test_models_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="There is no folder '/no/such/folder'"):
        SentenceTransformers("/no/such/folder").encode(["a"], "item")
    with pytest.raises(OptionError, match="holds no model"):
        SentenceTransformers(str(tmp_path)).encode(["a"], "item")
    with pytest.raises(OptionError, match="Name a local folder, or a model on the Hugging Face Hub"):
        SentenceTransformers("nobody/no-such-model-at-all").encode(["a"], "item")


def test_a_missing_package_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"hardneg\[text\]\""):
        SentenceTransformers("some/model").encode(["a"], "item")
