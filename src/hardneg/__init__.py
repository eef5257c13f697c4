"""Hard-negative mining that shows its work.

    import hardneg as hn

    reading = hn.read(hn.demo_data())
    run = hn.mine(
        reading.positives,
        sources=["neighbors(k=100)"],
        filters=["known", "duplicates(similarity=0.97)", "margin(relative=0.05, reference=mean)"],
        sampler="top(n=8)",
        out="runs/a",
    )
    run.negatives        # a pyarrow.Table
    run.ledger           # what became of every candidate

Names are loaded when first used, so that ``import hardneg`` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardneg import encode, filters, samplers, search, sources, words
    from hardneg.auditing import Audit, audit, sample_of
    from hardneg.collection import Collection
    from hardneg.context import Vectors
    from hardneg.demo import demo_data
    from hardneg.errors import (
        HardnegError,
        InputError,
        MissingExtraError,
        OptionError,
        RunError,
        StorageError,
    )
    from hardneg.impact.front import measure_impact
    from hardneg.io.readers import ReadOptions, read
    from hardneg.io.writers import export
    from hardneg.mining import Settings, mine, refilter
    from hardneg.positives import Positives
    from hardneg.recipe import Recipe
    from hardneg.report import write_report
    from hardneg.rounds import mine_in_rounds
    from hardneg.run import Run
    from hardneg.weights import sample_weight

__all__ = [
    "Audit",
    "Collection",
    "HardnegError",
    "InputError",
    "MissingExtraError",
    "OptionError",
    "Positives",
    "ReadOptions",
    "Recipe",
    "Run",
    "RunError",
    "Settings",
    "StorageError",
    "Vectors",
    "audit",
    "demo_data",
    "encode",
    "export",
    "filters",
    "measure_impact",
    "mine",
    "mine_in_rounds",
    "read",
    "refilter",
    "sample_of",
    "sample_weight",
    "samplers",
    "search",
    "sources",
    "words",
    "write_report",
]

_HOMES = {
    "auditing": ("Audit", "audit", "sample_of"),
    "collection": ("Collection",),
    "context": ("Vectors",),
    "demo": ("demo_data",),
    "errors": ("HardnegError", "InputError", "MissingExtraError", "OptionError", "RunError", "StorageError"),
    "impact.front": ("measure_impact",),
    "io.readers": ("ReadOptions", "read"),
    "io.writers": ("export",),
    "mining": ("Settings", "mine", "refilter"),
    "positives": ("Positives",),
    "recipe": ("Recipe",),
    "report": ("write_report",),
    "rounds": ("mine_in_rounds",),
    "run": ("Run",),
    "weights": ("sample_weight",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_PACKAGES = ("encode", "filters", "samplers", "search", "sources", "words")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"hardneg.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'hardneg' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"hardneg.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
