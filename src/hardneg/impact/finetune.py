"""Full fine-tuning of a sentence-transformers model, with the probe's loss: what the probe stands in for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hardneg.encode._identity import fingerprint
from hardneg.errors import InputError, MissingExtraError, OptionError
from hardneg.impact.lesson import Lesson, Scorer, Step
from hardneg.notation import require
from hardneg.ragged import IntArray
from hardneg.similarity import FloatArray

__all__ = ["FineTuning"]

_WARM = 0.1  # of the steps
_SHOWN = 3  # every so many checkpoints a model is shown: each time all texts are encoded


@dataclass(frozen=True)
class FineTuning:
    """Trains all weights of a model of texts, for retrieval and verification; each time from the model as given.

    Args:
        model: a folder or a name.
        rate: of AdamW, reached after a tenth of the steps and falling to 0.
        temperature: of the contrastive loss.
        max_length: tokens of a text that are read.
        device: where it is trained; chosen by torch if not given.
    """

    model: str
    rate: float = 2e-5
    temperature: float = 0.05
    max_length: int = 128
    device: str | None = None

    def __post_init__(self) -> None:
        require(bool(self.model), "model", "a folder or a name", "none")
        require(self.rate > 0, "rate", "above 0", self.rate)
        require(self.max_length >= 1, "max_length", "at least 1", self.max_length)

    @property
    def key(self) -> str:
        """All that decides its results but the model's weights; another folder is another model."""
        return f"fine-tuning {fingerprint(self.model, self.rate, self.temperature, self.max_length)}"

    def train(self, lesson: Lesson) -> Scorer:
        """Train the model anew.

        Raises OptionError for a classifier, InputError for things without texts, MissingExtraError without the package.
        """
        task = lesson.task
        if task.kind == "classification":
            raise OptionError("Fine-tuning is for retrieval and verification. Of a classifier use the probe.")
        if lesson.anchors.texts is None or lesson.items.texts is None:
            raise InputError("Fine-tuning needs texts, and there are none.", remedy="Use the probe, or --train.")
        model = self._loaded(lesson.seed)
        left, right = ([str(one) for one in side.texts.to_pylist()] for side in (lesson.anchors, lesson.items))  # type: ignore[union-attr]
        scorer = partial(_scorer, model, left, right)
        self._fit(model, lesson, left, right, scorer)
        return scorer()

    def _loaded(self, seed: int) -> Any:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise MissingExtraError("sentence_transformers", extra="text") from error
        torch.manual_seed(seed)  # dropout; the order of examples comes from the lesson
        model = SentenceTransformer(self.model, device=self.device)
        model.max_seq_length = self.max_length
        return model

    def _fit(self, model: Any, lesson: Lesson, left: list[str], right: list[str], scorer: Callable[[], Scorer]) -> None:
        import torch

        total = lesson.budget.total
        warm = max(1, int(_WARM * total))
        adam = torch.optim.AdamW(model.parameters(), lr=self.rate, weight_decay=0.01)
        plan = torch.optim.lr_scheduler.LambdaLR(
            adam, lambda at: min((at + 1) / warm, max(0.0, (total - at) / max(1, total - warm)))
        )
        model.train()
        for number, step in enumerate(lesson.steps(), start=1):
            adam.zero_grad()
            self._loss(model, step, left, right).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            plan.step()
            if number in lesson.checkpoints[::_SHOWN]:
                model.eval()
                lesson.show(number, scorer())
                model.train()
        model.eval()

    def _loss(self, model: Any, step: Step, left: list[str], right: list[str]) -> Any:
        """InfoNCE with the batch's positives, but for those of the anchor, and its own negatives."""
        import torch

        b, n = step.negatives.shape
        texts = [left[one] for one in step.anchors] + [right[one] for one in step.positives]
        texts += [right[one] for one in step.negatives.ravel()]
        read = getattr(model, "preprocess", None) or model.tokenize  # as it is called before version 6
        features = {
            name: value.to(model.device) if hasattr(value, "to") else value for name, value in read(texts).items()
        }
        z = torch.nn.functional.normalize(model(features)["sentence_embedding"], dim=1)
        a, p, negatives = z[:b], z[b : 2 * b], z[2 * b :].reshape(b, n, -1)
        among = (a @ p.T).masked_fill(torch.as_tensor(step.hidden, device=z.device), float("-inf"))
        logits = torch.cat([among, torch.einsum("bd,bnd->bn", a, negatives)], dim=1) / self.temperature
        return torch.nn.functional.cross_entropy(logits, torch.arange(b, device=z.device))


def _scorer(model: Any, left: list[str], right: list[str]) -> Scorer:
    """Scores of the model as it is now; the right side is encoded once, when it is first asked for."""
    every: dict[int, FloatArray] = {}

    def encoded(texts: Sequence[str]) -> FloatArray:
        return np.asarray(model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False))

    def scores(rows: IntArray, others: IntArray) -> FloatArray:
        if 0 not in every:
            every[0] = encoded(right)
        return np.asarray(encoded([left[row] for row in rows.tolist()]) @ every[0][others].T, np.float32)

    return scores
