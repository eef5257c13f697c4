"""Nearest-neighbour engines behind one protocol, each in the file of its name.

No engine loads the package it rests on before it is used.
"""

from hardneg.search._base import Constraints, Engine, Hits, Search, Unlike
from hardneg.search.exact import Exact
from hardneg.search.faiss import Faiss
from hardneg.search.torch import Torch
from hardneg.search.usearch import Usearch

__all__ = ["Constraints", "Engine", "Exact", "Faiss", "Hits", "Search", "Torch", "Unlike", "Usearch"]
