"""Nearest-neighbour engines behind one protocol. Constraints are applied while searching, never after."""

from hardneg.search._base import Constraints, Engine, Hits, Search, Unlike
from hardneg.search.exact import Exact

__all__ = ["Constraints", "Engine", "Exact", "Hits", "Search", "Unlike"]
