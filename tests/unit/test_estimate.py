from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.io.readers.pictures import pets
from tests.worlds import scene

from hardneg.encode import make_encoder
from hardneg.errors import InputError, OptionError
from hardneg.estimate import estimate
from hardneg.io.readers import read
from hardneg.mining import mine
from hardneg.positives import Positives
from hardneg.samplers import SAMPLERS, Plan, plan


def sampler(*steps: str) -> Plan:
    return plan([SAMPLERS.make(step) for step in steps])


def test_vectors_on_disk_take_no_memory(tmp_path: Path) -> None:
    positives, vectors = scene(0, 40, 3000)
    np.save(tmp_path / "items.npy", np.asarray(vectors.items))
    on_disk = np.load(tmp_path / "items.npy", mmap_mode="r")
    mib = [estimate(positives, None, one, 20).mib["vectors in memory"] for one in (vectors.items, on_disk)]
    assert mib == [3040 * 5 * 4 / 2**20, 0]


def test_caps_hold_the_lists_of_all_anchors() -> None:
    many = Positives.from_pairs(np.arange(200_000), np.arange(200_000) % 500)
    vectors = np.ones((500, 2), np.float32)
    free, capped = (estimate(many, None, vectors, 100, sampler("top(n=2)", *more)).mib for more in ([], ["caps"]))
    lists = 200_000 * 100 * 16 / 2**20
    assert "sampling" not in free
    assert lists < capped["sampling"] < 2 * lists


def test_more_anchors_take_longer_and_a_part_is_no_larger() -> None:
    few, many = (Positives.from_pairs(np.arange(n), np.arange(n) % 500) for n in (3000, 6000))
    one, other = (estimate(judged, None, np.ones((500, 2), np.float32), 100, sampler("top")) for judged in (few, many))
    stage, use = "judge, sample and write", "searching and judging a part"
    assert other.seconds[stage] == pytest.approx(2 * one.seconds[stage])
    assert other.mib[use] == one.mib[use]


def test_pictures_are_encoded_once(tmp_path: Path) -> None:
    positives = read(pets(tmp_path)).positives
    found = estimate(positives, make_encoder("descriptor"), None, 5)
    assert found.dimension == 708
    assert 0 < found.seconds["encode"] < 60


def test_something_must_be_there_to_estimate_with() -> None:
    with pytest.raises(InputError, match="neither an encoder nor vectors"):
        estimate(scene(texts=False)[0], None, None, 5)
    with pytest.raises(InputError, match="'wordllama' needs texts, and the items have none"):
        estimate(scene(texts=False)[0], make_encoder("wordllama"), None, 5)


@pytest.mark.parametrize("estimated", [True, False])
def test_an_encoder_of_something_else_is_refused_before_and_in_a_mining(tmp_path: Path, estimated: bool) -> None:
    pictures = read(pets(tmp_path)).positives
    for positives, name, words in (
        (scene()[0], "logmel", "reads sounds, and these are texts"),
        (scene()[0], "descriptor", "reads images, and these are texts"),
        (pictures, "logmel", "reads sounds, and these are images"),
        (pictures, "wordllama", "reads texts, and these are images"),
    ):
        with pytest.raises((OptionError, InputError), match=words):
            estimate(positives, make_encoder(name), None, 5) if estimated else mine(positives, encoder=name)
