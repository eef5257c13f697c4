from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hardneg.encode import CrossEncoder, EmbeddingCache, Function, PairFunction, PairScoreCache, Teacher, make_rescorer
from hardneg.encode.scores import Pair
from hardneg.errors import InputError, OptionError

PAIRS = [(f"query {number % 7}", f"item {number}") for number in range(200)]


class Judge:
    """Scores a pair by its lengths and remembers it; stops with an error after ``allowed`` calls."""

    def __init__(self, allowed: int | None = None) -> None:
        self.seen: list[Pair] = []
        self.calls = 0
        self.allowed = allowed

    def __call__(self, pairs: list[Pair]) -> np.ndarray[Any, Any]:
        if self.allowed is not None and self.calls >= self.allowed:
            raise ConnectionError("the service went away")
        self.calls += 1
        self.seen += pairs
        return np.array([len(anchor) + 10 * len(item) for anchor, item in pairs], float)


@pytest.fixture
def cache(tmp_path: Path) -> PairScoreCache:
    return PairScoreCache(tmp_path / "scores")


def test_only_new_pairs_are_scored_and_each_once(cache: PairScoreCache) -> None:
    first, second = Judge(), Judge()
    scores = cache.scores("j", PAIRS + PAIRS[:30], first, chunk=32)
    assert first.seen == PAIRS
    assert cache.scores("j", [("new", "pair"), *PAIRS], second).tolist() == [43.0, *scores[:200].tolist()]
    assert second.seen == [("new", "pair")]
    assert scores.dtype == np.float32
    assert scores[200:].tolist() == scores[:30].tolist()


def test_the_two_sides_of_a_pair_are_not_confused(cache: PairScoreCache) -> None:
    judge = Judge()
    pairs = [("a", "bc"), ("bc", "a"), ("ab", "c"), ("abc", ""), ("", "abc")]
    assert cache.scores("j", pairs, judge).tolist() == [21, 12, 12, 3, 30]
    assert judge.seen == pairs


def test_another_identity_and_an_empty_one(cache: PairScoreCache) -> None:
    for identity, expected in [("1", 200), ("2", 200), ("2", 0), ("", 200), ("", 200)]:
        judge = Judge()
        cache.scores(identity, PAIRS, judge)
        assert len(judge.seen) == expected


def test_stopped_scoring_goes_on(cache: PairScoreCache) -> None:
    with pytest.raises(ConnectionError):
        cache.scores("j", PAIRS, Judge(allowed=3), chunk=32)
    rest = Judge()
    assert (
        cache.scores("j", PAIRS, rest, chunk=32).tolist() == PairScoreCache.scores(cache, "", PAIRS, Judge()).tolist()
    )
    assert rest.seen == PAIRS[96:]


@pytest.mark.parametrize(
    ("result", "message"),
    [([1.0], "one number for each of 2 pairs"), ([1.0, float("nan")], r"1 pairs \(first: 'c' with 'd'\)")],
)
def test_wrong_scores(cache: PairScoreCache, result: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cache.scores("j", [("a", "b"), ("c", "d")], lambda pairs: np.array(result))


def test_no_pairs(cache: PairScoreCache) -> None:
    assert cache.scores("j", [], Judge()).shape == (0,)
    assert Teacher("wordllama(dim=64)").score([]).shape == (0,)


def test_a_function_is_cached_under_its_version(cache: PairScoreCache) -> None:
    judge = Judge()
    PairFunction(call=judge, version="1", batch_size=32).score_all(PAIRS, cache)
    PairFunction(call=judge, version="1", batch_size=32).score_all(PAIRS, cache)
    assert len(judge.seen) == 200
    assert judge.calls == 7


# --- cross-encoders ---------------------------------------------------------------------------------------------------

WORDS = ["a", "b", "fox", "hen", "red", "the", "query"]


def _some_pairs(count: int) -> list[Pair]:
    draw = random.Random(0)
    return [
        (" ".join(draw.choices(WORDS, k=draw.randint(1, 5))), " ".join(draw.choices(WORDS, k=draw.randint(0, 20))))
        for _ in range(count)
    ]


def test_a_cross_encoder_equals_the_package(tiny_cross_encoder: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    pairs = _some_pairs(40)
    ours = CrossEncoder(str(tiny_cross_encoder), batch_size=8, device="cpu").score(pairs)
    model = library.CrossEncoder(str(tiny_cross_encoder), device="cpu")
    alone = np.array([model.predict([pair])[0] for pair in pairs])
    np.testing.assert_allclose(ours, alone, atol=1e-5)
    assert len(np.unique(ours.round(4))) > 20


def test_a_cross_encoder_is_cached_by_its_weights(tiny_cross_encoder: Path, cache: PairScoreCache) -> None:
    pairs = _some_pairs(20)
    first = CrossEncoder(str(tiny_cross_encoder))
    before = first.score_all(pairs, cache)
    moved = CrossEncoder(str(shutil.copytree(tiny_cross_encoder, tiny_cross_encoder.parent / "moved")))
    assert moved.identity == first.identity
    weights = load_file(tiny_cross_encoder / "model.safetensors")
    weights["classifier.bias"] += 0.25
    save_file(weights, tiny_cross_encoder / "model.safetensors", metadata={"format": "pt"})
    changed = CrossEncoder(str(tiny_cross_encoder))
    assert changed.identity != first.identity
    assert not np.allclose(changed.score_all(pairs, cache), before)
    assert CrossEncoder(str(tiny_cross_encoder), max_length=8).identity != changed.identity
    assert CrossEncoder(str(tiny_cross_encoder), precision="bfloat16").identity != changed.identity


def test_a_model_without_a_trained_head_is_refused(minilm: Path) -> None:
    with pytest.raises(OptionError, match=r"was not trained to score pairs.*teacher"):
        CrossEncoder(str(minilm)).score([("a", "b")])


# --- teachers ---------------------------------------------------------------------------------------------------------


def test_a_teacher_encodes_each_text_once_and_keeps_its_vectors(tmp_path: Path, recorder: Any) -> None:
    vectors = EmbeddingCache(tmp_path / "vectors")
    seen = recorder()
    teacher = make_rescorer(Teacher(Function(call=seen, version="1")), vectors)
    scores = teacher.score_all(PAIRS)
    assert len(seen.seen) == 7 + 200
    again = recorder()
    later = make_rescorer(Teacher(Function(call=again, version="1")), vectors)
    assert later.score_all(PAIRS).tobytes() == scores.tobytes()
    assert again.seen == []


def test_a_teacher_gives_cosines() -> None:
    encoder = Function(call=lambda texts: [[1.0, 0.0] if text == "x" else [3.0, 3.0] for text in texts])
    scores = Teacher(encoder).score([("x", "x"), ("x", "y"), ("y", "y")])
    np.testing.assert_allclose(scores, [1, 0.5**0.5, 1], atol=1e-6)
    assert Teacher(encoder).identity == ""
    assert Teacher("wordllama").identity == Teacher("wordllama(dim=256)").identity != Teacher("wordllama(64)").identity
