"""Encoders of sounds by models against the packages themselves; the user's own functions."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hardneg.encode import OpenWakeWord, Resemblyzer, SoundFunction, TransformersAudio, make_encoder
from hardneg.encode.resemblyzer import beginnings
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.sounds import Clip, wave
from hardneg.testing import check_encoder
from hardneg.testing._sounds import saved, sounds, tone

pytest.importorskip("soundfile")
pytest.importorskip("scipy")


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _long() -> bytes:
    draw = np.random.default_rng(0)
    return saved(draw.uniform(-0.3, 0.3, 70_000) * np.sin(np.arange(70_000) / 3000))


# --- Resemblyzer ------------------------------------------------------------------------------------------------------


@pytest.fixture
def voice_encoder(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package itself. What it only needs for other work is declared; its mel spectrogram is made of sums."""
    from tests.unit.encode.test_encode_audio_logmel import mel_by_hand

    pytest.importorskip("torch")

    def mel(y: Any, sr: int, n_fft: int, hop_length: int, n_mels: int) -> Any:
        return mel_by_hand(y, sr, n_fft, hop_length, n_mels).T

    for name in ("librosa", "webrtcvad", "scipy.ndimage.morphology"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["librosa"], "feature", SimpleNamespace(melspectrogram=mel), raising=False)
    monkeypatch.setattr(sys.modules["scipy.ndimage.morphology"], "binary_dilation", None, raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "resemblyzer"]:
        monkeypatch.delitem(sys.modules, name)
    return pytest.importorskip("resemblyzer").VoiceEncoder("cpu", verbose=False)


def test_resemblyzer_equals_the_package(voice_encoder: Any) -> None:
    given = [*sounds(), _long()]
    ours = Resemblyzer(device="cpu", batch_size=4).encode(given, "item")
    assert ours.shape == (7, 256)
    for sound, vector in zip(given, ours, strict=True):
        np.testing.assert_allclose(vector, voice_encoder.embed_utterance(wave(sound)), atol=1e-5)
    for samples in (1, 160, 25_599, 25_600, 30_000, 44_000, 44_800, 61_000, 100_000):
        slices = voice_encoder.compute_partial_slices(samples, 1.3, 0.75)[1]
        assert [one.start for one in slices] == beginnings(samples)


def test_voices_have_length_1_in_silence_too() -> None:
    pytest.importorskip("torch")
    if not _installed("resemblyzer"):
        pytest.skip("needs the package Resemblyzer")
    vectors = Resemblyzer(device="cpu").encode([saved(np.zeros(100)), saved(tone(200, 2.0))], "item")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


# --- openWakeWord -----------------------------------------------------------------------------------------------------


def test_openwakeword_equals_the_package() -> None:
    pytest.importorskip("onnxruntime")
    theirs = pytest.importorskip("openwakeword.utils").AudioFeatures()
    vectors = OpenWakeWord().encode([_long(), sounds()[0]], "item")
    assert vectors.shape == (2, 192)
    for sound, vector, silence in ((_long(), vectors[0], 4800), (sounds()[0], vectors[1], 4800)):
        samples = np.rint(np.pad(wave(sound), silence) * 32_767).astype(np.int16)
        windows = theirs._get_embeddings(samples).reshape(-1, 96)
        np.testing.assert_allclose(vector[:96], windows.mean(0), atol=1e-3)
        np.testing.assert_allclose(vector[96:], windows.std(0), atol=1e-3)


def test_openwakeword_keeps_the_promises_of_encoders() -> None:
    pytest.importorskip("onnxruntime")
    if not _installed("openwakeword"):
        pytest.skip("needs the package openwakeword")
    check_encoder(OpenWakeWord())
    assert np.isfinite(OpenWakeWord().encode([saved(np.zeros(1)), saved(np.zeros(20_000))], "item")).all()


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'"hardneg\[speech\]"'):
        _ = OpenWakeWord().identity
    if "torch" in sys.modules:
        with pytest.raises(MissingExtraError, match=r'"hardneg\[speech\]" .* --no-deps Resemblyzer'):
            Resemblyzer().encode(sounds(), "item")
    monkeypatch.undo()
    for name, encoder in [
        ("onnxruntime", OpenWakeWord()),
        ("torch", Resemblyzer()),
        ("torch", TransformersAudio("x/y")),
    ]:
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=rf'{name}.*"hardneg\[speech\]"'):
            encoder.encode(sounds(), "item")


