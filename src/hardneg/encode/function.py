"""Any Python function as an encoder, so also any model behind an API."""

from __future__ import annotations

from dataclasses import dataclass

from hardneg.encode._called import CalledEncoder

__all__ = ["Function"]


@dataclass(frozen=True)
class Function(CalledEncoder):
    """Calls ``function(texts)``, or ``function(texts, role=...)`` if it has a parameter of that name.

    The function gets a list of at most ``batch_size`` texts and returns one row of numbers for each: lists, an
    array or a tensor. Name it as ``module:function`` or ``file.py:function``, or give it as ``call``.

    What a function computes cannot be read from outside, so its vectors are cached only under a ``version``, which
    you change whenever the function or the model behind it changes. With a version, a run that was stopped goes on
    after the last batch that it kept.

    >>> lengths = Function(call=lambda texts: [[len(text), 1] for text in texts])
    >>> lengths.encode(["a", "abc"], "item").tolist()
    [[1.0, 1.0], [3.0, 1.0]]
    """
