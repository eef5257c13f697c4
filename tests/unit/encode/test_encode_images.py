"""Images become vectors by their content, each once, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from hardneg.encode import EmbeddingCache, ImageEncoder, Role, WordLlama, encode_images, encode_texts, make_encoder
from hardneg.encode._keys import as_keys
from hardneg.encode._media_keys import picture_keys
from hardneg.errors import InputError, OptionError
from hardneg.images import Picture, digest, rgb
from hardneg.similarity import FloatArray
from hardneg.testing._pictures import saved


@dataclass(frozen=True)
class Mean(ImageEncoder):
    """The mean colour, and a note of what was asked."""

    name: ClassVar[str] = "mean"
    seen: list[Picture] = field(default_factory=list, metadata={"data": True})
    allowed: int = 10**9

    @property
    def identity(self) -> str:
        return "mean"

    @property
    def chunk(self) -> int:
        return 4

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:
        if len(self.seen) >= self.allowed:
            raise ConnectionError("stopped")
        self.seen.extend(inputs)
        return np.stack([np.asarray(rgb(one), np.float32).mean((0, 1)) for one in inputs])


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Ten files of nine different contents."""
    (tmp_path / "images").mkdir()
    names = [str(tmp_path / "images" / f"{number}.png") for number in range(10)]
    for number, name in enumerate(names):
        Path(name).write_bytes(saved(np.full((4, 5, 3), number % 9), "png"))
    return names


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "vectors")


def test_each_content_once_whatever_it_is_called(files: list[str], cache: EmbeddingCache) -> None:
    encoder = Mean()
    vectors = encode_images(encoder, files, "item", cache)
    assert encoder.seen == files[:9]
    assert vectors[:][:, 0].tolist() == [*range(9), 0]
    moved = [Path(name).rename(Path(name).with_suffix(".jpg")) for name in files]
    again = Mean()
    assert encode_images(again, moved, "anchor", cache)[:].tobytes() == vectors[:].tobytes()
    assert encode_images(again, [path.read_bytes() for path in moved], "item", cache)[0, 0] == 0
    assert again.seen == []


def test_a_changed_file_is_encoded_anew(files: list[str], cache: EmbeddingCache) -> None:
    encode_images(Mean(), files, "item", cache)
    Path(files[3]).write_bytes(saved(np.full((4, 5, 3), 99), "png"))
    encoder = Mean()
    assert encode_images(encoder, files, "item", cache)[3, 0] == 99
    assert encoder.seen == [files[3]]


def test_a_stopped_run_goes_on(files: list[str], cache: EmbeddingCache) -> None:
    with pytest.raises(ConnectionError):
        encode_images(Mean(allowed=4), files, "item", cache)
    encoder, steps = Mean(), []
    encode_images(encoder, files, "item", cache, lambda done, total: steps.append((done, total)))
    assert encoder.seen == files[4:9]
    assert steps == [(4, 9), (8, 9), (9, 9)]


def test_keys_that_are_known_spare_the_reading(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    keys = as_keys(digest(name) for name in files)
    assert np.array_equal(picture_keys(files), keys)
    monkeypatch.setattr("hardneg.encode._media_keys.picture_digest", lambda picture: 1 / 0)
    encoder = Mean()
    assert len(encode_images(encoder, files, "item", keys=keys)) == 10
    assert len(encoder.seen) == 9
    with pytest.raises(InputError, match=r"one for each of 9 images\. Got 10"):
        encode_images(encoder, files[1:], "item", keys=keys)


def test_arrow_columns_of_files_and_of_bytes(files: list[str]) -> None:
    contents = [Path(name).read_bytes() for name in files]
    for column in (pa.array(files), pa.chunked_array([contents[:3], contents[3:]], pa.large_binary())):
        assert encode_images(Mean(), column, "item")[:][:, 0].tolist() == [*range(9), 0]


def test_pictures_that_cannot_be_encoded(files: list[str]) -> None:
    Path(files[2]).write_bytes(Path(files[2]).read_bytes()[:50])
    with pytest.raises(InputError, match=r"2\.png: It is cut short"):
        encode_images(make_encoder("descriptor"), files, "item")
    contents = [Path(name).read_bytes() for name in files]
    with pytest.raises(InputError, match=r"row 2 cannot be read\. An image: It is cut short"):
        encode_images(make_encoder("descriptor"), contents, "item")
    Path(files[2]).unlink()
    with pytest.raises(InputError, match=r"2\.png: There is no such file"):
        encode_images(Mean(), files, "item")
    with pytest.raises(InputError, match="There are no item images"):
        encode_images(Mean(), [], "item")
    with pytest.raises(InputError, match="a list of images is needed"):
        encode_images(Mean(), files[0], "item")
    with pytest.raises(InputError, match="The image in row 1 is NoneType"):
        encode_images(Mean(), [files[0], None], "item")


def test_vectors_that_are_no_numbers_name_the_file(files: list[str]) -> None:
    class Broken(Mean):
        def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:
            return np.full((len(inputs), 2), np.nan, np.float32)

    with pytest.raises(InputError, match=r"'mean' gave NaN or infinity for 4 images \(first: row 0, .*0\.png"):
        encode_images(Broken(), files, "item")
    with pytest.raises(InputError, match=r"row 0, \d+ bytes"):
        encode_images(Broken(), [Path(files[0]).read_bytes()], "item")


def test_each_encoder_reads_its_own(files: list[str]) -> None:
    with pytest.raises(OptionError, match=r"'wordllama' reads texts, and these are images\..*descriptor"):
        encode_images(WordLlama(), files, "item")
    with pytest.raises(OptionError, match=r"'descriptor' reads images, and these are texts\..*wordllama"):
        encode_texts(make_encoder("descriptor"), ["a fox"], "item")