# --- transformers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models with random weights: wav2vec 2.0, Whisper, an audio spectrogram transformer."""
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    tiny = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    wav2vec2 = library.Wav2Vec2Config(
        **tiny, conv_dim=(8, 8), conv_stride=(20, 16), conv_kernel=(25, 20), num_feat_extract_layers=2,
        num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2, initializer_range=0.5,
    )  # fmt: skip
    whisper = library.WhisperConfig(
        vocab_size=20, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, num_mel_bins=8,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_source_positions=150, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    ast = library.ASTConfig(**tiny, num_mel_bins=16, max_length=64, patch_size=8, frequency_stride=8, time_stride=8)
    made = {
        "wav2vec2": (library.Wav2Vec2Model(wav2vec2), library.Wav2Vec2FeatureExtractor()),
        "whisper": (library.WhisperModel(whisper), library.WhisperFeatureExtractor(feature_size=8, chunk_length=3)),
        "ast": (library.ASTModel(ast), library.ASTFeatureExtractor(num_mel_bins=16, max_length=64)),
    }
    for name, (model, extractor) in made.items():
        model.save_pretrained(folder / name)
        extractor.save_pretrained(folder / name)
    return folder


def _by_hand(folder: Path, name: str, sound: bytes) -> Any:
    import torch
    import transformers

    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder / name)
    model = transformers.AutoModel.from_pretrained(folder / name).eval()
    given = extractor(wave(sound), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        if name == "whisper":
            return model.encoder(given["input_features"]).last_hidden_state.mean(1)[0].numpy()
        found = model(given["input_values"])
        return (found.pooler_output if name == "ast" else found.last_hidden_state.mean(1))[0].numpy()


@pytest.mark.parametrize("name", ["wav2vec2", "whisper", "ast"])
def test_transformers_equal_the_package(models: Path, name: str) -> None:
    given = [*sounds(), saved(tone(500, 0.3))]
    vectors = TransformersAudio(str(models / name), device="cpu", batch_size=2).encode(given, "item")
    assert vectors.shape == (7, 16)
    for sound, vector in zip(given, vectors, strict=True):
        np.testing.assert_allclose(vector, _by_hand(models, name, sound), atol=1e-4)


def test_transformers_keep_the_promises_of_encoders(models: Path) -> None:
    encoder = make_encoder(f'transformers_audio("{models / "wav2vec2"}", batch_size=4, device=cpu)')
    check_encoder(encoder)
    assert np.isfinite(encoder.encode([saved(np.ones(1))], "item")).all()


def test_the_identity_of_a_model_of_transformers(models: Path, tmp_path: Path) -> None:
    first = TransformersAudio(str(models / "wav2vec2"))
    moved = Path(shutil.copytree(models / "wav2vec2", tmp_path / "moved"))
    assert TransformersAudio(str(moved), batch_size=1).identity == first.identity
    others = [TransformersAudio(str(models / "whisper")), TransformersAudio(str(moved), precision="bfloat16")]
    assert len({first.identity, *(one.identity for one in others)}) == 3
    config = moved / "preprocessor_config.json"
    config.write_text(config.read_text().replace('"do_normalize": true', '"do_normalize": false'))
    assert TransformersAudio(str(moved)).identity != first.identity


def test_models_of_transformers_that_cannot_be_had(models: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="gives no audio features"):
        TransformersAudio(str(models / "wav2vec2"), pooling="features").encode(sounds(), "item")
    with pytest.raises(InputError, match="has no pooler"):
        TransformersAudio(str(models / "wav2vec2"), pooling="pooler").encode(sounds(), "item")
    with pytest.raises(OptionError, match="pooling"):
        make_encoder("transformers_audio(x, pooling=cls)")
    with pytest.raises(OptionError, match="holds no model that can be loaded"):
        TransformersAudio(str(tmp_path)).encode(sounds(), "item")
    with pytest.raises(OptionError, match="'device' must be one that this machine has"):
        TransformersAudio(str(models / "wav2vec2"), device="cuda:99").encode(sounds(), "item")
    with pytest.raises(OptionError, match="batch_size"):
        TransformersAudio("x", batch_size=0)


# --- the user's own ---------------------------------------------------------------------------------------------------


def test_a_function_gets_one_channel_at_its_rate() -> None:
    seen: list[Any] = []

    def embed(waves: list[Any], role: str) -> list[list[float]]:
        seen.append((role, [(one.dtype.name, one.shape) for one in waves]))
        return [[len(one), 1.0] for one in waves]

    encoder = SoundFunction(call=embed, batch_size=4, rate=8000)
    vectors = encoder.encode([*sounds(), Clip(sounds()[0], 0.1, 0.2)], "anchor")
    assert vectors[:, 0].tolist() == [5600, 4000, 3266, 6000, 24_000, 5600, 800]
    assert [len(waves) for _, waves in seen] == [4, 3]
    assert seen[1] == ("anchor", [("float32", (24_000,)), ("float32", (5600,)), ("float32", (800,))])


def test_a_function_from_a_file_keeps_the_promises_of_encoders(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def embed(waves):\n    return [[len(w), float(w.std())] for w in waves]\n")
    check_encoder(make_encoder(f'sound_function("{tmp_path / "mine.py"}:embed", version=1)'))


@pytest.mark.parametrize("result", [[[1.0]], [1.0, 2.0], "text", [[1.0], [1.0, 2.0]]])
def test_wrong_results(result: Any) -> None:
    with pytest.raises(InputError, match="must return"):
        SoundFunction(call=lambda waves: result).encode(sounds()[:2], "item")


def test_the_identity_of_functions() -> None:
    assert SoundFunction("a:b").identity == ""
    assert len({SoundFunction("a:b", version=one, rate=rate).identity for one in "12" for rate in (8000, 16_000)}) == 4
    with pytest.raises(OptionError, match="'rate'"):
        SoundFunction("a:b", rate=0)
