"""A cross-encoder: reads both texts at once. Slower than two vectors, and a better judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from hardneg.encode._identity import fingerprint, model_parts
from hardneg.encode._models import Precision, check_length, check_model_options, library, load_model, set_precision
from hardneg.encode._rescorer import Rescorer
from hardneg.encode.scores import Pair
from hardneg.errors import OptionError
from hardneg.similarity import FloatArray

__all__ = ["CrossEncoder"]


@dataclass(frozen=True)
class CrossEncoder(Rescorer):
    """Scores with a model that ``sentence_transformers.CrossEncoder`` can load, through the model's own activation.

    Attributes:
        model: A local folder, or a name on the Hugging Face Hub. It must give one number for a pair.
        batch_size: Pairs computed at once.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in: float32, float16 or bfloat16.
        max_length: Cut a pair after this many tokens; none keeps the model's own length.
        revision: A branch, tag or commit on the Hub.
        trust_remote_code: Run code that comes with the model. Only for models that you trust.

    Raises OptionError for a model that cannot be loaded or was not trained to score pairs, MissingExtraError
    without the package.

    >>> str(CrossEncoder("cross-encoder/ms-marco-MiniLM-L6-v2", batch_size=64))
    'cross_encoder(model=cross-encoder/ms-marco-MiniLM-L6-v2, batch_size=64)'
    """

    name: ClassVar[str] = "cross_encoder"
    model: str
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"
    max_length: int | None = None
    revision: str | None = None
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        check_model_options(self.batch_size, self.precision, self.max_length)

    @cached_property
    def _model(self) -> Any:
        model = load_model(
            library().CrossEncoder,
            self.model,
            device=self.device,
            max_length=self.max_length,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
        )
        check_length(model, self.max_length)
        _check_head(model, self.model)
        set_precision(model, self.precision)
        return model

    @cached_property
    def identity(self) -> str:
        """A hash of weights, structure, tokenizer, activation, length and precision."""
        activation = repr(self._model.activation_fn)
        return fingerprint("cross_encoder", activation, self.precision, self._length, *model_parts(self._model))

    @property
    def _length(self) -> int | None:
        # The package renamed this property between its versions 5 and 6.
        name = "max_seq_length" if hasattr(type(self._model), "max_seq_length") else "max_length"
        length: int | None = getattr(self._model, name)
        return length

    @property
    def chunk(self) -> int:
        """Sixteen batches: enough to sort by length, few enough to lose little when stopped."""
        return 16 * self.batch_size

    def score(self, pairs: Sequence[Pair]) -> FloatArray:
        """Scores of shape ``(len(pairs),)``, float32; long and short pairs are computed apart, order is kept."""
        lengths = np.fromiter((len(anchor) + len(item) for anchor, item in pairs), np.int64, len(pairs))
        order = np.argsort(-lengths, kind="stable")
        scores = np.empty(len(pairs), np.float32)
        if len(pairs):
            longest_first = [list(pairs[int(row)]) for row in order]
            scores[order] = self._model.predict(longest_first, batch_size=self.batch_size, show_progress_bar=False)
        return scores


def _check_head(model: Any, name: str) -> None:
    """Refuse a model whose last layer would be made of random numbers, or that gives several numbers a pair."""
    for module in model.modules():
        kind, config = type(module).__name__, getattr(module, "config", None)
        trained = getattr(config, "architectures", None) or []
        if kind.endswith("ForSequenceClassification") and not any(one.endswith("Classification") for one in trained):
            raise OptionError(
                f"The model '{name}' was not trained to score pairs (it is a {', '.join(trained) or 'plain encoder'}). "
                f"As a teacher that compares vectors, write: teacher({name})"
            )
    if getattr(model, "num_labels", 1) != 1:
        raise OptionError(f"The model '{name}' must give 1 number for a pair. It gives {model.num_labels}.")
