"""A mining written down: the same steps as on the command line and in Python, in a TOML file.

    [data]
    path = "beir/scifact"          # relative to this file
    split = "train"

    [mine]
    encoder = "wordllama"
    sources = ["neighbors(k=100)", "lexical(k=50)"]
    filters = ["known", "duplicates(similarity=0.97)", "margin(relative=0.05, reference=mean)"]
    sampler = ["top(n=8)"]
    seed = 0

Every run writes its recipe back, so that it can be repeated or varied.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli_w

from hardneg import mining
from hardneg.context import Vectors, anchors_of
from hardneg.encode import make_encoder
from hardneg.errors import InputError, OptionError
from hardneg.io.readers import ReadOptions, read
from hardneg.io.reading import Reading, Skip
from hardneg.notation import require
from hardneg.positives import Positives
from hardneg.run import Run
from hardneg.sources import Source
from hardneg.steps import DEFAULT_SAMPLER, DEFAULT_SOURCES, Steps, united, usual_encoder, usual_filters, usual_sources
from hardneg.storage import digest, place

__all__ = ["Recipe", "counted", "given_vectors"]

_PATHS = (
    "exclude_ids", "corpus", "anchor_vectors", "item_vectors", "unlabelled", "predictions", "agreeing", "media_root",
)  # fmt: skip
_LISTS = ("ignore", "exclude_split", "decisions", "sources", "filters", "sampler")
_FLAGS = ("mine_evaluation", "held_out")
_NUMBERS, _TABLES = ("positive_from", "negative_to", "ignore", "grades", "least_score"), ("grades", "columns")


@dataclass(frozen=True)
class Recipe:
    """What to read and how to mine it. Everything a run's content depends on, and nothing else.

    An encoder, sources or filters of None are the usual ones for what is read; :meth:`suited` puts them in.

    >>> recipe = Recipe(Path("data/faq"), sampler=("top(n=4)",))
    >>> Recipe.parse(recipe.text(Path("runs")), Path("runs")) == recipe
    True
    """

    path: Path
    format: str | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    encoder: str | None = None
    sources: tuple[str, ...] | None = None
    filters: tuple[str, ...] | None = None
    sampler: tuple[str, ...] = DEFAULT_SAMPLER
    seed: int = 0

    def __post_init__(self) -> None:
        if self.read.anchor_vectors is not None and self.read.item_vectors is None:
            raise OptionError("The 'anchor_vectors' and 'item_vectors' go together: give both, or leave both out.")

    @classmethod
    def load(cls, file: Path) -> Recipe:
        """Read a recipe; its paths are relative to its own folder."""
        try:
            return cls.parse(file.read_text(encoding="utf-8"), file.parent)
        except UnicodeDecodeError as error:
            raise InputError("The recipe is not UTF-8.", path=file, remedy="Save it as UTF-8.") from error
        except (tomllib.TOMLDecodeError, OptionError) as error:
            raise InputError(str(error), path=file) from error

    @classmethod
    def parse(cls, text: str, folder: Path) -> Recipe:
        """Read a recipe from its text; OptionError for a key that it does not know."""
        document = tomllib.loads(text)
        _only(document, ("data", "mine"), "a recipe")
        for name, value in document.items():
            require(isinstance(value, dict), name, f"a table, as in [{name}]", repr(value))
        data, steps = dict(document.get("data", {})), dict(document.get("mine", {}))
        if "path" not in data:
            raise OptionError("A recipe needs 'path' in its table [data].")
        _only(steps, ("encoder", "sources", "filters", "sampler", "seed"), "[mine]")
        _only(data, ["path", "format", *(one.name for one in fields(ReadOptions))], "[data]")
        for name, value in (data | steps).items():
            _check(name, value)
        path, kind = _from(folder, data.pop("path")), data.pop("format", None)
        data |= {name: _from(folder, data[name]) for name in _PATHS if name in data}
        data |= {name: _listed(data[name]) for name in _LISTS if name in data}
        if "decisions" in data:
            data["decisions"] = tuple(_from(folder, one) for one in data["decisions"])
        steps |= {name: _listed(steps[name]) for name in _LISTS if name in steps}
        return cls(path, kind, ReadOptions(**data), **steps)

    def text(self, folder: Path) -> str:
        """The recipe as TOML, with paths relative to ``folder``."""
        data: dict[str, Any] = {"path": _to(folder, self.path)}
        if self.format is not None:
            data["format"] = self.format
        standard = ReadOptions()
        for one in fields(ReadOptions):
            value = getattr(self.read, one.name)
            if value != getattr(standard, one.name):
                data[one.name] = _written(folder, value)
        names = ("encoder", "sources", "filters", "sampler", "seed")
        steps = {name: _plain(value) for name in names if (value := getattr(self, name)) is not None}
        return tomli_w.dumps({"data": data, "mine": steps}, multiline_strings=False)

    def checked(self) -> Recipe:
        """The same recipe with its steps in full, after checking each of them."""
        texts = {name: tuple(found) for name, found in self.steps().texts().items()}
        return replace(
            self,
            encoder=None if self.encoder is None else str(make_encoder(self.encoder)),
            sources=None if self.sources is None else texts["sources"],
            filters=None if self.filters is None else texts["filters"],
            sampler=texts["sampler"],
        )

    def suited(self, positives: Positives) -> Recipe:
        """The same recipe, with the usual encoder, sources and filters for these data where it names none."""
        return replace(
            self,
            encoder=self.encoder or usual_encoder(positives),
            sources=usual_sources(positives) if self.sources is None else self.sources,
            filters=usual_filters(positives) if self.filters is None else self.filters,
        ).checked()

    def source(self) -> Source:
        """The source, made."""
        return united(self.sources or DEFAULT_SOURCES)

    def steps(self) -> Steps:
        """The steps, parsed."""
        return Steps.parse(self.sources or DEFAULT_SOURCES, self.filters or (), self.sampler)

    def read_data(self) -> Reading:
        """Read the data set."""
        return read(self.path, format=self.format, options=self.read)

    def mine(self, reading: Reading, out: Path, settings: mining.Settings) -> Run:
        """Mine what was read, and leave the recipe in the run."""
        provenance = {
            "data": {
                "name": self.path.resolve().name,
                "format": reading.format,
                "counts": dict(reading.counts),
                "files": {name: digest(file) for name, file in sorted(reading.files.items())},
            },
            "skipped": counted(reading.skips),
            **({"noted": counted(reading.notes)} if reading.notes else {}),
            **({"decisions": dict(reading.decisions)} if reading.decisions else {}),
        }
        suited = self.suited(reading.positives)
        run = mining.mine(
            reading.positives,
            sources=suited.sources or (),
            filters=None if self.filters is None else suited.filters,  # what is usual it finds and accounts for itself
            sampler=suited.sampler,
            encoder=given_vectors(reading) or suited.encoder,
            seed=suited.seed,
            out=out,
            settings=replace(settings, provenance=provenance),
        )
        with place(run.path / "recipe.toml") as file:
            file.write(suited.text(run.path).encode())
        return run


def given_vectors(reading: Reading) -> Vectors | None:
    """The vectors that came with the data, None where there are none."""
    anchors, items = reading.anchor_vectors, reading.item_vectors
    if items is not None and anchors is None:  # the anchors are among the items, or classes of them
        anchors = anchors_of(items, reading.positives, "cosine")
    return None if anchors is None or items is None else Vectors.checked(anchors, items, reading.positives, "cosine")


def counted(skips: Sequence[Skip]) -> list[dict[str, Any]]:
    """What was left out or is odd, as a manifest holds it."""
    return [{"reason": one.reason, "count": one.count, "examples": list(one.examples)} for one in skips]


def _only(table: Mapping[str, Any], known: Any, where: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise OptionError(f"There is no '{unknown[0]}' in {where}. Known: {', '.join(sorted(known))}.")


def _check(name: str, value: Any) -> None:
    """Raise OptionError for a value that is not of its key's type."""
    if name == "seed":
        require(type(value) is int, name, "a whole number", repr(value))
        return
    if name in _FLAGS:
        require(isinstance(value, bool), name, "true or false", repr(value))
        return
    fits: Callable[[Any], bool] = _is_number if name in _NUMBERS else _is_text
    kind = "a number" if name in _NUMBERS else "text"
    if name in _TABLES:
        whole = isinstance(value, dict) and all(map(fits, value.values()))
        require(whole, name, f"a table, with {kind} for each name", repr(value))
    elif name in _LISTS:
        require(all(map(fits, _listed(value))), name, f"{kind}, or a list of such", repr(value))
    else:
        require(fits(value), name, kind, repr(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _from(folder: Path, path: str) -> Path:
    return Path(os.path.normpath(folder / Path(path).expanduser()))


def _to(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path.expanduser(), folder)).as_posix()


def _written(folder: Path, value: Any) -> Any:
    """An option as TOML has it: paths relative to the folder."""
    if isinstance(value, Path):
        return _to(folder, value)
    paths = isinstance(value, tuple) and any(isinstance(one, Path) for one in value)
    return [_to(folder, one) for one in value] if paths else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
