"""Packages that only labelled data need: loaded when used, and named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from hardneg.errors import MissingExtraError
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["needs", "one_thread", "spread"]


def needs(module: str, extra: str = "labels") -> Any:
    """Import a module of an extra.

    Raises MissingExtraError where its package is not installed.

    >>> needs("nowhere.at_all")
    Traceback (most recent call last):
    hardneg.errors.MissingExtraError: This needs the package 'nowhere', ... pip install "hardneg[labels]"
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise MissingExtraError({"sklearn": "scikit-learn"}.get(package, package), extra=extra) from error


def one_thread(kind: Literal["blas", "openmp"]) -> threadpool_limits:
    """Within this, a library's sums run in one order, whatever the machine."""
    return threadpool_limits(1, user_api=kind)


def spread(found: FloatArray, seen: IntArray, classes: int) -> FloatArray:
    """Columns for the classes that a model has seen, put where they belong among all; 0 for the others.

    >>> spread(np.array([[0.4, 0.6]], np.float32), np.array([0, 2]), 3)
    array([[0.4, 0. , 0.6]], dtype=float32)
    """
    out = np.zeros((len(found), classes), np.float32)
    out[:, seen] = found
    return out
