"""timm and OpenCLIP, themselves, on small models with random weights that are saved and loaded again."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardneg.encode import OpenClip, Timm, make_encoder
from hardneg.errors import MissingExtraError, OptionError
from hardneg.images import rgb
from hardneg.testing import check_encoder
from hardneg.testing._pictures import pictures

torch = pytest.importorskip("torch")
_APART = Path(sys.prefix) / "vision"


@pytest.fixture(scope="module")
def library() -> Iterator[Any]:
    """timm or OpenCLIP by name, from where they are installed or from the folder that ``make`` sets apart.

    There torchvision is one for graphics cards, whose compiled part does not load; the little of it that its
    import asks for is declared here, and nothing of it is called.
    """
    names, before = ("timm", "open_clip", "torchvision"), dict(sys.modules)
    declared = torch.library.Library("torchvision", "FRAGMENT")
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError):
        if not _APART.is_dir():
            pytest.skip("timm and OpenCLIP are not installed")
        for operator in ("nms", "qnms"):
            declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        sys.path.append(str(_APART))
    yield importlib.import_module
    if str(_APART) in sys.path:
        sys.path.remove(str(_APART))
    for name in [name for name in sys.modules if name.split(".")[0] in names and name not in before]:
        del sys.modules[name]


# --- timm -------------------------------------------------------------------------------------------------------------

SMALL = "resnet10t"


@pytest.fixture(scope="module")
def saved_timm(library: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model, and its weights in two files, classifier and all."""
    from safetensors.torch import save_file

    timm, folder = library("timm"), tmp_path_factory.mktemp("timm")
    torch.manual_seed(0)
    model = timm.create_model(SMALL, num_classes=7)
    timm.models.save_for_hf(model, str(folder / "whole"), model_config={"num_classes": 7})
    save_file(model.state_dict(), folder / "mine.safetensors")
    torch.save({"state_dict": {f"module.{key}": one for key, one in model.state_dict().items()}}, folder / "mine.pth")
    return folder


def _by_hand(timm: Any, folder: Path) -> Any:
    from safetensors.torch import load_file

    model = timm.create_model(SMALL, num_classes=7)
    model.load_state_dict(load_file(folder / "mine.safetensors"))
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    with torch.inference_mode():
        batch = torch.stack([transform(rgb(picture)) for picture in pictures()])
        return model.eval().forward_head(model.forward_features(batch), pre_logits=True).numpy()


def test_timm_from_a_checkpoint_and_from_a_folder(library: Any, saved_timm: Path) -> None:
    wanted = _by_hand(library("timm"), saved_timm)
    encoders = [
        Timm(SMALL, checkpoint=str(saved_timm / "mine.safetensors"), batch_size=4, device="cpu"),
        Timm(SMALL, checkpoint=str(saved_timm / "mine.pth"), device="cpu"),
        Timm(str(saved_timm / "whole"), device="cpu"),
    ]
    for encoder in encoders:
        np.testing.assert_allclose(encoder.encode(pictures(), "item"), wanted, atol=1e-4)
    assert len({encoder.identity for encoder in encoders}) == 1
    assert Timm(SMALL, checkpoint=str(saved_timm / "mine.pth"), precision="bfloat16").identity != encoders[0].identity


def test_timm_keeps_the_promises_of_encoders(saved_timm: Path) -> None:
    check_encoder(make_encoder(f'timm({SMALL}, checkpoint="{saved_timm / "mine.pth"}", batch_size=4, device=cpu)'))


def test_models_of_timm_that_cannot_be_had(library: Any, saved_timm: Path) -> None:
    with pytest.raises(OptionError, match=r"timm has no model 'resnet10'\. Did you mean one of .*resnet10t"):
        Timm("resnet10").encode(pictures(), "item")
    with pytest.raises(OptionError, match="is of another model"):
        Timm("resnet14t", checkpoint=str(saved_timm / "mine.pth")).encode(pictures(), "item")
    with pytest.raises(OptionError, match="There is none at"):
        Timm(SMALL, checkpoint="none.pth").encode(pictures(), "item")
    with pytest.raises(OptionError, match="There is no folder"):
        Timm("./none").encode(pictures(), "item")


# --- OpenCLIP ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved_clip(library: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small CLIP model in OpenCLIP's own form."""
    import json

    open_clip, folder = library("open_clip"), tmp_path_factory.mktemp("clip")
    config = {
        "embed_dim": 12,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
        "text_cfg": {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    preparation = {"mean": [0.4, 0.4, 0.4], "std": [0.3, 0.3, 0.3]}
    content = {"model_cfg": config, "preprocess_cfg": preparation}
    (folder / "open_clip_config.json").write_text(json.dumps(content))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def test_open_clip_equals_the_package(library: Any, saved_clip: Path, tmp_path: Path) -> None:
    model, _, prepare = library("open_clip").create_model_and_transforms(f"local-dir:{saved_clip}")
    with torch.inference_mode():
        wanted = model.eval().encode_image(torch.stack([prepare(rgb(picture)) for picture in pictures()])).numpy()
    encoder = OpenClip(str(saved_clip), batch_size=4, device="cpu")
    np.testing.assert_allclose(encoder.encode(pictures(), "item"), wanted, atol=1e-5)
    moved = shutil.copytree(saved_clip, tmp_path / "moved")
    assert OpenClip(str(moved)).identity == encoder.identity
    (moved / "open_clip_config.json").write_text((moved / "open_clip_config.json").read_text().replace("0.3", "0.2"))
    assert OpenClip(str(moved)).identity != encoder.identity


def test_open_clip_keeps_the_promises_of_encoders(saved_clip: Path) -> None:
    check_encoder(make_encoder(f'open_clip("{saved_clip}", batch_size=4, device=cpu)'))


def test_models_of_open_clip_that_cannot_be_had(library: Any) -> None:
    with pytest.raises(OptionError, match=r"needs weights: open_clip\(ViT-B-32, pretrained=\.\.\.\)"):
        OpenClip("ViT-B-32")
    with pytest.raises(OptionError, match="cannot be loaded"):
        OpenClip("no-such-model", pretrained="none").encode(pictures(), "item")
    with pytest.raises(OptionError, match="cannot be loaded"):
        OpenClip("ViT-B-32", pretrained="no-such-weights").encode(pictures(), "item")


# --- without them -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [Timm("resnet18"), OpenClip("ViT-B-32", pretrained="openai")], ids=str)
def test_without_the_package(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, encoder.name, None)
    with pytest.raises(MissingExtraError, match=r'pip install "hardneg\[vision\]"'):
        encoder.encode(pictures(), "item")


def test_a_torchvision_of_another_build_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr("hardneg.encode._weights.importlib.import_module", broken)
    with pytest.raises(OptionError, match=r"torchvision::nms does not exist.*install both anew, together"):
        Timm("resnet18").encode(pictures(), "item")
