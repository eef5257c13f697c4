from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardneg.encode import EmbeddingCache, Function, WordLlama, default_cache_dir, encode_texts
from hardneg.encode._keys import distinct, text_keys
from hardneg.encode._shards import Shards
from hardneg.errors import InputError, StorageError
from hardneg.stored import Stored

TEXTS = [f"text number {number}" for number in range(300)]


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "vectors")


def _shards(cache: EmbeddingCache) -> list[Path]:
    return sorted(cache.folder.rglob("shard-*.arrow"))


def _encoder(call: Any, version: str = "1") -> Function:
    return Function(call=call, version=version, batch_size=50)


def test_cached_equals_fresh_and_nothing_is_encoded_twice(cache: EmbeddingCache, recorder: Any) -> None:
    texts = [*TEXTS, *TEXTS[:20], "", ""]
    seen = recorder()
    first = encode_texts(_encoder(seen), texts, "item", cache)
    assert sorted(seen.seen) == sorted([*TEXTS, ""])
    again = recorder()
    second = encode_texts(_encoder(again), texts, "item", cache)
    plain = encode_texts(_encoder(recorder()), texts, "item")
    assert again.seen == []
    assert first[:].tobytes() == second[:].tobytes() == plain[:].tobytes()
    assert first.dtype == np.float32


def test_an_appended_corpus_encodes_only_the_new(cache: EmbeddingCache, recorder: Any) -> None:
    encode_texts(_encoder(recorder()), TEXTS, "item", cache)
    seen = recorder()
    grown = ["a new first", *TEXTS, "a new last"]
    vectors = encode_texts(_encoder(seen), grown, "item", cache)
    assert seen.seen == ["a new first", "a new last"]
    assert vectors[:].tobytes() == encode_texts(_encoder(recorder()), grown, "item")[:].tobytes()


def test_a_changed_text_or_version_is_encoded_anew(cache: EmbeddingCache, recorder: Any) -> None:
    encode_texts(_encoder(recorder()), TEXTS, "item", cache)
    seen = recorder()
    encode_texts(_encoder(seen), ["text number 0 ", *TEXTS[1:]], "item", cache)
    assert seen.seen == ["text number 0 "]
    newer = recorder()
    encode_texts(_encoder(newer, version="2"), TEXTS, "item", cache)
    assert newer.seen == TEXTS


def test_without_a_version_nothing_is_kept(cache: EmbeddingCache, recorder: Any) -> None:
    encode_texts(Function(call=recorder()), TEXTS, "item", cache)
    assert not cache.folder.exists()


def test_arrow_columns_and_lists_share_their_keys(cache: EmbeddingCache, recorder: Any) -> None:
    column = pa.chunked_array([TEXTS[:100], TEXTS[100:]], pa.large_string())
    vectors = encode_texts(_encoder(recorder()), column, "item", cache)
    seen = recorder()
    assert encode_texts(_encoder(seen), TEXTS, "item", cache)[:].tobytes() == vectors[:].tobytes()
    assert seen.seen == []


def test_an_error_in_the_middle_loses_only_the_chunk_it_hit(cache: EmbeddingCache, recorder: Any) -> None:
    broken = recorder(allowed=2)
    with pytest.raises(ConnectionError):
        encode_texts(_encoder(broken), TEXTS, "item", cache)
    rest = recorder()
    vectors = encode_texts(_encoder(rest), TEXTS, "item", cache)
    assert rest.seen == TEXTS[100:]
    assert vectors[:].tobytes() == encode_texts(_encoder(recorder()), TEXTS, "item")[:].tobytes()


KILLED = """
import sys, time
from pathlib import Path
from hardneg.encode import EmbeddingCache, Function, encode_texts

def embed(texts):
    if "t4096" in texts:
        time.sleep(600)
    return [[len(text), 1] for text in texts]

texts = [f"t{number}" for number in range(5000)]
encode_texts(Function(target="x:embed", version="1", call=embed, batch_size=1024), texts, "item",
             EmbeddingCache(Path(sys.argv[1])))
"""


