"""Networks in ONNX files against the same sums in numpy; layouts, sizes, and files that are no such networks."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.encode import OnnxImage, make_encoder
from hardneg.encode._prepare import Prepare
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.images import rgb
from hardneg.testing import check_encoder
from hardneg.testing._pictures import pictures

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

WEIGHTS = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)


def network(
    file: Path,
    shape: tuple[Any, ...] = ("n", 3, 32, 32),
    *,
    dtype: Any = np.float32,
    pool: bool = True,
    beside: bool = False,
    inputs: int = 1,
) -> Path:
    """A network that takes the mean of each colour, or not, and eight weighted sums of the three."""
    helper, kind = onnx.helper, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    last = shape[3:] == (3,)
    pooled = helper.make_node("ReduceMean", ["images"], ["colours"], axes=[1, 2] if last else [2, 3], keepdims=0)
    summed = helper.make_node("MatMul", ["colours" if pool else "images", "weights"], ["vectors"])
    graph = helper.make_graph(
        [pooled, summed] if pool else [summed],
        "colours",
        [helper.make_tensor_value_info(f"images{'' if one == 0 else one}", kind, shape) for one in range(inputs)],
        [helper.make_tensor_value_info("vectors", kind, None)],
        [onnx.numpy_helper.from_array(WEIGHTS.T.astype(dtype), "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = {"save_as_external_data": True, "location": f"{file.name}.data", "size_threshold": 0} if beside else {}
    onnx.save(made, str(file), **options)
    return file


def _by_hand(prepare: Prepare) -> NDArray[np.float32]:
    images = np.stack([prepare.array(rgb(one)) for one in pictures()])
    return np.asarray(images.mean((2, 3)) @ WEIGHTS.T, np.float32)


@pytest.mark.parametrize("shape", [("n", 3, 32, 32), (1, 3, 32, 32), ("n", 3, "h", "w"), ("n", 32, 32, 3)])
def test_vectors_are_those_of_the_network(tmp_path: Path, shape: tuple[Any, ...]) -> None:
    encoder = OnnxImage(str(network(tmp_path / "a.onnx", shape)), size=32)
    np.testing.assert_allclose(encoder.encode(pictures(), "item"), _by_hand(Prepare(32, 36)), atol=1e-4)


def test_the_preparation_is_as_told(tmp_path: Path) -> None:
    file = network(tmp_path / "a.onnx")
    text = f"onnx_image({file}, resize=32, mean=[0.5, 0.5, 0.5], std=[0.25, 0.5, 1])"
    wanted = _by_hand(Prepare(32, 32, (0.5, 0.5, 0.5), (0.25, 0.5, 1)))
    np.testing.assert_allclose(make_encoder(text).encode(pictures(), "item"), wanted, atol=1e-4)


def test_the_layout_is_asked_for_where_the_network_does_not_say(tmp_path: Path) -> None:
    file = str(network(tmp_path / "a.onnx", ("n", "c", "h", "w")))
    with pytest.raises(OptionError, match="'layout' must be nchw or nhwc, as the model does not say"):
        OnnxImage(file).encode(pictures(), "item")
    found = OnnxImage(file, size=32, layout="nchw").encode(pictures(), "item")
    np.testing.assert_allclose(found, _by_hand(Prepare(32, 36)), atol=1e-4)
    with pytest.raises(OptionError, match=r"'layout' must be nchw .* Got nhwc"):
        OnnxImage(str(network(tmp_path / "b.onnx")), layout="nhwc").encode(pictures(), "item")


def test_half_precision(tmp_path: Path) -> None:
    found = OnnxImage(str(network(tmp_path / "a.onnx", dtype=np.float16))).encode(pictures(), "item")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, _by_hand(Prepare(32, 36)), atol=0.05)


@pytest.mark.parametrize("beside", [False, True])
def test_networks_keep_the_promises_of_encoders(tmp_path: Path, beside: bool) -> None:
    check_encoder(make_encoder(f"onnx_image({network(tmp_path / 'a.onnx', beside=beside)})"))


def test_the_identity_is_that_of_the_bytes(tmp_path: Path) -> None:
    first = OnnxImage(str(network(tmp_path / "a.onnx", beside=True)))
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("a.onnx", "a.onnx.data"):
        shutil.copy(tmp_path / name, moved)
    assert OnnxImage(str(moved / "a.onnx")).identity == first.identity
    weights = bytearray((moved / "a.onnx.data").read_bytes())
    weights[0] ^= 1
    (moved / "a.onnx.data").write_bytes(weights)
    changed = OnnxImage(str(moved / "a.onnx"))
    others = [changed, OnnxImage(first.model, resize=32), OnnxImage(first.model, mean=(0.0, 0.0, 0.0))]
    assert len({first.identity, *(one.identity for one in others)}) == 4


def test_files_that_are_no_such_networks(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"not a network")
    wrong = {
        "There is none at": tmp_path / "none.onnx",
        "is no ONNX network that can be run": tmp_path / "x.onnx",
        "must take square images": network(tmp_path / "wide.onnx", ("n", 3, 32, 48)),
        "must take any number of images, or one": network(tmp_path / "four.onnx", (4, 3, 32, 32)),
        "one batch of images of float numbers": network(tmp_path / "two.onnx", inputs=2),
        "one batch of images of float numbers and": network(tmp_path / "flat.onnx", ("n", 3), pool=False),
    }
    for message, file in wrong.items():
        with pytest.raises(OptionError, match=message):
            OnnxImage(str(file)).encode(pictures(), "item")
    with pytest.raises(OptionError, match="'size' must be 32, as the model says"):
        OnnxImage(str(network(tmp_path / "a.onnx")), size=48).encode(pictures(), "item")
    many = network(tmp_path / "many.onnx", ("n", 32, 32, 3), pool=False)
    with pytest.raises(InputError, match="must give one vector for an image"):
        OnnxImage(str(many)).encode(pictures(), "item")


def test_options_that_no_image_has() -> None:
    for options in ({"size": 0}, {"size": 64, "resize": 32}, {"std": (1, 0, 1)}, {"mean": (0, 0)}, {"layout": "chw"}):
        with pytest.raises(OptionError, match="must be"):
            OnnxImage("a.onnx", **options)
    with pytest.raises(OptionError, match="'model' must be"):
        OnnxImage("")


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r'onnxruntime.*"hardneg\[onnx\]"'):
        OnnxImage("a.onnx").encode(pictures(), "item")
