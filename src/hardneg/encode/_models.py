"""Loading models: late, quietly, never with code from elsewhere unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from hardneg.encode._hub import without_waiting
from hardneg.errors import HardnegError, MissingExtraError, OptionError
from hardneg.notation import require

__all__ = ["Precision", "check_length", "check_model_options", "library", "load_model", "set_precision"]

Precision = Literal["float32", "float16", "bfloat16"]


def library() -> ModuleType:
    """The package sentence_transformers, imported on first use.

    Raises MissingExtraError where it is not installed.
    """
    try:
        import sentence_transformers
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="text") from None
    return sentence_transformers  # type: ignore[no-any-return]


def check_model_options(batch_size: int, precision: str, max_length: int | None) -> None:
    """Raise OptionError for options that no model takes."""
    require(batch_size > 0, "batch_size", "a whole number above 0", batch_size)
    require(precision in get_args(Precision), "precision", f"one of {', '.join(get_args(Precision))}", precision)
    require(max_length is None or max_length > 0, "max_length", "a whole number above 0", max_length)


def load_model(load: Callable[..., Any], model: str, **options: Any) -> Any:
    """Call ``load`` with a local folder or a model's name.

    Raises OptionError, saying what to do, where no model can be had.
    """
    folder = Path(model).expanduser()
    local = folder.is_dir()
    if not local and (model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model):
        raise OptionError(f"The 'model' must be a folder that exists, or a model's name. There is no folder '{model}'.")
    try:
        with _no_progress_bars(), nullcontext() if local else without_waiting():
            return load(str(folder) if local else model, **options)
    except HardnegError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if local:
            raise OptionError(f"The folder '{model}' holds no model that can be loaded: {reason}") from error
        raise OptionError(
            f"The model '{model}' cannot be loaded: {reason.rstrip('.')}. Name a local folder, or a model "
            "on the Hugging Face Hub that this machine can reach or has downloaded before."
        ) from error


def set_precision(model: Any, precision: Precision) -> None:
    """Compute in this precision, whatever the weights were stored in."""
    import torch

    model.to(getattr(torch, precision))
    model.eval()


def check_length(model: Any, max_length: int | None) -> None:
    """Raise OptionError where a model has fewer positions than ``max_length`` tokens."""
    for module in model.modules():
        limit = getattr(getattr(module, "config", None), "max_position_embeddings", None)
        if max_length is not None and isinstance(limit, int) and 0 < limit < max_length:
            raise OptionError(f"The 'max_length' must be at most {limit} for this model. Got {max_length}.")


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Loading draws bars of its own; a program that draws its own progress does not want them."""
    try:
        from transformers.utils import logging
    except ModuleNotFoundError:  # not every library that loads models builds on it
        yield
        return
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
