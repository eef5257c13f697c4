from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardneg.encode import (
    ENCODERS,
    RESCORERS,
    CrossEncoder,
    Encoder,
    Function,
    PairFunction,
    Rescorer,
    SentenceTransformers,
    Teacher,
    WordLlama,
    make_encoder,
    make_rescorer,
)
from hardneg.errors import OptionError

ENCODER_STEPS = [
    WordLlama(),
    WordLlama(64),
    SentenceTransformers("org/model"),
    SentenceTransformers("/a folder/with spaces", query_prompt="query: ", item_prompt="", precision="float16"),
    SentenceTransformers("true", query_prompt_name="none", max_length=3, truncate_dim=8, trust_remote_code=True),
    Function("my.module:embed", version="2"),
    Function("my folder/file.py:embed", version="2025-01-01", batch_size=3),
]
RESCORER_STEPS = [
    CrossEncoder("org/model", max_length=128, precision="bfloat16"),
    Teacher("wordllama"),
    Teacher(SentenceTransformers("/a b/c", item_prompt='say "x": ')),
    Teacher("function(my.module:embed, version=3)"),
    PairFunction("my.module:judge", version="gpt 5"),
]


@pytest.mark.parametrize("step", ENCODER_STEPS, ids=str)
def test_encoders_and_their_text_agree(step: Encoder) -> None:
    assert ENCODERS.make(str(step)) == step
    assert make_encoder(str(step)) == step
    assert make_encoder(step) is step


@pytest.mark.parametrize("step", RESCORER_STEPS, ids=str)
def test_rescorers_and_their_text_agree(step: Rescorer) -> None:
    assert RESCORERS.make(str(step)) == step
    assert make_rescorer(str(step)) == step


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_prompt_survives_its_text(query: str, item: str) -> None:
    step = SentenceTransformers("m", query_prompt=query, item_prompt=item)
    assert make_encoder(str(step)) == step


def test_bare_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my model").mkdir()
    monkeypatch.chdir(tmp_path)
    for text in ("my model", str(tmp_path / "my model"), "org/name", "all-MiniLM-L6-v2", "./not there"):
        assert make_encoder(text) == SentenceTransformers(text)
        assert make_rescorer(text) == CrossEncoder(text)
    assert make_encoder("wordllama") == WordLlama()


def test_slips_are_named() -> None:
    with pytest.raises(OptionError, match=r"There is no encoder \'wordlama\'\. Did you mean 'wordllama'"):
        make_encoder("wordlama")
    with pytest.raises(OptionError, match="There is no rescorer 'cross_encodr'"):
        make_rescorer("cross_encodr")
    with pytest.raises(OptionError, match="wordllama has no option 'dims'"):
        make_encoder("wordllama(dims=64)")
    with pytest.raises(OptionError, match="'os:system' is no encoder"):
        make_encoder("os:system")
    with pytest.raises(OptionError, match="must be a step or its text"):
        make_encoder(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("slip", ["SFACE", "sfaces", "./sface", "sface/", "senseface"])
def test_a_slip_is_answered_at_once_whatever_it_looks_like(slip: str) -> None:
    with pytest.raises(OptionError, match="Did you mean 'sface'"):
        make_encoder(slip)


def test_a_single_word_is_never_sought_on_the_hub() -> None:
    with pytest.raises(OptionError, match="There is no encoder 'wav2vec2'"):
        make_encoder("wav2vec2")
    for model in ("bert-base-uncased", "sentence-t5-base", "org/sface"):
        assert make_encoder(model) == SentenceTransformers(model)


def test_a_file_is_no_model_by_itself(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    for file in (str(tmp_path / "model.bin"), "networks/face.onnx"):
        with pytest.raises(OptionError, match="is a file"):
            make_encoder(file)


def test_importing_and_naming_loads_no_model_library(python: Any) -> None:
    code = (
        "import sys; from hardneg.encode import make_encoder, make_rescorer;"
        "make_encoder('org/model'); make_rescorer('teacher(wordllama)');"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'wordllama') if m in sys.modules])"
    )
    assert python(code).communicate()[0].strip() == "[]"
