"""What transformers models of images and of sounds share: the library, and which of their outputs is the vector."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from hardneg.errors import MissingExtraError, OptionError

__all__ = ["chosen_pooling", "has_random_pooler", "transformers_library"]


def chosen_pooling(model: str, module: Any, lacking: Sequence[str], wanted: str, kind: str, others: str) -> str | None:
    """The pooling asked for; of "auto" the features that are compared with texts where the model gives any.

    None where "auto" is between the model's own pooler, whose weights may be lacking, and what ``others`` names.

    Args:
        model: its name, for errors.
        module: the model, loaded.
        lacking: the weights that it needs and its files do not hold; they are random numbers.
        wanted: the pooling asked for.
        kind: ``image`` or ``audio``.
        others: poolings that need no weights, as in "cls or mean".

    Raises OptionError where other weights than a pooler's are lacking, or the model has not what is asked for.
    """
    # Masks what is learnt from, in training alone; models that were trained further are saved without it.
    needed = [key for key in lacking if "pooler" not in key and "masked_spec_embed" not in key]
    features = hasattr(module, f"get_{kind}_features")
    if needed:
        raise OptionError(f"The model '{model}' lacks {len(needed)} of its weights ({', '.join(needed[:3])}).")
    if wanted == "pooler" and has_random_pooler(lacking):
        raise OptionError(f"The model '{model}' was not trained with a pooler. Take pooling={others}.")
    if wanted == "features" and not features:
        raise OptionError(f"The model '{model}' gives no {kind} features. Take pooling=auto.")
    if wanted != "auto":
        return wanted
    return "features" if features else None


def has_random_pooler(lacking: Sequence[str]) -> bool:
    """Whether the pooler's weights are among those that the model's files do not hold."""
    return any("pooler" in key for key in lacking)


def transformers_library(extra: str) -> ModuleType:
    """The package transformers, imported on first use. Raises MissingExtraError where it is not installed."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra=extra) from None
    return transformers  # type: ignore[no-any-return]
