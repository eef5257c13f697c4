"""Rescorers by name, and from a bare model name or folder."""

from __future__ import annotations

from dataclasses import replace

from hardneg.encode._rescorer import Rescorer
from hardneg.encode.cache import EmbeddingCache
from hardneg.encode.cross import CrossEncoder
from hardneg.encode.pair_function import PairFunction
from hardneg.encode.registry import is_model
from hardneg.encode.teacher import Teacher
from hardneg.notation import Registry

__all__ = ["RESCORERS", "make_rescorer"]

RESCORERS: Registry[Rescorer] = Registry("rescorer", Rescorer, [CrossEncoder, Teacher, PairFunction])  # type: ignore[type-abstract]


def make_rescorer(spec: str | Rescorer, cache: EmbeddingCache | None = None) -> Rescorer:
    """A rescorer from its text; a bare model name or folder means cross_encoder.

    ``cache`` keeps the vectors of a teacher that has no cache yet.

    Raises OptionError for an unknown name or option.

    >>> str(make_rescorer("teacher(wordllama)")), str(make_rescorer("cross-encoder/ms-marco-MiniLM-L6-v2"))
    ('teacher(encoder=wordllama)', 'cross_encoder(model=cross-encoder/ms-marco-MiniLM-L6-v2)')
    """
    bare = isinstance(spec, str) and is_model(spec.strip(), RESCORERS.steps)
    made = CrossEncoder(str(spec).strip()) if bare else RESCORERS.make(spec)
    return replace(made, cache=cache) if isinstance(made, Teacher) and made.cache is None else made
