from __future__ import annotations

import logging
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.encode import WordLlama
from hardneg.errors import OptionError

ENCODER = WordLlama()
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=8)


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_a_vector_does_not_depend_on_its_company(texts: list[str]) -> None:
    together = ENCODER.encode(texts, "item")
    alone = np.concatenate([ENCODER.encode([text], "item") for text in texts])
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize("dim", [64, 128, 256])
def test_equals_the_package_itself(dim: int) -> None:
    texts = ["A red fox jumps over the dog.", "Tax law, chapter 3", "Füchse 🦊", "one"]
    ours = WordLlama(dim).encode(texts, "anchor")
    model = WordLlama(dim)._model
    model.tokenizer.enable_padding()
    assert ours.shape == (4, dim)
    np.testing.assert_allclose(ours, model.embed(texts), atol=1e-6)


def test_an_empty_text_gives_zeros_not_nan() -> None:
    assert not ENCODER.encode(["", "fox"], "item")[0].any()
    assert ENCODER.encode([], "item").shape == (0, 256)


def test_identity_is_the_same_in_another_process_and_differs_by_dim(python: Any) -> None:
    assert WordLlama().identity == WordLlama().identity != WordLlama(64).identity
    code = "from hardneg.encode import WordLlama; e = WordLlama(); e.encode(['a b'], 'item'); print(e.identity)"
    assert python(code).communicate()[0].strip() == ENCODER.identity


def test_a_changed_weight_changes_the_identity() -> None:
    changed = WordLlama(64)
    changed._model.embedding[17, 3] += 1e-6
    assert changed.identity != WordLlama(64).identity


def test_the_root_logger_stays_as_it_was(python: Any) -> None:
    code = (
        "import logging; from hardneg.encode import WordLlama; WordLlama().encode(['a'], 'item');"
        "print(logging.getLogger().handlers, logging.getLogger().level)"
    )
    assert python(code).communicate()[0].strip() == f"[] {logging.WARNING}"


def test_a_loaded_model_is_no_part_of_the_step() -> None:
    loaded, fresh = WordLlama(64), WordLlama(64)
    loaded.encode(["a"], "item")
    assert loaded == fresh
    assert hash(loaded) == hash(fresh)
    assert len(pickle.dumps(loaded)) < 1000
    assert pickle.loads(pickle.dumps(loaded)) == fresh


def test_another_dim_is_refused() -> None:
    with pytest.raises(OptionError, match=r"The 'dim' must be one of 64, 128, 256\. Got 100\."):
        WordLlama(100)