def test_a_killed_run_goes_on_where_it_was(cache: EmbeddingCache, python: Any) -> None:
    process = python(KILLED, str(cache.folder))
    try:
        end = time.monotonic() + 60
        while len(_shards(cache)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    seen: list[str] = []

    def embed(texts: list[str]) -> list[list[int]]:
        seen.extend(texts)
        return [[len(text), 1] for text in texts]

    texts = [f"t{number}" for number in range(5000)]
    encoder = Function(target="x:embed", version="1", call=embed)
    vectors = encode_texts(encoder, texts, "item", cache)
    assert seen == texts[4096:]
    assert vectors[:].tolist() == [[len(text), 1] for text in texts]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [_truncate, _flip, lambda path: path.write_bytes(b""), lambda path: path.unlink()])
def test_a_damaged_shard_is_found_and_redone(
    cache: EmbeddingCache, recorder: Any, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    whole = encode_texts(_encoder(recorder()), TEXTS[:200], "item", cache)
    encode_texts(_encoder(recorder()), TEXTS[200:], "item", cache)
    [path] = [path for path in _shards(cache) if path.stat().st_size == max(p.stat().st_size for p in _shards(cache))]
    damage(path)
    seen = recorder()
    with caplog.at_level(logging.WARNING):
        vectors = encode_texts(_encoder(seen), TEXTS, "item", cache)
    assert seen.seen == TEXTS[:200]
    assert vectors[:200].tobytes() == whole[:].tobytes()
    assert ("made anew" in caplog.text) or damage.__name__ == "<lambda>"
    again = recorder()
    encode_texts(_encoder(again), TEXTS, "item", cache)
    assert again.seen == []


def test_leftovers_of_killed_writers_are_ignored_and_removed_when_old(cache: EmbeddingCache, recorder: Any) -> None:
    encode_texts(_encoder(recorder()), TEXTS[:100], "item", cache)
    folder = _shards(cache)[0].parent
    young, old = folder / ".writing-young", folder / ".writing-old"
    young.write_bytes(b"half")
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    encode_texts(_encoder(recorder()), TEXTS, "item", cache)
    assert young.exists()
    assert not old.exists()


def test_several_writers_share_a_folder(tmp_path: Path) -> None:
    def write(worker: int) -> None:
        texts = [f"{number}" for number in range(worker * 50, worker * 50 + 100)]
        Shards(tmp_path / "s").write(text_keys(texts), np.array([[float(text)] for text in texts], np.float32))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [*range(8), *range(8)]))
    texts = [f"{number}" for number in range(450)]
    values, found = Shards(tmp_path / "s").read(text_keys(texts))
    assert found.all()
    assert isinstance(values, np.ndarray)
    assert values[:, 0].tolist() == list(range(450))
    assert not list((tmp_path / "s").glob(".writing-*"))


def test_reading_a_folder_that_is_not_there(tmp_path: Path) -> None:
    values, found = Shards(tmp_path / "none").read(text_keys(["a", "b"]))
    assert values.shape == (2, 0)
    assert found.tolist() == [False, False]


def test_a_folder_that_cannot_be_made(tmp_path: Path, recorder: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="HARDNEG_CACHE"):
        encode_texts(_encoder(recorder()), ["a"], "item", EmbeddingCache(tmp_path / "file"))


def test_equal_roles_share_vectors_and_others_do_not(cache: EmbeddingCache) -> None:
    encoder = WordLlama(64)
    encode_texts(encoder, ["a", "b"], "anchor", cache)
    encode_texts(encoder, ["a", "b"], "item", cache)
    assert len(_shards(cache)) == 1
    calls: list[str] = []

    def embed(texts: list[str], role: str) -> list[list[float]]:
        calls.append(role)
        return [[1.0 if role == "anchor" else 2.0] for _ in texts]

    encoder_with_roles = Function(call=embed, version="1")
    assert encode_texts(encoder_with_roles, ["a"], "anchor", cache)[:].item() == 1.0
    assert encode_texts(encoder_with_roles, ["a"], "item", cache)[:].item() == 2.0
    assert calls == ["anchor", "item"]


