"""Each part of the descriptor against another's, or against loops."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hardneg.encode import Descriptor, make_encoder
from hardneg.encode._colour import hsv_histogram, lab, lab_moments
from hardneg.encode._hog import hog
from hardneg.errors import OptionError
from hardneg.testing import check_encoder
from hardneg.testing._pictures import pictures, saved


def _noise(size: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


@pytest.mark.parametrize(("size", "cell"), [(64, 16), (64, 8), (48, 16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_hog_equals_scikit_image(size: int, cell: int, channels: int) -> None:
    feature = pytest.importorskip("skimage.feature")
    pixels = np.sqrt(_noise(size)[..., :channels] / 255)
    theirs = feature.hog(pixels, 9, (cell, cell), (2, 2), block_norm="L2-Hys", channel_axis=-1)
    np.testing.assert_allclose(hog(pixels, cell), theirs, atol=1e-6)


def test_edges_vote_for_their_direction() -> None:
    down, right = np.mgrid[0:16, 0:16]
    for degrees, bins in [(0, {0}), (45, {2}), (90, {4}), (130, {6})]:
        angle = np.deg2rad(degrees)
        pixels = (right * np.cos(angle) + down * np.sin(angle))[2:-2, 2:-2, None]
        votes = hog(np.pad(pixels, ((2, 2), (2, 2), (0, 0)), mode="reflect", reflect_type="odd"), 4).reshape(-1, 9)
        assert set(np.flatnonzero(votes[len(votes) // 2] > 0.1)) == bins


def test_nothing_to_see_gives_zeros() -> None:
    assert hog(np.full((32, 32, 3), 0.5), 8).tolist() == [0.0] * 324


def test_lab_equals_scikit_image() -> None:
    color = pytest.importorskip("skimage.color")
    np.testing.assert_allclose(lab(_noise()), color.rgb2lab(_noise()), atol=0.05)


def test_moments_and_histograms_equal_loops() -> None:
    pixels = _noise(16)
    moments, colours = [], lab(pixels)
    for top in range(0, 16, 4):
        for left in range(0, 16, 4):
            tile = colours[top : top + 4, left : left + 4].reshape(-1, 3)
            moments += [*(tile.mean(0) / 50 - [1, 0, 0]), *(tile.std(0) / 25)]
    np.testing.assert_allclose(lab_moments(pixels, 4), moments)
    hsv = np.asarray(Image.fromarray(pixels).convert("HSV"))
    counts = np.zeros((2, 2, 8, 3, 3))
    for top in range(16):
        for left in range(16):
            hue, saturation, value = (int(one) for one in hsv[top, left])
            counts[top // 8, left // 8, hue // 32, saturation * 3 // 256, value * 3 // 256] += 1
    np.testing.assert_allclose(hsv_histogram(hsv, 2), np.sqrt(counts).ravel())
    assert colorsys.rgb_to_hsv(*(pixels[0, 0] / 255))[0] * 255 == pytest.approx(hsv[0, 0, 0], abs=2)


@pytest.mark.parametrize("text", ["descriptor", "descriptor(colour=0, histogram=0)", "descriptor(shape=2)"])
def test_the_descriptor_keeps_the_promises_of_encoders(text: str) -> None:
    check_encoder(make_encoder(text), tolerance=0)


def test_its_parts_have_their_weights() -> None:
    vectors = Descriptor(shape=2, colour=1, histogram=0).encode(pictures(), "item")
    assert vectors.shape == (6, 708)
    assert np.linalg.norm(vectors[:, :324], axis=1) == pytest.approx([2] * 6)
    assert np.linalg.norm(vectors[:, 324:420], axis=1) == pytest.approx([1] * 6)
    assert not vectors[:, 420:].any()
    assert len({Descriptor(shape=w).identity for w in (1, 2)} | {Descriptor(1, w).identity for w in (0.75, 2)}) == 3
    assert Descriptor(1, 1, 1).identity == make_encoder("descriptor(1, 1.0, 1)").identity


@pytest.mark.parametrize("weights", [(-1, 1, 1), (0, 0, 0), (np.nan, 1, 1), (1, np.inf, 1)])
def test_weights_that_cannot_be(weights: Any) -> None:
    with pytest.raises(OptionError, match=r"The '(shape|colour)' must be"):
        Descriptor(*weights)


def test_the_same_picture_in_another_format_or_size_is_near() -> None:
    down, right = np.mgrid[0:300, 0:400]
    pixels = np.stack([down % 256, (right + down) // 3 % 256, 255 - right // 2], axis=-1).astype(np.uint8)
    small = np.asarray(Image.fromarray(pixels).resize((200, 150)))
    vectors = Descriptor().encode(
        [saved(pixels, "png"), saved(pixels, "jpeg"), saved(small, "webp"), saved(_noise(), "png")], "item"
    )
    cosines = vectors @ vectors[0] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[0])
    assert (cosines[:3] > 0.95).all()
    assert cosines[3] < 0.7


def test_a_single_pixel_has_a_vector() -> None:
    assert np.isfinite(Descriptor().encode([saved(np.zeros((1, 1, 3), int), "png")], "item")).all()


def test_large_jpegs_are_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def spy(picture: bytes, box: int) -> Any:
        seen.append(box)
        return Image.new("RGB", (9, 9))

    monkeypatch.setattr("hardneg.encode.descriptor.rgb", spy)
    Descriptor().encode([b"any"], "item")
    assert seen == [128]
