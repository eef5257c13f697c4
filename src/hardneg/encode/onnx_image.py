"""Any network of images in an ONNX file, run by onnxruntime: your own model without its framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardneg.encode._base import ImageEncoder, Role
from hardneg.encode._identity import fingerprint
from hardneg.encode._prepare import IMAGENET_MEAN, IMAGENET_STD, Prepare
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.images import Picture, rgb
from hardneg.notation import require
from hardneg.parallel import each
from hardneg.similarity import FloatArray

__all__ = ["OnnxImage"]

_USUAL = 224
_TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class OnnxImage(ImageEncoder):
    """The first output of a network that takes one square RGB image and gives one vector.

    The image is decoded as for the other networks: its shorter side made ``resize`` pixels, the middle of
    ``size`` x ``size`` cut out, each colour, from 0 to 1, counted from ``mean`` in units of ``std``. One image goes
    through at a time, on several threads, so no vector depends on the others.

    Attributes:
        model: The ONNX file. Weights kept beside it must be in files whose names begin with its own.
        size: The side of the image; read from the model where it says.
        resize: The shorter side before the middle is cut out; an eighth more than ``size`` if not given. Faces cut
            out already and the like want the ``size`` itself, so that nothing is cut away.
        mean: Of red, green and blue; that of ImageNet if not given.
        std: Of red, green and blue; that of ImageNet if not given.
        layout: Whether the colours come before the rows (``nchw``) or last (``nhwc``); read from the model where it
            says.

    Raises OptionError for a file that is missing or no such network, MissingExtraError without onnxruntime.

    >>> str(OnnxImage("face.onnx", resize=112))
    'onnx_image(model=face.onnx, resize=112)'
    """

    name: ClassVar[str] = "onnx_image"
    model: str
    size: int | None = None
    resize: int | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    layout: Literal["nchw", "nhwc"] | None = None

    def __post_init__(self) -> None:
        require(bool(self.model), "model", "an ONNX file", "none")
        require(self.size is None or self.size > 0, "size", "a whole number above 0", self.size)
        require(self.resize is None or self.resize >= (self.size or 1), "resize", "at least 'size'", self.resize)
        for name, values in (("mean", self.mean), ("std", self.std)):
            require(len(values) == 3, name, "three numbers, of red, green and blue", values)
        require(min(self.std) > 0, "std", "above 0", self.std)
        require(self.layout in (None, "nchw", "nhwc"), "layout", "nchw or nhwc", self.layout)

    @cached_property
    def identity(self) -> str:
        """A hash of the network, its weights beside it, and the preparation; never of a path."""
        network, file = self._network, Path(self.model).expanduser()
        beside = sorted(one for one in file.parent.iterdir() if one.name.startswith(file.name) and one.is_file())
        return fingerprint("onnx_image", 1, network.prepare.facts, network.last, *(one.read_bytes() for one in beside))

    def encode(self, inputs: Sequence[Picture], role: Role) -> FloatArray:  # noqa: ARG002
        """Vectors of shape ``(len(inputs), d)``, float32."""
        network = self._network  # loaded once, before the threads begin
        found = each(network, inputs)
        return np.stack(found) if found else np.zeros((0, 0), np.float32)

    @cached_property
    def _network(self) -> _Network:
        session = _session(self.model)
        given = session.get_inputs()
        if len(given) != 1 or len(given[0].shape) != 4 or given[0].type not in _TYPES:
            told = ", ".join(f"{one.name} {one.type} {one.shape}" for one in given[:2])
            more = f" and {len(given) - 2} more" if len(given) > 2 else ""
            raise OptionError(
                f"The model '{self.model}' must take one batch of images of float numbers and nothing else. "
                f"Got {told}{more}."
            )
        batch, *shape = given[0].shape
        if isinstance(batch, int) and batch != 1:
            raise OptionError(f"The model '{self.model}' must take any number of images, or one. Got {batch}.")
        last = self._colours_last(shape)
        size = self._side(shape[:2] if last else shape[1:])
        prepare = Prepare(size, max(size, self.resize or size * 8 // 7), self.mean, self.std)
        return _Network(session, given[0].name, _TYPES[given[0].type], prepare, last, self.model)

    def _colours_last(self, shape: Sequence[Any]) -> bool:
        """Whether the colours are the last axis, of a shape without that of the batch."""
        places = {name for name, axis in (("nchw", 0), ("nhwc", 2)) if shape[axis] == 3}
        if self.layout is not None and (self.layout in places or not places):
            return self.layout == "nhwc"
        if self.layout is None and len(places) == 1:
            return places == {"nhwc"}
        wanted = "nchw or nhwc, as the model does not say" if not places else f"{' or '.join(sorted(places))}"
        raise OptionError(f"The 'layout' must be {wanted} (it takes {list(shape)}). Got {self.layout}.")

    def _side(self, sides: Sequence[Any]) -> int:
        """The side of the image: as the model says, else as the user does."""
        fixed = {one for one in sides if isinstance(one, int)}
        if len(fixed) > 1:
            raise OptionError(f"The model '{self.model}' must take square images. Got {list(sides)}.")
        size = self.size or next(iter(fixed), _USUAL)
        require(fixed <= {size}, "size", f"{next(iter(fixed), size)}, as the model says", size)
        return size


@dataclass(frozen=True)
class _Network:
    session: Any
    given: str
    dtype: type[np.floating[Any]]
    prepare: Prepare
    last: bool
    model: str

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        pixels = self.prepare.array(rgb(picture, box=2 * self.prepare.resize)).astype(self.dtype)
        batch = pixels.transpose(1, 2, 0)[None] if self.last else pixels[None]
        try:
            found = self.session.run(None, {self.given: np.ascontiguousarray(batch)})[0]
        except Exception as error:  # onnxruntime has exceptions of its own, without a common base
            raise OptionError(f"The model '{self.model}' cannot be run: {_first_line(error)}") from None
        if found.ndim < 2 or found.shape[0] != 1 or found.size != found.shape[1]:
            raise InputError(f"The model '{self.model}' must give one vector for an image. Got shape {found.shape}.")
        return np.asarray(found, np.float32).reshape(-1)


def _session(model: str) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingExtraError("onnxruntime", extra="onnx") from None
    file = Path(model).expanduser()
    if not file.is_file():
        raise OptionError(f"The 'model' must be an ONNX file. There is none at '{model}'.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised
    # Images run beside one another; threads within one would only get in their way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see above
        raise OptionError(f"The model '{model}' is no ONNX network that can be run: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