def test_progress_counts_different_texts_and_starts_with_the_known(cache: EmbeddingCache, recorder: Any) -> None:
    steps: list[tuple[int, int]] = []
    encode_texts(_encoder(recorder()), TEXTS[:100], "item", cache)
    encode_texts(
        _encoder(recorder()), [*TEXTS, TEXTS[0]], "item", cache, lambda done, total: steps.append((done, total))
    )
    assert steps == [(100, 300), (150, 300), (200, 300), (250, 300), (300, 300)]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "There are no item texts"),
        (["a", None], "The text in row 1 is missing"),
        (["a", 3], "The text in row 1 is int"),
        (["ok", "\ud800"], "The text in row 1 cannot be written as UTF-8"),
        ("one text", "a list of texts is needed"),
    ],
)
def test_texts_that_cannot_be_encoded(texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        encode_texts(WordLlama(64), texts, "item")


def test_nan_names_the_row_and_the_text_and_is_never_cached(cache: EmbeddingCache) -> None:
    def embed(texts: list[str]) -> list[list[float]]:
        return [[float("nan") if text == TEXTS[170] else 1.0] for text in texts]

    with pytest.raises(InputError, match=r"1 texts \(first: row 171, 'text number 170'\)"):
        encode_texts(_encoder(embed), [TEXTS[0], *TEXTS], "item", cache)
    _, found = Shards(_shards(cache)[0].parent).read(text_keys(TEXTS))
    assert found.sum() == 150


def test_a_width_that_changes_on_the_way(cache: EmbeddingCache, recorder: Any) -> None:
    def growing(texts: list[str]) -> list[list[float]]:
        return [[1.0] * (2 if TEXTS[0] in texts else 3) for _ in texts]

    with pytest.raises(InputError, match="vectors of 3 numbers where those before had 2"):
        encode_texts(_encoder(growing), TEXTS, "item")
    same_name = Function(target="x:y", version="1", call=recorder())
    encode_texts(same_name, TEXTS[:5], "item", cache)
    other = Function(target="x:y", version="1", call=lambda texts: [[1.0] for _ in texts])
    with pytest.raises(InputError, match=r"1 numbers where those in the cache have 4.*'version'"):
        encode_texts(other, TEXTS, "item", cache)


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARDNEG_CACHE", str(tmp_path / "mine"))
    assert default_cache_dir() == tmp_path / "mine"
    assert EmbeddingCache.default().folder == tmp_path / "mine" / "vectors"
    monkeypatch.delenv("HARDNEG_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_dir() == tmp_path / "xdg" / "hardneg"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == Path.home() / ".cache" / "hardneg"


@given(st.lists(st.text(st.sampled_from("ab\0é"), max_size=3)))
@settings(max_examples=100, deadline=None)
def test_distinct_keys_follow_distinct_texts(texts: list[str]) -> None:
    first, number = distinct(text_keys(texts))
    assert [texts[row] for row in first] == list(dict.fromkeys(texts))
    assert [texts[first[one]] for one in number] == texts


@given(
    st.dictionaries(st.text(max_size=5), st.floats(width=32, allow_nan=False), max_size=30),
    st.lists(st.text(max_size=5), unique=True, max_size=30),
    st.integers(1, 7),
)
@settings(max_examples=50, deadline=None)
def test_shards_answer_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, held: dict[str, float], asked: list[str], size: int
) -> None:
    shards = Shards(tmp_path_factory.mktemp("shards"))
    items = list(held.items())
    for start in range(0, len(items), size):
        part = items[start : start + size]
        shards.write(text_keys([text for text, _ in part]), np.array([[value] for _, value in part], np.float32))
    values, found = shards.read(text_keys(asked))
    assert found.tolist() == [text in held for text in asked]
    assert isinstance(values, np.ndarray)
    assert [float(values[row, 0]) for row in np.flatnonzero(found)] == [held[text] for text in asked if text in held]


def test_more_vectors_than_memory_should_hold_stay_on_disk(
    recorder: Callable[[], Any], cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*TEXTS, TEXTS[3]]
    wanted = encode_texts(_encoder(recorder()), texts, "item")
    monkeypatch.setattr("hardneg.scratch._MEMORY", 0)
    encode_texts(_encoder(recorder()), TEXTS[100:150], "item", cache)
    for _ in range(2):  # computed with a gap that the cache fills, then from the cache alone
        found = encode_texts(_encoder(recorder()), texts, "item", cache)
        assert not isinstance(found, np.ndarray)
        assert found[:].tobytes() == wanted[:].tobytes()
    assert isinstance(encode_texts(_encoder(recorder()), TEXTS, "item"), Stored)
