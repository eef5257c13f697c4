"""Sounds become vectors by their content, each once, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from hardneg.encode import EmbeddingCache, Role, SoundEncoder, WordLlama, encode_images, encode_sounds, make_encoder
from hardneg.encode._keys import as_keys
from hardneg.encode._media_keys import sound_keys
from hardneg.errors import InputError, OptionError
from hardneg.similarity import FloatArray
from hardneg.sounds import Clip, Sound, digest, examine, wave
from hardneg.testing._sounds import saved

pytest.importorskip("soundfile")


@dataclass(frozen=True)
class Level(SoundEncoder):
    """The mean of the samples, and a note of what was asked."""

    name: ClassVar[str] = "level"
    seen: list[Sound] = field(default_factory=list, metadata={"data": True})
    allowed: int = 10**9

    @property
    def identity(self) -> str:
        return "level"

    @property
    def chunk(self) -> int:
        return 4

    def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:
        if len(self.seen) >= self.allowed:
            raise ConnectionError("stopped")
        self.seen.extend(inputs)
        return np.array([[wave(one).mean() * 16, 1] for one in inputs], np.float32)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Ten files of nine different contents."""
    (tmp_path / "sounds").mkdir()
    names = [str(tmp_path / "sounds" / f"{number}.wav") for number in range(10)]
    for number, name in enumerate(names):
        Path(name).write_bytes(saved(np.full(1600, number % 9 / 16), subtype="FLOAT"))
    return names


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "vectors")


def test_each_content_once_whatever_it_is_called(files: list[str], cache: EmbeddingCache) -> None:
    encoder = Level()
    vectors = encode_sounds(encoder, files, "item", cache)
    assert encoder.seen == files[:9]
    assert vectors[:][:, 0].tolist() == [*range(9), 0]
    moved = [Path(name).rename(Path(name).with_suffix(".flac")) for name in files]
    again = Level()
    assert encode_sounds(again, moved, "anchor", cache)[:].tobytes() == vectors[:].tobytes()
    assert encode_sounds(again, [path.read_bytes() for path in moved], "item", cache)[0, 0] == 0
    assert again.seen == []
    moved[3].write_bytes(saved(np.full(1600, 0.75), subtype="FLOAT"))
    assert encode_sounds(again, moved, "item", cache)[3, 0] == 12
    assert again.seen == [moved[3]]


def test_clips_by_their_times(files: list[str], cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch) -> None:
    clips: list[Sound] = [
        Clip(files[2], 0, 0.05),
        Clip(files[2], 0.05, 0.1),
        Clip(files[2], 0, 0.05),
        files[2],
        Clip(files[2], 0.0),
    ]
    read: list[object] = []

    def reading(sound: Sound, content: bytes | None = None) -> bytes:
        if content is None:
            read.append(sound)
        return digest(sound, content)

    monkeypatch.setattr("hardneg.encode._media_keys.sound_digest", reading)
    encoder = Level()
    vectors = encode_sounds(encoder, clips, "item", cache)
    assert vectors[:][:, 0].tolist() == [2.0] * 5
    assert encoder.seen == [clips[0], clips[1], files[2]]
    assert read == [files[2]]
    assert np.array_equal(sound_keys(clips), as_keys(digest(one) for one in clips))
    assert np.array_equal(sound_keys(clips), as_keys(examine(one).content for one in clips))


def test_a_stopped_run_goes_on(files: list[str], cache: EmbeddingCache) -> None:
    with pytest.raises(ConnectionError):
        encode_sounds(Level(allowed=4), files, "item", cache)
    encoder, steps = Level(), []
    encode_sounds(encoder, files, "item", cache, lambda done, total: steps.append((done, total)))
    assert encoder.seen == files[4:9]
    assert steps == [(4, 9), (8, 9), (9, 9)]


def test_keys_that_are_known_spare_the_reading(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    keys = sound_keys(files)
    monkeypatch.setattr("hardneg.encode._media_keys.sound_digest", lambda sound: 1 / 0)
    encoder = Level()
    assert len(encode_sounds(encoder, files, "item", keys=keys)) == 10
    assert len(encoder.seen) == 9
    with pytest.raises(InputError, match=r"one for each of 9 sounds\. Got 10"):
        encode_sounds(encoder, files[1:], "item", keys=keys)


def test_arrow_columns_of_files_and_of_bytes(files: list[str]) -> None:
    contents = [Path(name).read_bytes() for name in files]
    for column in (pa.array(files), pa.chunked_array([contents[:3], contents[3:]], pa.large_binary())):
        assert encode_sounds(Level(), column, "item")[:][:, 0].tolist() == [*range(9), 0]


def test_sounds_that_cannot_be_encoded(files: list[str]) -> None:
    logmel = make_encoder("logmel")
    with pytest.raises(InputError, match=r"1\.wav: The clip is from 0 to 7 s"):
        encode_sounds(logmel, [files[0], Clip(files[1], 0, 7)], "item")
    Path(files[2]).write_bytes(Path(files[2]).read_bytes()[:2000])
    with pytest.raises(InputError, match=r"2\.wav: It is shorter than it says"):
        encode_sounds(logmel, files, "item")
    contents = [Path(name).read_bytes() for name in files]
    with pytest.raises(InputError, match=r"row 2 cannot be read\. A sound: It is shorter"):
        encode_sounds(logmel, contents, "item")
    Path(files[2]).unlink()
    with pytest.raises(InputError, match=r"2\.wav: There is no such file"):
        encode_sounds(Level(), files, "item")
    with pytest.raises(InputError, match="There are no item sounds"):
        encode_sounds(Level(), [], "item")
    for one in (files[0], Clip(files[0])):
        with pytest.raises(InputError, match="a list of sounds is needed"):
            encode_sounds(Level(), one, "item")
    with pytest.raises(InputError, match="The sound in row 1 is NoneType"):
        encode_sounds(Level(), [files[0], None], "item")


def test_vectors_that_are_no_numbers_name_the_file(files: list[str]) -> None:
    class Broken(Level):
        def encode(self, inputs: Sequence[Sound], role: Role) -> FloatArray:
            return np.full((len(inputs), 2), np.nan, np.float32)

    with pytest.raises(InputError, match=r"'level' gave NaN or infinity for 4 sounds \(first: row 0, .*0\.wav"):
        encode_sounds(Broken(), files, "item")
    with pytest.raises(InputError, match=r"row 0, .*0\.wav from 0\.1 to 0\.2 s"):
        encode_sounds(Broken(), [Clip(files[0], 0.1, 0.2)], "item")


def test_each_encoder_reads_its_own(files: list[str]) -> None:
    with pytest.raises(OptionError, match=r"'wordllama' reads texts, and these are sounds\..*logmel"):
        encode_sounds(WordLlama(), files, "item")
    with pytest.raises(OptionError, match=r"'logmel' reads sounds, and these are images\..*descriptor"):
        encode_images(make_encoder("logmel"), files, "item")
