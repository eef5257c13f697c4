"""Any sentence-transformers model, from a folder or by name (sbert.net)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from hardneg.encode._base import Encoder, Role
from hardneg.encode._identity import fingerprint, model_parts
from hardneg.encode._models import Precision, check_length, check_model_options, library, load_model, set_precision
from hardneg.errors import OptionError
from hardneg.notation import require
from hardneg.similarity import FloatArray

__all__ = ["SentenceTransformers"]

# The names under which models keep their prompts, as in the package's encode_query and encode_document.
_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"anchor": ("query",), "item": ("document", "passage", "corpus")}
_TASKS: dict[Role, str] = {"anchor": "query", "item": "document"}


@dataclass(frozen=True)
class SentenceTransformers(Encoder):
    """Encodes with a model that ``sentence_transformers`` can load.

    Attributes:
        model: A local folder, or a name on the Hugging Face Hub.
        query_prompt: Text put before every anchor. Empty text: none, whatever the model says.
        item_prompt: Text put before every item.
        query_prompt_name: Take the anchors' prompt of this name from the model instead.
        item_prompt_name: Take the items' prompt of this name from the model instead. Without any of these four, the
            model's own prompts "query" and "document" (or "passage", "corpus") are used where it has them.
        batch_size: Texts computed at once. Changes the speed and the last bits of a vector, nothing else.
        device: "cpu", "cuda", "cuda:1", "mps"; none picks one.
        precision: What the model computes in: float32, float16 or bfloat16. Vectors come out as float32.
        max_length: Cut texts after this many tokens; none keeps the model's own length.
        truncate_dim: Keep this many leading numbers of a vector (Matryoshka models).
        revision: A branch, tag or commit on the Hub.
        trust_remote_code: Run code that comes with the model. Only for models that you trust.

    Raises OptionError for a model that cannot be loaded or a prompt name that it lacks, MissingExtraError without
    the package.

    >>> str(SentenceTransformers("intfloat/e5-small", query_prompt="query: "))
    'sentence_transformers(model=intfloat/e5-small, query_prompt="query: ")'
    """

    name: ClassVar[str] = "sentence_transformers"
    model: str
    query_prompt: str | None = None
    item_prompt: str | None = None
    query_prompt_name: str | None = None
    item_prompt_name: str | None = None
    batch_size: int = 32
    device: str | None = None
    precision: Precision = "float32"
    max_length: int | None = None
    truncate_dim: int | None = None
    revision: str | None = None
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        check_model_options(self.batch_size, self.precision, self.max_length)
        require(self.truncate_dim is None or self.truncate_dim > 0, "truncate_dim", "above 0", self.truncate_dim)
        for side in ("query", "item"):
            if getattr(self, f"{side}_prompt") is not None and getattr(self, f"{side}_prompt_name") is not None:
                raise OptionError(f"Give one of '{side}_prompt' and '{side}_prompt_name', not both.")

    @cached_property
    def _model(self) -> Any:
        model = load_model(
            library().SentenceTransformer,
            self.model,
            device=self.device,
            truncate_dim=self.truncate_dim,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
        )
        check_length(model, self.max_length)
        if self.max_length is not None:
            model.max_seq_length = self.max_length
        set_precision(model, self.precision)
        return model

    @cached_property
    def _weights(self) -> str:
        """A hash of all but the prompts."""
        settings = [self._model.max_seq_length, self.precision, self._model.truncate_dim]
        return fingerprint("sentence_transformers", *settings, *model_parts(self._model))

    @property
    def identity(self) -> str:
        """A hash of weights, structure, tokenizer, length, precision, width and the text of both prompts."""
        return fingerprint(self.key("anchor"), self.key("item"))

    def key(self, role: Role) -> str:
        """Weights and settings with the text of the role's prompt; the role itself where the model tells them apart."""
        return fingerprint(self._weights, self.prompt(role), role if self._has_routes else "")

    @cached_property
    def _has_routes(self) -> bool:
        return any(type(module).__name__ in ("Router", "Asym") for module in self._model)

    def prompt(self, role: Role) -> str:
        """The text that is put before every text of this role."""
        side = "query" if role == "anchor" else "item"
        text: str | None = getattr(self, f"{side}_prompt")
        if text is not None:
            return text
        prompts: dict[str, str] = self._model.prompts
        named: str | None = getattr(self, f"{side}_prompt_name")
        if named is not None and named not in prompts:
            known = ", ".join(sorted(prompts)) or "none"
            raise OptionError(f"The '{side}_prompt_name' must be one of the model's prompts: {known}. Got '{named}'.")
        names = (named,) if named is not None else _PROMPT_NAMES[role]
        return next((prompts[one] for one in names if prompts.get(one)), "")

    @property
    def chunk(self) -> int:
        """Sixteen batches: enough to sort by length, few enough to lose little when stopped."""
        return 16 * self.batch_size

    def encode(self, texts: Sequence[str], role: Role) -> FloatArray:
        """Vectors of shape ``(len(texts), d)``, float32; long and short texts are computed apart, order is kept."""
        vectors = self._model.encode(
            list(texts),
            prompt=self.prompt(role),
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
            **({"task": _TASKS[role]} if self._has_routes else {}),
        )
        return np.asarray(vectors, np.float32)
