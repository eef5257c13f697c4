"""All weights of WordLlama's embedding as a learner: a table of 32,000 tokens by 256 numbers.

A text is the mean of its tokens, all of them, so texts are rows of a sparse matrix: the share that each token has of
each text. A step takes the columns and the rows of the table that its texts have, each document once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
import wordllama
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.sparse import csr_array, vstack
from tokenizers import Tokenizer

from hardneg.impact.exams import EXAMS
from hardneg.impact.lesson import Lesson, Scorer, Step
from hardneg.impact.stopping import Best
from hardneg.impact.task import Task

__all__ = ["AllWeights", "lengths_of", "start"]

_FOLDER = Path(wordllama.__file__).parent

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AllWeights:
    """Trains the whole table, from the weights as they come, by the probe's loss and its rule of stopping.

    Args:
        rate: of Adam for the rows of a batch (torch's SparseAdam), falling to 0 along a half cosine.
        temperature: of the contrastive loss.
    """

    rate: float
    temperature: float = 0.05
    _read: list[tuple[Task, csr_array, csr_array]] = field(default_factory=list, repr=False)

    @property
    def key(self) -> str:
        """What decides its results besides the lesson."""
        return f"all weights of WordLlama's embedding, whole texts (rate={self.rate}, temperature={self.temperature})"

    def train(self, lesson: Lesson) -> Scorer:
        """Learn a lesson from the weights as they come."""
        task, total = lesson.task, lesson.budget.total
        left, right = self.texts(task)
        table = torch.nn.Parameter(torch.from_numpy(start().copy()))
        adam = torch.optim.SparseAdam([table], lr=self.rate)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(adam, total)
        best = Best(EXAMS[task.kind](task, task.parts.validation, None), total, lambda one: scorer(one, left, right))
        for number, step in enumerate(lesson.steps(), start=1):
            table.grad = self._gradient(table.detach().numpy(), step, left, right)
            adam.step()
            plan.step()
            best.see(number, table.detach().numpy())
        return scorer(best.weights, left, right)

    def before(self, task: Task) -> Scorer:
        """What the table scores as it comes."""
        return scorer(start(), *self.texts(task))

    def texts(self, task: Task) -> tuple[csr_array, csr_array]:
        """The texts of anchors and items, as shares; those of the last task alone are kept."""
        if not self._read or self._read[0][0] is not task:
            sides = (task.positives.anchors.texts, task.positives.items.texts)
            self._read[:] = [(task, *(shares_of(() if one is None else one.to_pylist()) for one in sides))]
        return self._read[0][1:]

    def _gradient(self, table: Floats, step: Step, left: csr_array, right: csr_array) -> torch.Tensor:
        b = len(step.anchors)
        items, at = np.unique(np.concatenate([step.positives, step.negatives.ravel()]), return_inverse=True)
        shares = vstack([left[step.anchors], right[items]], format="csr")
        tokens, columns = np.unique(shares.indices, return_inverse=True)
        shares = csr_array((shares.data, columns, shares.indptr), shape=(b + len(items), len(tokens)))
        means = torch.from_numpy(shares @ table[tokens]).requires_grad_()
        z = torch.nn.functional.normalize(means, dim=1)
        a, p, n = z[:b], z[b + at[:b]], z[b + at[b:]].reshape(b, step.negatives.shape[1], z.shape[1])
        among = (a @ p.T).masked_fill(torch.as_tensor(step.hidden), float("-inf"))
        logits = torch.cat([among, torch.einsum("bd,bnd->bn", a, n)], dim=1) / self.temperature
        (slope,) = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, torch.arange(b)), means)
        return torch.sparse_coo_tensor(
            torch.from_numpy(tokens)[None],
            torch.from_numpy(shares.T @ slope.numpy()),
            table.shape,
            is_coalesced=True,
            check_invariants=False,
        )


@cache
def start() -> Floats:
    """The table as it comes."""
    (weights,) = load_file(str(_FOLDER / "weights" / "l2_supercat_256.safetensors")).values()
    return np.asarray(weights, np.float32)


def lengths_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """How many tokens each text has."""
    return np.array([len(one) for one in _tokens(texts)])


def shares_of(texts: Sequence[str]) -> csr_array:
    """The share that each token has of each text, shape ``(texts, tokens)``; a text without one has token 0."""
    every = [one or [0] for one in _tokens(texts)]
    length = np.array([len(one) for one in every], np.int64)
    data = np.repeat(1 / length, length).astype(np.float32)
    out = csr_array((data, np.concatenate(every), np.cumsum([0, *length])), shape=(len(every), len(start())))
    out.sum_duplicates()
    return out


def scorer(table: Floats, left: csr_array, right: csr_array) -> Scorer:
    """Cosines of texts as a table has them; the items are worked out once."""
    items: list[Floats] = []

    def scores(rows: NDArray[np.int64], others: NDArray[np.int64]) -> Floats:
        if not items:
            items.append(_unit(right @ table))
        return np.asarray(_unit(left[rows] @ table) @ items[0][others].T)

    return scores


def _tokens(texts: Sequence[str]) -> list[list[int]]:
    tokenizer = Tokenizer.from_file(str(_FOLDER / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    tokenizer.no_truncation()
    return [one.ids for one in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
