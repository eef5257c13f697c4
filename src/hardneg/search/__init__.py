"""Nearest-neighbour engines behind one protocol, each in the file of its name.

No engine loads the package it rests on before it is used.
"""

from hardneg.notation import Registry
from hardneg.search._base import Constraints, Engine, Hits, Search, Unlike
from hardneg.search.approximate import Approximate
from hardneg.search.auto import Auto
from hardneg.search.exact import Exact
from hardneg.search.faiss import Faiss
from hardneg.search.torch import Torch
from hardneg.search.usearch import Usearch

__all__ = [
    "ENGINES",
    "Approximate",
    "Auto",
    "Constraints",
    "Engine",
    "Exact",
    "Faiss",
    "Hits",
    "Search",
    "Torch",
    "Unlike",
    "Usearch",
]

ENGINES: Registry[Engine] = Registry("engine", Engine, [Auto, Exact, Approximate, Torch, Faiss, Usearch])  # type: ignore[type-abstract]
