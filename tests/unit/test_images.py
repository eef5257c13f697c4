"""Every way in which an image file can be unusual or broken."""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hardneg.errors import InputError, MissingExtraError
from hardneg.images import BrokenImage, Crop, Examined, Picture, digest, examine, examine_all, rgb, thumbnail
from hardneg.pixels import orientation

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def _saved(image: Image.Image, form: str = "png", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _ramp(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    down, right = np.mgrid[0:height, 0:width]
    return np.stack([right * 4, down * 6, 255 - right - down], axis=-1).astype(np.uint8)


def _first(content: Picture) -> Any:
    return rgb(content).getpixel((0, 0))


def _palette(**options: Any) -> bytes:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return _saved(image, **options)


def _numbers(values: Any, form: str, dtype: str) -> bytes:
    return _saved(Image.fromarray(np.full((3, 4), values, dtype)), form)


# --- colours ----------------------------------------------------------------------------------------------------------

COLOURS: dict[str, tuple[Callable[[], bytes], tuple[int, int, int]]] = {
    "1": (lambda: _saved(Image.new("1", (4, 3), 1)), WHITE),
    "L": (lambda: _saved(Image.new("L", (4, 3), 7)), (7, 7, 7)),
    "grey jpeg": (lambda: _saved(Image.new("L", (16, 16), 128), "jpeg"), (128, 128, 128)),
    "LA": (lambda: _saved(Image.new("LA", (4, 3), (0, 51))), (204, 204, 204)),
    "P": (_palette, RED),
    "P with a transparent colour": (lambda: _palette(transparency=1), WHITE),
    "P with a transparent colour elsewhere": (lambda: _palette(transparency=0), RED),
    "P with transparencies": (lambda: _palette(transparency=b"\xff\x33"), (255, 204, 204)),
    "L with a transparent grey": (lambda: _saved(Image.new("L", (4, 3), 7), transparency=7), WHITE),
    "RGB with a transparent colour": (lambda: _saved(Image.new("RGB", (4, 3), RED), transparency=RED), WHITE),
    "RGBA": (lambda: _saved(Image.new("RGBA", (4, 3), (255, 0, 0, 51))), (255, 204, 204)),
    "RGBA, hidden": (lambda: _saved(Image.new("RGBA", (4, 3), (9, 9, 9, 0))), WHITE),
    "RGBA webp": (lambda: _saved(Image.new("RGBA", (4, 3), (0, 0, 0, 0)), "webp", lossless=True), WHITE),
    "gif with a transparent colour": (lambda: _palette(form="gif", transparency=1), WHITE),
    "CMYK tiff": (lambda: _saved(Image.new("CMYK", (4, 3), (0, 255, 255, 0)), "tiff"), RED),
    "YCbCr tiff": (lambda: _saved(Image.new("YCbCr", (4, 3), (255, 128, 128)), "tiff"), WHITE),
    "LAB tiff": (lambda: _saved(Image.new("LAB", (4, 3), (255, 128, 128)), "tiff"), WHITE),
    "16 bit png": (lambda: _numbers(32896, "png", "<u2"), (128, 128, 128)),
    "16 bit tiff": (lambda: _numbers(32896, "tiff", "<u2"), (128, 128, 128)),
    "16 bit tiff, big end first": (lambda: _numbers(32896, "tiff", ">u2"), (128, 128, 128)),
    "16 bit pgm": (lambda: b"P5 1 1 65535\n\x80\x80", (128, 128, 128)),
    "32 bit tiff of 8 bit numbers": (lambda: _numbers(200, "tiff", "<i4"), (200, 200, 200)),
    "32 bit tiff of 16 bit numbers": (lambda: _numbers(65535, "tiff", "<i4"), WHITE),
    "float tiff, 0 to 1": (lambda: _numbers(0.5, "tiff", "<f4"), (128, 128, 128)),
    "float tiff, 0 to 255": (lambda: _numbers(200.2, "tiff", "<f4"), (200, 200, 200)),
    "float tiff that is no number": (lambda: _numbers(np.nan, "tiff", "<f4"), BLACK),
    "bmp": (lambda: _saved(Image.new("RGB", (4, 3), RED), "bmp"), RED),
    "ppm": (lambda: _saved(Image.new("RGB", (4, 3), RED), "ppm"), RED),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_any_colours_become_rgb(kind: str) -> None:
    make, wanted = COLOURS[kind]
    image = rgb(make())
    assert image.mode == "RGB"
    assert np.abs(np.asarray(image, int)[0, 0] - wanted).max() <= (1 if kind == "LAB tiff" else 0)
    assert examine(make()).frames == 1


def test_numbers_of_any_range_are_stretched() -> None:
    values = np.array([[-5.0, 0.0, 5.0]], np.float32)
    image = rgb(_saved(Image.fromarray(values), "tiff"))
    assert np.asarray(image)[0, :, 0].tolist() == [0, 128, 255]


def test_cmyk_jpegs_keep_their_colours() -> None:
    """Adobe's programs write them inverted, and so does Pillow; a picture must not come out as its negative."""
    image = rgb(_saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "jpeg", quality=95))
    assert np.abs(np.asarray(image, int) - RED).max() < 8


# --- which way up, which frame ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_orientation_is_applied(turned: int, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    options = {"quality": 100, "subsampling": 0} if form == "jpeg" else {"lossless": True} if form == "webp" else {}
    content = _saved(Image.fromarray(_ramp()), form, exif=exif, **options)
    seen = _ramp()
    if turned in (5, 6, 7, 8):
        seen = seen.transpose(1, 0, 2)
    if turned in (3, 4, 7, 8):
        seen = seen[::-1]
    if turned in (2, 3, 6, 7):
        seen = seen[:, ::-1]
    assert np.abs(np.asarray(rgb(content), int) - seen).max() < 6
    assert (examine(content).width, examine(content).height) == seen.shape[1::-1]


def test_a_broken_orientation_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    image = Image.open(io.BytesIO(_saved(Image.fromarray(_ramp()), "jpeg", exif=exif)))
    assert orientation(image) == 1
    content = _saved(Image.fromarray(_ramp()), "jpeg", exif=b"Exif\0\0nonsense")
    assert rgb(content).size == (60, 40)


@pytest.mark.parametrize("form", ["gif", "webp", "png", "tiff"])
def test_the_first_frame_of_many(form: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if form == "webp" else {}
    content = _saved(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert _first(content) == RED
    assert examine(content).frames == 3


def test_an_animation_that_breaks_off_has_its_first_frame() -> None:
    frames = [Image.fromarray(_ramp() + np.uint8(shift)) for shift in (0, 90, 180)]
    content = _saved(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert examine(content[: len(content) // 2]).frames >= 1


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_a_box_makes_jpegs_smaller_never_too_small() -> None:
    content = _saved(Image.fromarray(_ramp(60, 40)).resize((1200, 800)), "jpeg")
    assert rgb(content).size == (1200, 800)
    for box in (30, 100, 101, 300, 799, 2000):
        assert min(rgb(content, box=box).size) >= min(box, 800)
    assert rgb(content, box=100).size == (150, 100)
    assert rgb(_saved(Image.new("RGB", (90, 80))), box=10).size == (90, 80)


def test_photographs_of_several_images_are_made_smaller_too() -> None:
    image = Image.fromarray(_ramp()).resize((1200, 800))
    content = _saved(image, "mpo", save_all=True, append_images=[image.rotate(180)])
    assert rgb(content, box=100).size == (150, 100)
    assert np.abs(np.asarray(rgb(content, box=800), int) - np.asarray(image)).mean() < 3
    assert (examine(content).width, examine(content).frames) == (1200, 2)


def test_thumbnails() -> None:
    image = Image.open(io.BytesIO(thumbnail(_saved(Image.new("RGBA", (300, 100))), 64)))
    assert (image.format, image.size, image.mode) == ("JPEG", (64, 21), "RGB")
    assert thumbnail(_saved(Image.new("L", (3, 2))), 64).startswith(b"\xff\xd8")


def _claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says that it is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (10_001, 10_001), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("ignore")
def test_claims_of_many_pixels_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(BrokenImage, match=r"claims .* pixels.*Make it smaller") as caught:
        rgb(_claims(*size))
    assert caught.value.reason == "image_too_large"


def test_the_limit_of_pixels_can_be_moved() -> None:
    content = _saved(Image.new("RGB", (10, 10)))
    assert rgb(content, most_pixels=100).size == (10, 10)
    with pytest.raises(BrokenImage, match="10 x 10 pixels; at most 99 are read"):
        rgb(content, most_pixels=99)


# --- broken files -----------------------------------------------------------------------------------------------------

PNG = _saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)))
JPEG = _saved(Image.open(io.BytesIO(PNG)), "jpeg")
WEBP = _saved(Image.open(io.BytesIO(PNG)), "webp")
GIF = _saved(Image.open(io.BytesIO(PNG)), "gif")
TIFF = _saved(Image.open(io.BytesIO(PNG)), "tiff")


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"<html>404</html>", "not_an_image"),
        (b"\0" * 1000, "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),  # never handed to Ghostscript
        (PNG[:20], "truncated_image"),
        (PNG[: len(PNG) // 2], "truncated_image"),
        (_flipped(PNG), "truncated_image"),
        (JPEG[:3], "truncated_image"),
        (JPEG[: len(JPEG) // 2], "truncated_image"),
        (WEBP[: len(WEBP) // 2], "truncated_image"),
        (GIF[:20], "truncated_image"),
        (GIF[: len(GIF) // 2], "truncated_image"),
        (TIFF[: len(TIFF) // 2], "truncated_image"),
    ],
)
def test_broken_files(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    for look in (rgb, examine, lambda one: thumbnail(one, 8)):
        for picture in (content, path, str(path)):
            with pytest.raises(BrokenImage) as caught:
                look(picture)
            assert caught.value.reason == reason
            assert ("broken.png" in str(caught.value)) == (picture is not content)
    assert isinstance(caught.value, InputError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.reason, again.path) == (str(caught.value), reason, path)


def test_a_link_to_a_sound_file(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to("real.png")
    assert examine(tmp_path / "link.png") == examine(PNG)


def test_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[image\]"'):
        rgb(PNG)


@pytest.mark.parametrize("content", [PNG, JPEG, WEBP, GIF], ids=["png", "jpeg", "webp", "gif"])
@pytest.mark.filterwarnings("ignore")
def test_any_damage_is_named_or_harmless(content: bytes) -> None:
    """Bytes changed and cut at random: whatever the decoders then raise, one kind of error comes out."""
    draw = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content[: draw.integers(1, len(content) + 1)])
        for place in draw.integers(0, min(len(damaged), 100), 3):
            damaged[place] = draw.integers(256)
        for look in (rgb, examine):
            with contextlib.suppress(BrokenImage):
                look(bytes(damaged))


# --- examining --------------------------------------------------------------------------------------------------------


def test_what_a_sound_picture_is(tmp_path: Path) -> None:
    path = tmp_path / "a.JPG"
    path.write_bytes(JPEG)
    content = blake2b(JPEG, digest_size=16).digest()
    assert examine(path) == Examined(60, 40, content, frames=1, suffix_fits=True)
    assert digest(path) == digest(JPEG) == content


@pytest.mark.parametrize(
    ("name", "content", "fits"),
    [
        ("a.jpg", JPEG, True), ("a.jpeg", JPEG, True), ("a.JPE", JPEG, True), ("a.png", JPEG, False),
        ("a.jpg", PNG, False), ("a.gif", WEBP, False), ("a.webp", WEBP, True), ("a.tif", TIFF, True),
        ("a", PNG, True), ("a.dat", PNG, True),
    ],
)  # fmt: skip
def test_suffixes_that_name_another_format(name: str, content: bytes, fits: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert examine(tmp_path / name).suffix_fits == fits
    assert rgb(tmp_path / name).size == (60, 40)


@pytest.mark.parametrize("threads", [None, 1, 4])
def test_many_are_examined_in_order(threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hardneg.mediafiles._SLICE", 7)
    pictures: list[Picture] = [PNG, b"", JPEG, "/not/there", PNG[:90]] * 8
    found = examine_all(pictures, threads)
    assert [one.reason if isinstance(one, BrokenImage) else one.content for one in found] == [
        digest(PNG), "empty_file", digest(JPEG), "missing_file", "truncated_image",
    ] * 8  # fmt: skip
    errors = [one for one in found if isinstance(one, BrokenImage)]
    assert all(one.__traceback__ is None and one.__context__ is None for one in errors)
    assert str(errors[1]).startswith("/not/there: There is no such file")
    assert str(errors[1].path) == "/not/there"
    assert examine_all([]) == []


def test_a_crop_is_what_its_box_touches(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    file = tmp_path / "a.png"
    Image.fromarray(pixels).save(file)
    boxes = [(2.0, 3.0, 5.0, 4.0), (2.4, 3.5, 5.2, 4.0), (-4.0, -1.0, 9.0, 6.0), (25.0, 15.0, 50.0, 50.0)]
    parts = [(2, 3, 7, 7), (2, 3, 8, 8), (0, 0, 5, 5), (25, 15, 30, 20)]
    for box, (left, top, right, bottom) in zip(boxes, parts, strict=True):
        crop = Crop(str(file), box)
        np.testing.assert_array_equal(np.asarray(rgb(crop)), pixels[top:bottom, left:right])
        found = examine(crop)
        assert (found.width, found.height) == (right - left, bottom - top)
        assert found.content == digest(crop) == digest(crop, digest(str(file)))
    assert len({digest(Crop(str(file), box)) for box in boxes}) == 4


@pytest.mark.parametrize("box", [(40.0, 0.0, 5.0, 5.0), (0, 0, 0, 5), (0, 0, -1, 5), (float("nan"), 0, 1, 1)])
def test_a_crop_of_nothing_is_named(tmp_path: Path, box: tuple[float, float, float, float]) -> None:
    file = tmp_path / "a.png"
    Image.new("RGB", (30, 20)).save(file)
    with pytest.raises(BrokenImage, match="in the picture of 30 x 20 pixels") as caught:
        rgb(Crop(str(file), box))
    assert caught.value.reason == "out_of_picture"


def test_a_picture_is_decoded_once_for_crops_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.png"
    Image.new("RGB", (30, 20), "red").save(file)
    rgb(Crop(str(file), (0, 0, 2, 2)))
    monkeypatch.setattr("hardneg.images._opened", lambda *_: 1 / 0)
    assert rgb(Crop(str(file), (1, 1, 9, 9))).size == (9, 9)


def test_a_file_that_took_the_place_of_another_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    for colour in ((255, 0, 0), (0, 0, 255)):
        file.unlink(missing_ok=True)
        Image.new("RGB", (30, 20 + colour[0] % 7), colour).save(file)
        assert rgb(Crop(str(file), (0, 0, 1, 1))).getpixel((0, 0)) == colour
    file.unlink()
    with pytest.raises(BrokenImage, match="no such file"):
        rgb(Crop(str(file), (0, 0, 1, 1)))


def test_formats_are_all_there_before_any_picture_is_opened(tmp_path: Path) -> None:
    """While another thread makes Pillow ready, some formats are known and others not yet: none may be missed."""
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    code = (
        "from PIL import Image\n"
        "Image.OPEN.update({f'LATER{n}': (None, None) for n in range(20)})\n"
        "from hardneg.images import examine\n"
        f"print(examine({str(tmp_path / 'a.png')!r}).width)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "4"
